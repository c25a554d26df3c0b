"""Converting a checkpoint: tensor by tensor from a source through the encoder to a sink.

At any time one tensor's record and at most one decoded or reordered copy of a tensor are in memory.
Not responsible for: file formats (`haagenti.sources`, `haagenti.sinks`), choosing encodings (`haagenti.planning`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from haagenti.errors import Error, InvalidArgumentError
from haagenti.planning import Plan, PlanEntry
from haagenti.planning import plan as make_plan
from haagenti.planning.destination import untied
from haagenti.planning.plan_data import check_against
from haagenti.planning.rules import Rules
from haagenti.record import Record, encode_bytes
from haagenti.reporting.report import Report, ReportRow
from haagenti.reporting.tensor_row import TensorError
from haagenti.sinks import Sink, open_sink
from haagenti.sinks.model_files import write_model_files
from haagenti.sources import Source, open_source
from haagenti.sources.base import PLAIN

Progress = Callable[[int, int, str], None]
StrPath = str | os.PathLike[str]
DEFAULT_PRESET = "int4"


class QualityGateError(Error):
    """A lossy tensor's signal-to-noise ratio is below the bound that was asked for; nothing was written."""


def convert(
    src: StrPath,
    dst: StrPath,
    plan: Plan | None = None,
    *,
    preset: str | None = None,
    rules: Rules | None = None,
    key: str | None = None,
    revision: str | None = None,
    min_snr: float | None = None,
    force: bool = False,
    max_shard_bytes: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Converts a checkpoint. The output appears under its name when it is complete; a failed or interrupted run leaves nothing.

    Args:
        src: model directory, ``.safetensors``, ``.hct``, ``.bin``, ``.pt``, ``.pth`` or ``.th`` file, or ``org/name`` on the
            HuggingFace hub.
        dst: ``NAME.hct``, ``NAME.safetensors``, or a directory for a model.
        plan: what `haagenti.plan` returned, perhaps edited; instead of `preset` and `rules`.
        preset: ``"lossless"``, ``"int8"``, ``"int4"``, ``"spectral"``, or ``"dense"`` (decodes everything back to ordinary tensors);
            ``"int4"`` without a plan.
        rules: ``{regex: encoding}`` or a sequence of rules; the first that matches a tensor's whole name decides.
        key: for pickled checkpoints, the dotted name of the part of the tree that holds the tensors.
        revision: for the hub, a branch, tag or commit.
        min_snr: dB; a lossy tensor below it ends the conversion.
        force: whether an output that exists may be replaced; it stays until the new one is complete.
        max_shard_bytes: a new shard begins when the data of one would exceed this (5 GB).
        progress: called with (bytes done, bytes in all, tensor name) after every tensor.

    Returns:
        Size, error and encoding of every tensor.

    Raises:
        QualityGateError: a tensor is below `min_snr`.
        InvalidArgumentError: an argument, a rule or the plan is wrong.
        IoError: `src` is not there, or `dst` is and may not be replaced.
        CorruptError, TruncatedError, UnsupportedError: the source cannot be read.

    Example:
        >>> import os, tempfile, numpy as np, haagenti.numpy
        >>> folder = tempfile.mkdtemp()
        >>> source = os.path.join(folder, "a.safetensors")
        >>> weight = np.random.default_rng(0).standard_normal((64, 256), np.float32)
        >>> haagenti.numpy.save_file({"up.weight": weight, "up.bias": weight[0]}, source, encoding="plain")
        >>> report = convert(source, os.path.join(folder, "a.hct"), preset="int4")
        >>> [(row.name, row.encoding) for row in report.rows]
        [('up.bias', 'raw(codec="none")'), ('up.weight', 'int4(group_size=32)')]
        >>> report.rows[1].snr_db > 20
        True
    """
    started = time.perf_counter()
    for name, value in (("preset", preset), ("rules", rules)):
        if plan is not None and value is not None:
            raise InvalidArgumentError(f"{name}: a plan is given, which has its {name} in it already; give either")
    with open_source(src, key=key, revision=revision) as source:
        plan = plan or make_plan(source, preset=preset or DEFAULT_PRESET, rules=rules)
        check_against(plan, source.tensors())
        plan = untied(plan, dst, source.config())
        sink = open_sink(dst, source, plan, force=force, max_shard_bytes=max_shard_bytes)
        try:
            rows = _Transfer(source, sink, plan, min_snr, progress).run()
            sink.close()
            report = _report(source, sink, plan, rows)
            report.key, report.revision = key, revision
            write_model_files(source, sink, report, plan)
            sink.finish()
        except BaseException:
            sink.abort()
            raise
    report.stored_bytes = sink.stored_bytes
    report.seconds = time.perf_counter() - started
    return report


def _report(source: Source, sink: Sink, plan: Plan, rows: list[ReportRow]) -> Report:
    left_out = [file for file in source.side_files() if file.left_out or sink.directory is None]
    left_out = [file if file.left_out else type(file)(file.path, file.n_bytes, "the output is a single file") for file in left_out]
    return Report(
        source=source.label,
        destination=str(sink.path),
        preset=plan.preset,
        rules=list(plan.rules),
        rows=rows,
        source_bytes=plan.source_bytes,
        stored_bytes=sink.stored_bytes,
        seconds=0.0,
        left_out=left_out,
        unmatched_rules=list(plan.unmatched_rules),
        notes=list(plan.notes),
    )


@dataclass
class _Transfer:
    """Moves every tensor of a plan from the source to the sink."""

    source: Source
    sink: Sink
    plan: Plan
    min_snr: float | None
    progress: Progress | None

    def run(self) -> list[ReportRow]:
        aliases: dict[str, list[str]] = {}
        for entry in self.plan.entries:
            if entry.alias_of is not None:
                aliases.setdefault(entry.alias_of, []).append(entry.name)
        rows: dict[str, ReportRow] = {}
        done, total = 0, self.plan.source_bytes
        for entry in self.plan.entries:
            if entry.alias_of is not None:
                continue
            rows[entry.name] = self._store(entry)
            for alias in aliases.get(entry.name, []):
                self.sink.append_alias(alias, entry.name)
            done += entry.n_bytes
            if self.progress is not None:
                self.progress(done, total, entry.name)
        return [rows[entry.name] if entry.alias_of is None else _alias_row(entry, rows[entry.alias_of]) for entry in self.plan.entries]

    def _store(self, entry: PlanEntry) -> ReportRow:
        if entry.encoding == PLAIN:
            return self._store_plain(entry, "")
        record = encode_bytes(self.source.read(entry.name), entry.dtype, entry.shape, entry.encoding, matrix=entry.matrix, name=entry.name)
        fallback = record.fallback or ""
        refusal = self.sink.refusal(entry, record.n_bytes)
        if refusal:
            return self._store_plain(entry, "; ".join(filter(None, (fallback, refusal))))
        row = _row(entry, record.encoding, record.n_bytes, tensor_error(record), fallback, record.transform_gain)
        self._check_quality(row)
        self.sink.append_record(entry, record)
        return row

    def _store_plain(self, entry: PlanEntry, fallback: str) -> ReportRow:
        encoding, n_bytes = self.sink.append_plain(entry, lambda: self.source.read(entry.name))
        return _row(entry, encoding, n_bytes, None, fallback)

    def _check_quality(self, row: ReportRow) -> None:
        if self.min_snr is not None and row.error is not None and not row.error.snr_db >= self.min_snr:
            expected, found = f"an SNR of at least {self.min_snr:g} dB", f"{row.error.snr_db:.2f} dB with {row.encoding}"
            raise QualityGateError(f"tensor {row.name!r}: expected {expected}, found {found}; nothing was written")


def tensor_error(record: Record) -> TensorError | None:
    """The error that a lossy record states."""
    quality = record.error
    if quality is None:
        return None
    signal_energy, error_energy, *_ = record.view.error
    return TensorError(quality.snr_db, quality.relative_frobenius, quality.cosine, quality.max_abs_error, signal_energy, error_energy)


def _row(
    entry: PlanEntry, encoding: str, n_bytes: int, error: TensorError | None, fallback: str, transform_gain: float | None = None
) -> ReportRow:
    return ReportRow(
        name=entry.name,
        dtype=entry.dtype,
        shape=entry.shape,
        role=entry.role,
        encoding=encoding,
        n_bytes=n_bytes,
        source_bytes=entry.n_bytes,
        error=error,
        transform_gain=transform_gain,
        fallback=fallback,
    )


def _alias_row(entry: PlanEntry, target: ReportRow) -> ReportRow:
    return ReportRow(entry.name, entry.dtype, entry.shape, entry.role, target.encoding, 0, 0, target.error, alias_of=target.name)
