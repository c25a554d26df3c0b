"""A single ``.safetensors`` file as output.

Not responsible for: the shard's content (`haagenti.sinks.shard_writer`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from haagenti.planning.plan_data import PlanEntry
from haagenti.record import Record
from haagenti.sinks.base import Read, Sink, refuse_small_or_flat
from haagenti.sinks.shard_writer import ShardWriter
from haagenti.sources.base import PLAIN


class SafetensorsFileSink(Sink):
    """One file that appears when it is complete.

    Args:
        path, entries, metadata, force: see `haagenti.sinks.hf_directory.HfDirectorySink`.

    Raises:
        IoError: the file exists and `force` is not given.
    """

    def __init__(self, path: Path, entries: Sequence[PlanEntry], metadata: Mapping[str, str], force: bool = False) -> None:
        self.path = path
        self._shard = ShardWriter(path, entries, {"format": "pt", **metadata}, overwrite=force)

    def refusal(self, entry: PlanEntry, record_bytes: int) -> str:
        return refuse_small_or_flat(entry, record_bytes)

    def append_record(self, entry: PlanEntry, record: Record) -> None:
        self._shard.append_record(entry, record)

    def append_plain(self, entry: PlanEntry, read: Read) -> tuple[str, int]:
        self._shard.append_plain(entry, read)
        return PLAIN, entry.n_bytes

    def append_alias(self, alias: str, target: str) -> None:
        self._shard.add_alias(alias, target)

    def finish(self) -> None:
        self._shard.finish()
        self.stored_bytes = self.path.stat().st_size

    def abort(self) -> None:
        self._shard.abort()
