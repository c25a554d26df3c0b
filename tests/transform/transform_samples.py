"""The definition of the cosine transforms in double precision, and inputs that several tests share.

Not responsible for norms other than the orthonormal one.
"""

from __future__ import annotations

from functools import lru_cache

import ml_dtypes
import numpy as np

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = (np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.float16), BFLOAT16)
# Relative l2 error of a result of log2 n stages is below this times sqrt(log2 n); half types: their own rounding, half a unit.
UNIT = {DTYPES[0]: 1e-6, DTYPES[1]: 2e-15, DTYPES[2]: 2.0**-11, BFLOAT16: 2.0**-8}


def random(shape: tuple[int, ...] | int, dtype: np.dtype | type = np.float32, seed: int = 0) -> np.ndarray:
    """Standard normal numbers."""
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def bits(array: np.ndarray) -> np.ndarray:
    """The array's elements as integers: NaN and signed zeros compare too."""
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}")


@lru_cache(maxsize=8)
def cosine_rows(n: int, indices: tuple[int, ...]) -> np.ndarray:
    """Rows of the matrix C of the DCT-II: s(k) cos(pi k (2j + 1) / (2n)), its arguments reduced as integers."""
    k = np.array(indices, np.int64)[:, None]
    angles = k * (2 * np.arange(n, dtype=np.int64) + 1) % (4 * n)
    return np.cos(np.pi * angles / (2.0 * n)) * np.sqrt(np.where(k == 0, 1.0, 2.0) / n)


def cosine_matrix(n: int) -> np.ndarray:
    """C of n x n: y = C x, and x = C^T y."""
    return cosine_rows(n, tuple(range(n)))


def defined(x: np.ndarray, dct_type: int, axes: tuple[int, ...]) -> np.ndarray:
    """The orthonormal transform along axes by its definition, as float64."""
    y = x.astype(np.float64)
    for axis in axes:
        matrix = cosine_matrix(y.shape[axis])
        y = np.moveaxis(np.tensordot(matrix if dct_type == 2 else matrix.T, y, (1, axis)), 0, axis)
    return y


def relative_error(found: np.ndarray, expected: np.ndarray) -> float:
    """l2 norm of the difference over that of what is expected."""
    norm = float(np.linalg.norm(expected))
    difference = float(np.linalg.norm(found.astype(np.float64) - expected))
    return difference / norm if norm else difference


def bound(n: int, dtype: np.dtype | type = np.float32) -> float:
    """Largest relative error of a transform of n elements."""
    return UNIT[np.dtype(dtype)] * np.sqrt(max(1.0, np.log2(n)))
