"""A model directory as output: ordinary safetensors shards, their index, and room for config, tokenizer and model card.

Not responsible for: the shards (`haagenti.sinks.sharded`), the content of the files beside them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from haagenti.planning.plan_data import PlanEntry
from haagenti.record import Record
from haagenti.sinks.base import Read, Sink, refuse_small_or_flat
from haagenti.sinks.sharded import ShardedWriter
from haagenti.sinks.staging import StagedDirectory
from haagenti.sources.base import PLAIN

MAX_SHARD_BYTES = 5 * 10**9  # of the shards on the HuggingFace hub most are of this size


class HfDirectorySink(Sink):
    """A directory that appears when it is complete.

    Args:
        path: the directory.
        entries: every tensor, in the order of the appends.
        metadata: the source's own; ``format`` is added when missing, since transformers asks for it.
        stem: name of the weight files without extension.
        force: whether a model directory at `path` may be replaced.
        max_shard_bytes: a new shard begins when the data of one would exceed this.
        known: files, relative to `path`, that may be replaced besides the usual ones of a model.

    Raises:
        IoError: something is at `path` that may not be replaced.
    """

    def __init__(
        self,
        path: Path,
        entries: Sequence[PlanEntry],
        metadata: Mapping[str, str],
        stem: str = "model",
        force: bool = False,
        max_shard_bytes: int | None = None,
        known: Collection[str] = (),
    ) -> None:
        self._staged = StagedDirectory(path, force, known)
        self.path, self.directory = path, self._staged.partial
        self._writer = ShardedWriter(self.directory, stem, entries, {"format": "pt", **metadata}, max_shard_bytes or MAX_SHARD_BYTES)

    def refusal(self, entry: PlanEntry, record_bytes: int) -> str:
        return refuse_small_or_flat(entry, record_bytes)

    def append_record(self, entry: PlanEntry, record: Record) -> None:
        self._writer.append_record(entry, record)

    def append_plain(self, entry: PlanEntry, read: Read) -> tuple[str, int]:
        self._writer.append_plain(entry, read)
        return PLAIN, entry.n_bytes

    def append_alias(self, alias: str, target: str) -> None:
        self._writer.add_alias(alias, target)

    def close(self) -> None:
        self.stored_bytes = self._writer.finish()

    def finish(self) -> None:
        self._staged.commit()

    def abort(self) -> None:
        self._writer.abort()
        self._staged.abort()
