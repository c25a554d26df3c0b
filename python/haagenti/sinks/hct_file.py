"""An ``.hct`` file as output: every tensor is a record.

Not responsible for: the container's format (``cpp/src/container/spec.md``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from haagenti import _core
from haagenti.planning.plan_data import PlanEntry
from haagenti.record import Record, encode_bytes
from haagenti.sinks.base import Read, Sink

PLAIN_RECORD = 'raw(codec="none")'  # bytes as they are, with a checksum


class HctFileSink(Sink):
    """One file that appears when it is complete.

    Args:
        path: the file.
        metadata: text by name.
        force: whether a file of that name may be replaced.

    Raises:
        IoError: the file exists and `force` is not given.
    """

    def __init__(self, path: Path, metadata: Mapping[str, str], force: bool = False) -> None:
        self.path = path
        self._writer = _core.HctWriter(str(path), dict(metadata), force)

    def append_record(self, entry: PlanEntry, record: Record) -> None:
        self._writer.append(entry.name, record.data)

    def append_plain(self, entry: PlanEntry, read: Read) -> tuple[str, int]:
        record = encode_bytes(read(), entry.dtype, entry.shape, PLAIN_RECORD, name=entry.name)
        self.append_record(entry, record)
        return PLAIN_RECORD, record.n_bytes

    def append_alias(self, alias: str, target: str) -> None:
        self._writer.alias(alias, target)

    def finish(self) -> None:
        self._writer.finish()
        self.stored_bytes = self.path.stat().st_size

    def abort(self) -> None:
        self._writer.abort()
