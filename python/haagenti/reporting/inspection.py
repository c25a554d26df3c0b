"""What is stored: encoding, size and stated error of every tensor, from headers alone.

Not responsible for: checking the content (`haagenti.reporting.verification`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import msgspec

from haagenti.conversion import tensor_error
from haagenti.planning.roles import role_of
from haagenti.reporting.report import overall_snr_db
from haagenti.reporting.tables import decibels, dimensions, html_table, number, plain_table, size
from haagenti.reporting.tensor_row import TensorRow
from haagenti.sources import Source, SourceTensor, open_source

HEADER = ("tensor", "shape", "dtype", "encoding", "b/w", "bytes", "SNR dB")
RIGHT = (False, True, False, False, True, True, True)
GAIN = "gain dB"  # a column of its own where a transform was chosen by measuring


class Totals(msgspec.Struct, frozen=True):
    """Over all tensors, tied ones once.

    Attributes:
        n_tensors: names, aliases included.
        n_elements: stored elements.
        source_bytes: decoded, in the tensors' own dtypes.
        stored_bytes: of the weight files, headers included.
        bits_per_weight: of the files.
        linear_bits_per_weight: of the linear weights alone; None when there are none.
        snr_db: over all lossy tensors together; None when there are none.
        encodings: number of tensors by encoding.
    """

    n_tensors: int
    n_elements: int
    source_bytes: int
    stored_bytes: int
    bits_per_weight: float
    linear_bits_per_weight: float | None
    snr_db: float | None
    encodings: dict[str, int]


class Inspection(msgspec.Struct, frozen=True):
    """What `inspect` returns."""

    path: str
    metadata: dict[str, str]
    rows: list[TensorRow]
    totals: Totals

    def to_json(self) -> str:
        """Everything as JSON. An infinite SNR is null there."""
        rows = [msgspec.to_builtins(row) | {"bits_per_weight": row.bits_per_weight, "snr_db": row.snr_db} for row in self.rows]
        return msgspec.json.format(msgspec.json.encode(msgspec.to_builtins(self) | {"rows": rows}), indent=2).decode()

    def table(self) -> str:
        """One line a tensor, then the totals."""
        return "\n".join([plain_table(*self._columns()), "", *self.summary()])

    def summary(self) -> list[str]:
        """The totals as lines of text."""
        t = self.totals
        linear = f", {t.linear_bits_per_weight:.3f} over the linear weights" if t.linear_bits_per_weight is not None else ""
        share = f" ({t.stored_bytes / t.source_bytes:.1%})" if t.source_bytes else ""
        lines = [
            f"{t.n_tensors} tensors, {t.n_elements} elements: {size(t.source_bytes)} -> {size(t.stored_bytes)}{share}",
            f"{t.bits_per_weight:.3f} bits/weight{linear}",
            "encodings: " + ", ".join(f"{name} {count}" for name, count in t.encodings.items()),
        ]
        return lines if t.snr_db is None else [*lines, f"SNR over the lossy tensors {decibels(t.snr_db)}"]

    def _repr_html_(self) -> str:
        return "".join(f"<div>{line}</div>" for line in self.summary()) + html_table(*self._columns())

    def _columns(self) -> tuple[tuple[str, ...], list[list[str]], tuple[bool, ...]]:
        """Titles, cells and their alignment; the gain of transforms where there is one."""
        if all(row.transform_gain is None for row in self.rows):
            return HEADER, [_cells(row) for row in self.rows], RIGHT
        return (*HEADER, GAIN), [[*_cells(row), number(row.transform_gain)] for row in self.rows], (*RIGHT, True)


def inspect(path: str | os.PathLike[str]) -> Inspection:
    """Lists what a model directory or a file of tensors holds. Reads headers only.

    Args:
        path: anything that `haagenti.convert` reads.

    Raises:
        InvalidArgumentError, IoError: nothing to open at `path`.
        CorruptError, TruncatedError, UnsupportedError: a header is not valid.

    Example:
        >>> import os, tempfile, numpy as np, haagenti.numpy
        >>> path = os.path.join(tempfile.mkdtemp(), "a.hct")
        >>> haagenti.numpy.save_file({"up.weight": np.ones((64, 256), np.float32)}, path, encoding="int8")
        >>> row = inspect(path).rows[0]
        >>> row.name, row.shape, row.dtype, row.encoding, row.n_bytes
        ('up.weight', (64, 256), 'F32', 'int8(group_size="row")', 16768)
    """
    with open_source(path) as source:
        rows = [_row(source, tensor) for tensor in source.tensors()]
        return Inspection(source.label, dict(source.metadata), rows, _totals(rows, source.stored_bytes))


def _row(source: Source, tensor: SourceTensor) -> TensorRow:
    record = source.record(tensor.name)
    tied = tensor.alias_of is not None
    return TensorRow(
        name=tensor.name,
        dtype=tensor.dtype,
        shape=tensor.shape,
        role=role_of(tensor),
        encoding=tensor.encoding,
        n_bytes=0 if tied else tensor.stored_bytes,
        source_bytes=0 if tied else tensor.n_bytes,
        error=None if record is None else tensor_error(record),
        alias_of=tensor.alias_of,
        transform_gain=None if record is None else record.transform_gain,
    )


def _totals(rows: Sequence[TensorRow], stored_bytes: int) -> Totals:
    stored = [row for row in rows if row.alias_of is None]
    n_elements = sum(row.n_elements for row in stored)
    encodings: dict[str, int] = {}
    for row in stored:
        encodings[row.encoding] = encodings.get(row.encoding, 0) + 1
    return Totals(
        n_tensors=len(rows),
        n_elements=n_elements,
        source_bytes=sum(row.source_bytes for row in stored),
        stored_bytes=stored_bytes,
        bits_per_weight=8 * stored_bytes / n_elements if n_elements else 0.0,
        linear_bits_per_weight=_bits_per_weight([row for row in stored if row.role == "linear"]),
        snr_db=overall_snr_db([row.error for row in stored if row.error is not None]),
        encodings=encodings,
    )


def _bits_per_weight(rows: Sequence[TensorRow]) -> float | None:
    n_elements = sum(row.n_elements for row in rows)
    return 8 * sum(row.n_bytes for row in rows) / n_elements if n_elements else None


def _cells(row: TensorRow) -> list[str]:
    encoding = f"tied to {row.alias_of}" if row.alias_of else row.encoding
    bits = number(row.bits_per_weight)
    return [row.name, dimensions(row.shape), row.dtype, encoding, bits, str(row.n_bytes), number(row.snr_db)]
