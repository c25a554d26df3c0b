"""Which sink writes which destination.

Not responsible for: writing anything.
"""

from __future__ import annotations

import os
from pathlib import Path

from haagenti.errors import Error, InvalidArgumentError, IoError
from haagenti.planning.plan_data import Plan
from haagenti.sinks.base import Sink
from haagenti.sinks.hct_file import HctFileSink
from haagenti.sinks.hf_directory import HfDirectorySink
from haagenti.sinks.safetensors_file import SafetensorsFileSink
from haagenti.sinks.staging import EXISTS
from haagenti.sources.base import Source
from haagenti.sources.side_files import WEIGHT_SUFFIXES


def open_sink(dst: str | os.PathLike[str], source: Source, plan: Plan, *, force: bool = False, max_shard_bytes: int | None = None) -> Sink:
    """Opens the output of a conversion: ``.hct`` and ``.safetensors`` are files, everything else is a model directory.

    Raises:
        InvalidArgumentError: `dst` has the extension of a format that is not written or lies on the source, or the shard size is not
            positive.
        IoError: `dst` exists and may not be replaced, or cannot be created.
    """
    path = Path(dst)
    _check_destination(path, source)
    if max_shard_bytes is not None and max_shard_bytes <= 0:
        raise InvalidArgumentError(f"max_shard_bytes: expected a positive number, found {max_shard_bytes}")
    try:
        return _open(path, source, plan, force, max_shard_bytes)
    except Error:
        raise
    except OSError as error:
        raise IoError(f"{path}: cannot be created: {error.strerror or error}") from error


def _open(path: Path, source: Source, plan: Plan, force: bool, max_shard_bytes: int | None) -> Sink:
    if path.suffix.lower() in (".hct", ".safetensors"):
        _check_file_place(path, force)
        if path.suffix.lower() == ".hct":
            return HctFileSink(path, source.metadata, force)
        return SafetensorsFileSink(path, plan.entries, source.metadata, force)
    stem = source.stem if source.kind == "directory" else "model"
    known = [file.path for file in source.side_files() if not file.left_out]
    return HfDirectorySink(path, plan.entries, source.metadata, stem, force, max_shard_bytes, known)


def _check_file_place(path: Path, force: bool) -> None:
    if not path.parent.is_dir():
        raise IoError(f"{path}: cannot be created: there is no folder {path.parent}")
    if path.is_dir() and not path.is_symlink():
        raise IoError(f"{path}: is a directory; it is not replaced by a file even when forced")
    if os.path.lexists(path) and not force:
        raise IoError(EXISTS.format(path=path))


def _check_destination(path: Path, source: Source) -> None:
    if path.suffix.lower() in WEIGHT_SUFFIXES - {".safetensors"}:
        raise InvalidArgumentError(f"{path}: {path.suffix} files are not written; expected .hct, .safetensors or a directory")
    target, origin = path.resolve(), source.path.resolve()
    if target == origin or target in origin.parents:
        raise InvalidArgumentError(f"{path}: the output would replace its source {source.path}")
    if origin.is_dir() and origin in target.parents:
        raise InvalidArgumentError(f"{path}: the output would lie inside its source {source.path}")
