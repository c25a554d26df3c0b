"""Two tensors of the same kind compared piece by piece, in little memory.

Not responsible for: reading them, figures of merit (`haagenti.quality`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from haagenti import dtypes

PIECE = 2**18  # elements at a time: 2 MiB in double precision


class Difference(NamedTuple):
    """Sums over the elements x of the original and y of the other, in the order in which a record states them.

    Attributes:
        signal_energy: sum of x * x.
        error_energy: sum of (y - x) ** 2.
        dot: sum of x * y.
        max_abs: largest abs(x).
        max_abs_error: largest abs(y - x).
    """

    signal_energy: float
    error_energy: float
    dot: float
    max_abs: float
    max_abs_error: float


def first_unequal_byte(a: memoryview, b: memoryview) -> int | None:
    """Where two runs of bytes differ first; None when they are equal."""
    if len(a) != len(b):
        return min(len(a), len(b))
    for start, x, y in _pieces(np.frombuffer(a, np.uint8), np.frombuffer(b, np.uint8)):
        unequal = x != y
        if unequal.any():
            return start + int(np.argmax(unequal))
    return None


def difference(original: memoryview, other: memoryview, dtype: str) -> Difference:
    """Compares values in double precision.

    Args:
        original: bytes of a tensor.
        other: bytes of another of the same size.
        dtype: of both, as safetensors spells it.
    """
    kind = dtypes.to_numpy(dtype)
    sums, largest = np.zeros(3), np.zeros(2)
    for _, x, y in _pieces(np.frombuffer(original, kind), np.frombuffer(other, kind)):
        x, y = x.astype(np.float64), y.astype(np.float64)
        error = y - x
        sums += (np.square(x).sum(), np.square(error).sum(), (x * y).sum())  # not x @ x: BLAS would start threads for this little
        np.maximum(largest, (np.abs(x).max(), np.abs(error).max()), out=largest)
    return Difference(*sums.tolist(), *largest.tolist())


def _pieces(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    for start in range(0, a.size, PIECE):
        yield start, a[start : start + PIECE], b[start : start + PIECE]
