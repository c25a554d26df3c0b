"""One tensor of a report or an inspection: what it is, how it is stored, its error.

Not responsible for: measuring anything, laying rows out (`haagenti.reporting.tables`).
"""

from __future__ import annotations

import math

import msgspec

from haagenti.planning.plan_data import Role


class TensorError(msgspec.Struct, frozen=True):
    """The error of a lossy tensor, as its record states it.

    Attributes:
        snr_db: signal-to-noise ratio, infinite when nothing was lost.
        relative_frobenius: norm of the difference over norm of the original.
        cosine: between original and decoded values.
        max_abs_error: largest difference of an element.
        signal_energy, error_energy: sums of squares.
    """

    snr_db: float
    relative_frobenius: float
    cosine: float
    max_abs_error: float
    signal_energy: float
    error_energy: float


class TensorRow(msgspec.Struct, frozen=True):
    """What reports and inspections say of one tensor.

    Attributes:
        name, dtype, shape, role: the tensor.
        encoding: how it is stored; ``"plain"`` for bytes as they are.
        n_bytes: what it takes as it is stored, 0 for an alias.
        source_bytes: what it takes in its own dtype, 0 for an alias.
        error: None for lossless tensors.
        alias_of: the tensor it is tied to.
        transform_gain: decibels that the best transform measured gains over none at equal bits; None when none was measured.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    role: Role
    encoding: str
    n_bytes: int
    source_bytes: int
    error: TensorError | None = None
    alias_of: str | None = None
    transform_gain: float | None = None

    @property
    def n_elements(self) -> int:
        return math.prod(self.shape)

    @property
    def bits_per_weight(self) -> float:
        return 8 * self.n_bytes / self.n_elements if self.n_elements else 0.0

    @property
    def snr_db(self) -> float | None:
        return self.error.snr_db if self.error else None
