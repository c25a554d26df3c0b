"""A model directory as HuggingFace lays it out: weights in one file or in shards with an index, config and tokenizer beside them.

Not responsible for: the weight files' own formats (`safetensors_file`, `haagenti.torch.pickle_source`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from haagenti.errors import CorruptError
from haagenti.record import Record
from haagenti.sources.base import SideFile, Source, SourceTensor
from haagenti.sources.side_files import list_side_files
from haagenti.sources.weight_files import WeightFiles, find_weight_files


class HfDirectorySource(Source):
    """A directory of shards, plain or compressed; only headers are read until `read` is called.

    Args:
        path: the directory.
        open_shard: opens one weight file as a source.
        label: what the user called it.
        notes: what a user should know about where it comes from.

    Raises:
        InvalidArgumentError: no weights.
        CorruptError: the index and the shards do not belong together.
    """

    kind = "directory"

    def __init__(self, path: Path, open_shard: Callable[[Path], Source], label: str | None = None, notes: tuple[str, ...] = ()) -> None:
        self.path, self.notes = path, notes
        self.label = label or str(path)
        self.weights = find_weight_files(path)
        self.stem = self.weights.stem
        self.shards = {name: open_shard(path / name) for name in self.weights.files}
        self._owners = _owners(path, self.weights, self.shards)
        self.metadata = _merged(self.shards.values())
        self.stored_bytes = sum(shard.stored_bytes for shard in self.shards.values())

    def tensors(self) -> list[SourceTensor]:
        return [t for name, shard in self.shards.items() for t in shard.tensors() if self._owners[t.name] == name]

    def read(self, name: str) -> memoryview:
        return self.shards[self._owners[name]].read(name)

    def record(self, name: str) -> Record | None:
        return self.shards[self._owners[name]].record(name)

    def config(self) -> dict[str, Any] | None:
        file = self.path / "config.json"
        if not file.is_file():
            return None
        try:
            config = json.loads(file.read_bytes())  # configs may hold Infinity, which only the standard library reads
        except ValueError as error:
            raise CorruptError(f"{file}: {error}") from error
        if not isinstance(config, dict):
            raise CorruptError(f"{file}: expected a JSON object, found {type(config).__name__}")
        return config

    def side_files(self) -> list[SideFile]:
        used = {*self.weights.files, *([self.weights.index] if self.weights.index else [])}
        return list_side_files(self.path, used)

    def close(self) -> None:
        for shard in self.shards.values():
            shard.close()


def _merged(shards: Any) -> dict[str, str]:
    """Metadata of all shards; the first shard that has a key decides."""
    merged: dict[str, str] = {}
    for shard in shards:
        merged = {**shard.metadata, **merged}
    return merged


def _owners(directory: Path, weights: WeightFiles, shards: dict[str, Source]) -> dict[str, str]:
    """Tensor name -> the shard it is read from: what the index says, and for tensors it does not name the shard that holds them."""
    held = {name: {tensor.name for tensor in shard.tensors()} for name, shard in shards.items()}
    for tensor, shard in weights.weight_map.items():
        if tensor not in held[shard]:
            raise CorruptError(f"{directory / str(weights.index)}: tensor {tensor!r} is not in shard {shard!r}, where weight_map puts it")
    owners = dict(weights.weight_map)
    for shard, names in held.items():
        for tensor in sorted(names - set(weights.weight_map)):
            if tensor in owners:
                raise CorruptError(f"{directory}: tensor {tensor!r} is in shards {owners[tensor]!r} and {shard!r} and not in the index")
            owners[tensor] = shard
    return owners
