"""One safetensors shard: records straight to the file, plain tensors after them.

A record must start at a multiple of 64 and an element at a multiple of its size, while the format allows no holes. So plain tensors wait
until the shard ends and are read from the source then, wide elements first; without records the widest ones need not wait.
Not responsible for: the file's header (`haagenti.files.safetensors_writer`), how many shards there are (`haagenti.sinks.sharded`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from haagenti import dtypes
from haagenti.files.safetensors_file import SafetensorsWriter, TensorSpec, header_size
from haagenti.planning.plan_data import PlanEntry
from haagenti.record import Record
from haagenti.sinks.base import Read
from haagenti.sources.base import PLAIN


class ShardWriter:
    """Writes one shard.

    Args:
        path: where it appears after `finish`.
        entries: every tensor that it may get, aliases included; the header's space is reserved for them.
        metadata: text for ``__metadata__``.
        overwrite: whether a file of that name may be replaced.

    Attributes:
        n_bytes: data appended so far, waiting plain tensors included.
        names: tensors appended so far.
    """

    def __init__(self, path: Path, entries: Sequence[PlanEntry], metadata: Mapping[str, str], overwrite: bool = False) -> None:
        aliases = {entry.name: entry.alias_of for entry in entries if entry.alias_of is not None}
        specs = [_spec(entry) for entry in entries if entry.alias_of is None]
        self._writer = SafetensorsWriter(
            path, header_size=header_size(specs, metadata, aliases), metadata=metadata or None, overwrite=overwrite
        )
        widths = [dtypes.bits(spec.dtype) for spec in specs]
        self._widest = max(widths, default=0) if all(spec.encoding is None for spec in specs) else 0
        self._waiting: list[tuple[PlanEntry, Read]] = []
        self._aliases: list[tuple[str, str]] = []
        self.path = path
        self.n_bytes = 0
        self.names: list[str] = []

    def append_record(self, entry: PlanEntry, record: Record) -> None:
        self._writer.append_record(entry.name, record.data, dtype=entry.dtype, shape=entry.shape, encoding=record.encoding)
        self._count(entry.name, record.n_bytes)

    def append_plain(self, entry: PlanEntry, read: Read) -> None:
        if dtypes.bits(entry.dtype) == self._widest:
            self._write(entry, read)
        else:
            self._waiting.append((entry, read))
        self._count(entry.name, entry.n_bytes)

    def add_alias(self, alias: str, target: str) -> None:
        self._aliases.append((alias, target))

    def finish(self) -> None:
        """Writes the waiting tensors and the header.

        Raises:
            OSError, Error: reading or writing failed; the file has not appeared.
        """
        for entry, read in sorted(self._waiting, key=lambda item: -dtypes.bits(item[0].dtype)):
            self._write(entry, read)
        for alias, target in self._aliases:
            self._writer.add_alias(alias, target)
        self._writer.finish()

    def abort(self) -> None:
        self._writer.abort()

    def _write(self, entry: PlanEntry, read: Read) -> None:
        self._writer.append(entry.name, read(), dtype=entry.dtype, shape=entry.shape)

    def _count(self, name: str, n_bytes: int) -> None:
        self.names.append(name)
        self.n_bytes += n_bytes


def _spec(entry: PlanEntry) -> TensorSpec:
    return TensorSpec(entry.name, entry.dtype, entry.shape, None if entry.encoding == PLAIN else entry.encoding)
