"""Weights of a directory in one or several shards: when a new one begins, what they are called, and their index.

Not responsible for: one shard (`haagenti.sinks.shard_writer`), the files beside the weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from haagenti.planning.plan_data import PlanEntry
from haagenti.record import Record
from haagenti.sinks.base import Read
from haagenti.sinks.shard_writer import ShardWriter

SLACK = 1.25  # a shard's header has room for this much more than is expected to fit, since a lossless record's size is an estimate


class ShardedWriter:
    """Appends tensors to shards of at most `max_shard_bytes` (a larger tensor gets a shard of its own).

    Args:
        directory: where the shards are written.
        stem: ``"model"`` for ``model.safetensors`` and ``model-00001-of-00002.safetensors``.
        entries: every tensor, in the order of the appends.
        metadata: for every shard.
        max_shard_bytes: of data.
    """

    def __init__(self, directory: Path, stem: str, entries: Sequence[PlanEntry], metadata: Mapping[str, str], max_shard_bytes: int) -> None:
        self._directory, self._stem = directory, stem
        self._stored = [entry for entry in entries if entry.alias_of is None]
        self._aliases = [entry for entry in entries if entry.alias_of is not None]
        self._metadata, self._max = metadata, max_shard_bytes
        self._n_appended = 0
        self._last_of_shard = 0  # number of stored tensors for which the shard's header has room, counted from the first tensor
        self._shard: ShardWriter | None = None
        self._done: list[ShardWriter] = []

    def append_record(self, entry: PlanEntry, record: Record) -> None:
        self._shard_for(record.n_bytes).append_record(entry, record)
        self._n_appended += 1

    def append_plain(self, entry: PlanEntry, read: Read) -> None:
        self._shard_for(entry.n_bytes).append_plain(entry, read)
        self._n_appended += 1

    def add_alias(self, alias: str, target: str) -> None:
        assert self._shard is not None  # an alias follows its target
        self._shard.add_alias(alias, target)

    def finish(self) -> int:
        """Finishes the last shard, gives the shards their names and writes the index.

        Returns:
            Bytes of all shards, headers included.
        """
        if self._shard is None and not self._done:
            self._shard = self._open(0)  # a checkpoint without tensors is one empty file
        self._finish_shard()
        names = self._names()
        for shard, name in zip(self._done, names, strict=True):
            shard.path.rename(self._directory / name)
        if len(names) > 1:
            self._write_index(names)
        return sum((self._directory / name).stat().st_size for name in names)

    def abort(self) -> None:
        if self._shard is not None:
            self._shard.abort()

    def _shard_for(self, n_bytes: int) -> ShardWriter:
        shard = self._shard
        if shard is not None and (shard.n_bytes + n_bytes > self._max or self._n_appended >= self._last_of_shard):
            self._finish_shard()
        if self._shard is None:
            self._shard = self._open(self._n_appended)
        return self._shard

    def _open(self, first: int) -> ShardWriter:
        expected, last = 0, first
        while last < len(self._stored) and (last == first or expected < SLACK * self._max):
            expected += self._stored[last].expected_bytes
            last += 1
        self._last_of_shard = last
        stored = self._stored[first:last]
        names = {entry.name for entry in stored}
        aliases = [entry for entry in self._aliases if entry.alias_of in names]
        return ShardWriter(self._directory / f".{self._stem}-{len(self._done):05d}", [*stored, *aliases], self._metadata)

    def _finish_shard(self) -> None:
        if self._shard is not None:
            self._shard.finish()
            self._done.append(self._shard)
            self._shard = None

    def _names(self) -> list[str]:
        n = len(self._done)
        return [f"{self._stem}.safetensors"] if n == 1 else [f"{self._stem}-{i:05d}-of-{n:05d}.safetensors" for i in range(1, n + 1)]

    def _write_index(self, names: Sequence[str]) -> None:
        weight_map = {tensor: name for shard, name in zip(self._done, names, strict=True) for tensor in shard.names}
        metadata = {
            "total_parameters": sum(entry.n_elements for entry in self._stored),
            "total_size": sum(shard.n_bytes for shard in self._done),
        }
        index = {"metadata": metadata, "weight_map": dict(sorted(weight_map.items()))}
        file = self._directory / f"{self._stem}.safetensors.index.json"
        file.write_bytes(msgspec.json.format(msgspec.json.encode(index), indent=2) + b"\n")
