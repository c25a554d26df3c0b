"""Which files of a model directory hold its weights, and what its index says about them.

Not responsible for: opening the weight files.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from haagenti.errors import CorruptError, InvalidArgumentError

# In the order in which transformers looks for them.
WELL_KNOWN = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
INDEX_ENDING = ".index.json"
STEM_OF = {"pytorch_model": "model"}  # safetensors files of a transformers model are called "model"


class WeightFiles(msgspec.Struct, frozen=True):
    """The weight files of a directory.

    Attributes:
        files: names, in order of first use.
        stem: what the written weight file is called, without extension.
        index: name of the index, or None for a single file.
        weight_map: tensor name -> file name, as the index says; empty without one.
    """

    files: tuple[str, ...]
    stem: str
    index: str | None = None
    weight_map: dict[str, str] = {}


def find_weight_files(directory: Path) -> WeightFiles:
    """Finds the weights: one file or an index, safetensors before pickles.

    Raises:
        InvalidArgumentError: there are none, or several candidates and no index.
        CorruptError: the index is not valid or names a file that is not there.
    """
    for name in (*WELL_KNOWN, *_others(directory)):
        if (directory / name).is_file():
            return _from_index(directory, name) if name.endswith(INDEX_ENDING) else WeightFiles((name,), _stem(name))
    raise InvalidArgumentError(f"{directory}: no weights found; looked for {', '.join(WELL_KNOWN)} and a single other *.safetensors")


def _others(directory: Path) -> list[str]:
    """The one index or, without any, the one safetensors file of another name, e.g. ``adapter_model.safetensors``."""
    names = sorted(os.listdir(directory))
    if any(name in names for name in WELL_KNOWN):
        return []
    for ending in (".safetensors" + INDEX_ENDING, ".safetensors"):
        found = [name for name in names if name.endswith(ending)]
        if len(found) > 1:
            raise InvalidArgumentError(f"{directory}: several weight files and no index that names them: {', '.join(found)}")
        if found:
            return found
    return []


def _stem(name: str) -> str:
    stem = name.split(".safetensors")[0].split(".bin")[0]
    return STEM_OF.get(stem, stem)


class _Index(msgspec.Struct):
    weight_map: dict[str, str]


def _from_index(directory: Path, name: str) -> WeightFiles:
    try:
        index = msgspec.json.decode((directory / name).read_bytes(), type=_Index)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise CorruptError(f"{directory / name}: {error}") from error
    files = tuple(dict.fromkeys(index.weight_map.values()))
    if not files:
        raise CorruptError(f"{directory / name}: weight_map is empty")
    for file in files:
        _check_shard(directory, name, file, index.weight_map)
    return WeightFiles(files, _stem(name), name, index.weight_map)


def _check_shard(directory: Path, index: str, file: str, weight_map: dict[str, str]) -> None:
    if os.path.basename(file) != file or file in ("", ".", ".."):
        raise CorruptError(f"{directory / index}: weight_map names {file!r}, expected a file of the same directory")
    if not (directory / file).is_file():
        tensors = [name for name, where in weight_map.items() if where == file]
        raise CorruptError(f"{directory / index}: shard {file!r} is missing; it holds {len(tensors)} tensors, e.g. {tensors[0]!r}")
