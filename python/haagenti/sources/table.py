"""Which source opens which path. Sources that need torch or huggingface_hub are named by text and imported when first used.

Not responsible for: reading anything.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from haagenti.errors import InvalidArgumentError, IoError
from haagenti.sources.base import Source
from haagenti.sources.hf_directory import HfDirectorySource

# Suffix -> "module:class", called with (path, label) and, for pickles, key.
TENSOR_FILE = "haagenti.sources.tensor_file:TensorFileSource"
PICKLE = "haagenti.torch.pickle_source:PickleSource"
FILE_SOURCES = {".safetensors": TENSOR_FILE, ".hct": TENSOR_FILE, **dict.fromkeys((".bin", ".pt", ".pth", ".th"), PICKLE)}
HUB = "haagenti.hf.hub:locate"  # org/name -> local directory and notes

HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


def open_source(src: str | os.PathLike[str], *, key: str | None = None, revision: str | None = None) -> Source:
    """Opens a checkpoint.

    Args:
        src: a model directory, a ``.safetensors``, ``.hct``, ``.bin``, ``.pt``, ``.pth`` or ``.th`` file, or ``org/name`` of a repository
            on the HuggingFace hub (a path that exists comes first).
        key: for pickled checkpoints, the dotted name of the part of the tree that holds the tensors.
        revision: for the hub, a branch, tag or commit.

    Raises:
        InvalidArgumentError: nothing there that a source can open, or an argument that does not apply.
        IoError: no such path.
    """
    path, text = Path(src), os.fspath(src)
    notes: tuple[str, ...] = ()
    if not path.exists() and HUB_NAME.fullmatch(text):
        path, notes = _load(HUB)(text, revision=revision)
    elif revision is not None:
        raise InvalidArgumentError(f"revision={revision!r} applies to a repository on the hub (org/name), not to {text}")
    if path.is_dir():
        return HfDirectorySource(path, lambda file: _open_file(file, key), label=text, notes=notes)
    if not path.exists():
        raise IoError(f"{text}: no such file or directory")
    return _open_file(path, key, label=text)


def _open_file(path: Path, key: str | None, label: str | None = None) -> Source:
    name = FILE_SOURCES.get(path.suffix.lower())
    if name is None:
        raise InvalidArgumentError(f"{path}: expected a model directory or one of {', '.join(FILE_SOURCES)}, found {path.suffix!r}")
    if key is not None and name != PICKLE:
        raise InvalidArgumentError(f"key={key!r} applies to pickled checkpoints (.bin, .pt, .pth, .th), not to {path}")
    options = {"key": key} if name == PICKLE else {}
    source: Source = _load(name)(path, label=label, **options)
    return source


def _load(name: str) -> Callable[..., Any]:
    module, attribute = name.split(":")
    function: Callable[..., Any] = getattr(import_module(module), attribute)
    return function
