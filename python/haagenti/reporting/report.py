"""What a conversion did: size and error of every tensor, totals, what was left out, as a table, JSON and HTML.

Not responsible for: measuring anything.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import msgspec

from haagenti.reporting.tables import decibels, dimensions, html_table, number, plain_table, printable, size
from haagenti.reporting.tensor_row import TensorError, TensorRow
from haagenti.sources.base import PLAIN, SideFile

HEADER = ("tensor", "shape", "dtype", "encoding", "b/w", "bytes", "was", "SNR dB", "note")
RIGHT = (False, True, False, False, True, True, True, True, False)


class ReportRow(TensorRow, frozen=True):
    """One tensor of a conversion.

    Attributes:
        fallback: why it is not stored as planned; "" when it is.
    """

    fallback: str = ""


class Report(msgspec.Struct):
    """A conversion.

    Attributes:
        source, destination, preset, rules: what was asked for.
        rows: one a tensor, in the order of the source.
        source_bytes: of the tensors in their own dtypes.
        stored_bytes: of the weight files written, headers and padding included.
        seconds: wall-clock time.
        left_out: files beside the weights that were not copied.
        unmatched_rules: rules that decided about no tensor.
        notes: what a user should know.
        key, revision: of the source, as given.
    """

    source: str
    destination: str
    preset: str
    rules: list[str]
    rows: list[ReportRow]
    source_bytes: int
    stored_bytes: int
    seconds: float
    left_out: list[SideFile] = []
    unmatched_rules: list[str] = []
    notes: list[str] = []
    key: str | None = None
    revision: str | None = None

    @property
    def n_elements(self) -> int:
        """Stored elements, tied ones once."""
        return sum(row.n_elements for row in self.rows if row.alias_of is None)

    @property
    def bits_per_weight(self) -> float:
        """Bits per element over the whole output, headers included."""
        return 8 * self.stored_bytes / self.n_elements if self.n_elements else 0.0

    @property
    def linear_bits_per_weight(self) -> float | None:
        """The same over the linear weights alone, their records counted whole; None when there are none."""
        return bits_per_weight([row for row in self.rows if row.role == "linear"])

    @property
    def ratio(self) -> float:
        """Bytes written over bytes in the checkpoint's own dtypes."""
        return self.stored_bytes / self.source_bytes if self.source_bytes else 1.0

    @property
    def encodings(self) -> dict[str, int]:
        """Number of tensors by encoding, without the plain ones."""
        return dict(Counter(row.encoding for row in self.rows if row.encoding != PLAIN and row.alias_of is None))

    @property
    def snr_db(self) -> float | None:
        """Over all lossy tensors together; None when there are none."""
        return overall_snr_db([row.error for row in self.rows if row.error is not None and row.alias_of is None])

    def to_json(self) -> str:
        """Everything as JSON. An infinite SNR is null there."""
        totals = {
            "n_elements": self.n_elements,
            "bits_per_weight": self.bits_per_weight,
            "linear_bits_per_weight": self.linear_bits_per_weight,
            "ratio": self.ratio,
            "snr_db": self.snr_db,
        }
        rows = [msgspec.to_builtins(row) | {"bits_per_weight": row.bits_per_weight, "snr_db": row.snr_db} for row in self.rows]
        content = msgspec.to_builtins(self) | {"rows": rows, "totals": totals}
        return msgspec.json.format(msgspec.json.encode(content), indent=2).decode()

    def table(self) -> str:
        """One line a tensor, then the summary."""
        return "\n".join([plain_table(HEADER, [_cells(row) for row in self.rows], RIGHT), "", *self.summary()])

    def summary(self) -> list[str]:
        """Totals, rules without effect, files left out and notes, a line each."""
        linear = self.linear_bits_per_weight
        totals = f"{size(self.source_bytes)} -> {size(self.stored_bytes)} ({self.ratio:.1%}), {self.bits_per_weight:.3f} bits/weight"
        return [
            totals + (f", {linear:.3f} over the linear weights" if linear is not None else ""),
            *([f"SNR over the lossy tensors {decibels(self.snr_db)}"] if self.snr_db is not None else []),
            f"{len(self.rows)} tensors in {self.seconds:.1f} s",
            *(f"rule without effect: {rule}" for rule in self.unmatched_rules),
            *(f"left out: {printable(file.path)} ({size(file.n_bytes)}): {file.left_out}" for file in self.left_out),
            *(f"note: {note}" for note in self.notes),
        ]

    def _repr_html_(self) -> str:
        lines = "".join(f"<div>{line}</div>" for line in _escaped(self.summary()))
        return lines + html_table(HEADER, [_cells(row) for row in self.rows], RIGHT)


def bits_per_weight(rows: Sequence[ReportRow]) -> float | None:
    """Bits per element over some rows; None when they have no elements."""
    n_elements = sum(row.n_elements for row in rows if row.alias_of is None)
    return 8 * sum(row.n_bytes for row in rows) / n_elements if n_elements else None


def overall_snr_db(errors: Sequence[TensorError]) -> float | None:
    """The SNR of several tensors taken together; None for no tensors."""
    if not errors:
        return None
    signal, error = sum(e.signal_energy for e in errors), sum(e.error_energy for e in errors)
    return 10 * math.log10(signal / error) if error > 0 and signal > 0 else math.inf


def gain_note(gain: float | None) -> str:
    """What the measuring of transforms found; "" where nothing was measured."""
    return "" if gain is None else f"best transform measured: {gain:+.2f} dB"


def _cells(row: ReportRow) -> list[str]:
    note = f"tied to {row.alias_of}" if row.alias_of else row.fallback or gain_note(row.transform_gain)
    sizes = [number(row.bits_per_weight), str(row.n_bytes), str(row.source_bytes)]
    return [row.name, dimensions(row.shape), row.dtype, row.encoding, *sizes, number(row.snr_db), note]


def _escaped(lines: Sequence[str]) -> list[str]:
    import html

    return [html.escape(line) for line in lines]
