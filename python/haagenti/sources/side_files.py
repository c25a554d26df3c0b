"""The files beside the weights of a model directory: which ones a conversion copies, which it leaves out and why.

Not responsible for: copying them (`haagenti.sinks`), the model card and config.json (`haagenti.reporting.model_card`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from haagenti.sources.base import SideFile

# Extensions under which frameworks keep weights. `.model` is not among them: it is a SentencePiece tokenizer.
_TORCH_SUFFIXES = {".bin", ".pt", ".pth", ".th", ".ckpt", ".pkl", ".safetensors", ".pte", ".nemo"}
_OTHER_SUFFIXES = {".gguf", ".ggml", ".llamafile", ".onnx", ".onnx_data", ".engine", ".h5", ".hdf5", ".keras", ".msgpack", ".tflite", ".pb"}
_RARE_SUFFIXES = {".ot", ".npz", ".params", ".pdparams", ".mlmodel"}
WEIGHT_SUFFIXES = frozenset(_TORCH_SUFFIXES | _OTHER_SUFFIXES | _RARE_SUFFIXES)
WEIGHT_INDEX_ENDINGS = (".safetensors.index.json", ".bin.index.json", ".h5.index.json", ".msgpack.index.json", ".onnx.data")
WEIGHT_FOLDERS = frozenset({"original"})  # Meta's own checkpoint inside a HuggingFace repository
LARGEST_SIDE_FILE = 256 * 2**20  # bytes; tokenizers reach about 35 MB, pictures of a model card a few


def list_side_files(directory: Path, used: set[str]) -> list[SideFile]:
    """Every file of a model directory that is not one of its weight files.

    Args:
        directory: the checkpoint.
        used: names of the files that the source reads the weights from (index included), relative to `directory`.

    Returns:
        Sorted by path. Hidden files and folders (``.git``, ``.cache``) are not listed.
    """
    found = []
    for path in _walk(directory):
        relative = path.relative_to(directory).as_posix()
        if relative not in used:
            found.append(_side_file(path, relative))
    return sorted(found, key=lambda file: file.path)


def _walk(directory: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(directory):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        yield from (Path(folder, name) for name in [*names, *links] if not name.startswith("."))


def _side_file(path: Path, relative: str) -> SideFile:
    if path.is_dir():
        return SideFile(relative, 0, "link to a folder")
    if not path.is_file():
        return SideFile(relative, 0, "broken link" if path.is_symlink() else "not a regular file")
    n_bytes = path.stat().st_size
    return SideFile(relative, n_bytes, _why_left_out(relative, n_bytes))


def _why_left_out(relative: str, n_bytes: int) -> str:
    parts = relative.lower().split("/")
    if WEIGHT_FOLDERS & set(parts[:-1]):
        return "weights in another format"
    if parts[-1].endswith(WEIGHT_INDEX_ENDINGS):
        return "index of weights in another file"
    if os.path.splitext(parts[-1])[1] in WEIGHT_SUFFIXES:
        return "weights in another format" if not parts[-1].endswith(".safetensors") else "weights that the model's index does not name"
    if n_bytes > LARGEST_SIDE_FILE:
        return f"larger than {LARGEST_SIDE_FILE // 2**20} MiB"
    return ""
