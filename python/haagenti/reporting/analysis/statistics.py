"""The distribution of a tensor's values: spread, tails, outliers.

Not responsible for: the order of the values (`coding_gain`, `energy_curve`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec
import numpy as np

OUTLIER_SIGMAS = 6.0
PIECE = 1 << 18  # elements taken to binary64 at a time


class Statistics(msgspec.Struct, frozen=True):
    """Moments of n values about their mean.

    Attributes:
        mean: of the values.
        std: sigma, the root of the mean square deviation.
        excess_kurtosis: fourth moment over sigma^4, less 3: 0 for a Gaussian, 3 for a Laplacian; None when sigma is 0.
        outlier_share: of values more than 6 sigma from the mean; 2e-9 for a Gaussian. None when sigma is 0.
        max_sigmas: the largest distance from the mean, in sigmas; None when sigma is 0.
        n_not_finite: NaN and infinities; when there are any the rest is None.
    """

    mean: float | None
    std: float | None
    excess_kurtosis: float | None
    outlier_share: float | None
    max_sigmas: float | None
    n_not_finite: int = 0


def statistics(values: np.ndarray) -> Statistics:
    """Of all values, in binary64 and two passes.

    Example:
        >>> s = statistics(np.array([1.0, -1.0, 1.0, -1.0]))
        >>> s.std, s.excess_kurtosis, s.max_sigmas
        (1.0, -2.0, 1.0)
    """
    flat = values.reshape(-1)
    n = flat.size
    n_not_finite = sum(piece.size - int(np.isfinite(piece).sum()) for piece in _pieces(flat))
    if n == 0 or n_not_finite:
        return Statistics(None, None, None, None, None, n_not_finite)
    mean = sum(float(piece.sum()) for piece in _pieces(flat)) / n
    largest = max(float(np.abs(piece - mean).max()) for piece in _pieces(flat))
    if largest <= abs(mean) * 1e-15:  # equal values, but for the rounding of their mean
        return Statistics(mean, 0.0, None, None, None)
    second = fourth = 0.0
    for piece in _pieces(flat):
        square = np.square((piece - mean) / largest)  # so that no power over- or underflows
        second += float(square.sum())
        fourth += float(np.square(square).sum())
    second, fourth = second / n, fourth / n
    sigma = math.sqrt(second) * largest
    n_outliers = sum(int(np.count_nonzero(np.abs(piece - mean) > OUTLIER_SIGMAS * sigma)) for piece in _pieces(flat))
    return Statistics(mean, sigma, fourth / second**2 - 3, n_outliers / n, largest / sigma)


def _pieces(flat: np.ndarray) -> Iterator[np.ndarray]:
    return (flat[start : start + PIECE].astype(np.float64) for start in range(0, flat.size, PIECE))
