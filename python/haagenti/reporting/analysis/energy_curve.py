"""How much of the energy the largest coefficients hold.

Not responsible for: the transform that makes the coefficients.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

SHARES = tuple(tenths / 10 for tenths in range(1, 11))
"""Of the coefficients, the largest ones: where curves are taken."""

_NORMAL = NormalDist()


def energy_shares(coefficients: np.ndarray, shares: Sequence[float] = SHARES) -> list[float]:
    """Share of the sum of squares that the largest round(share * n) of n coefficients hold.

    Example:
        >>> energy_shares(np.array([0.0, 3.0, 1.0, 0.0]), [0.25, 0.5, 1.0])
        [0.9, 1.0, 1.0]
    """
    ordered = np.sort(np.abs(coefficients.reshape(-1)))[::-1]
    held = np.cumsum(np.square(ordered, dtype=np.float64))
    if not held.size or held[-1] == 0:
        return [1.0] * len(shares)
    counts = [min(held.size, round(share * held.size)) for share in shares]
    return [float(held[count - 1] / held[-1]) if count else 0.0 for count in counts]


def gaussian_share(share: float) -> float:
    """The same for many independent Gaussian values.

    With t such that P(abs(z) > t) is the share, it is E[z^2; abs(z) > t] = share + 2 t phi(t), phi the density.

    Example:
        >>> round(gaussian_share(0.3), 3)
        0.783
    """
    if share >= 1:
        return 1.0
    threshold = _NORMAL.inv_cdf(1 - share / 2)
    return share + 2 * threshold * math.exp(-threshold * threshold / 2) / math.sqrt(2 * math.pi)
