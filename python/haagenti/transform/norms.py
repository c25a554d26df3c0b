"""The norms of scipy.fft, as factors before or after the orthonormal transform.

Not responsible for the transform.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from haagenti.errors import InvalidArgumentError

NORMS = ("ortho", "backward", "forward")
_INVERSE = {"ortho": "ortho", "backward": "forward", "forward": "backward"}


def norm_argument(norm: Any) -> str:
    """``norm`` by its name; None is ``"backward"``, as in scipy.

    Raises:
        InvalidArgumentError: Another word.
    """
    if norm is None:
        return "backward"
    if not isinstance(norm, str) or norm not in NORMS:
        raise InvalidArgumentError(f"norm: expected one of {', '.join(NORMS)} or None, found {norm!r}")
    return norm


def inverse_norm(norm: str) -> str:
    """The norm of the transform that undoes one of this norm."""
    return _INVERSE[norm]


def scale(array: np.ndarray, dct_type: int, norm: str, axes: tuple[int, ...]) -> None:
    """Multiplies in place by the factors of a norm: after an orthonormal DCT-II, or before an orthonormal DCT-III.

    scipy.fft's DCT-II of norm "backward" is 2 sum_j x[j] cos(pi k (2j + 1) / (2n)): the orthonormal one times sqrt(4n) for k = 0 and
    sqrt(2n) otherwise. Its DCT-III is x[0] + 2 sum_k x[k] cos(...): the orthonormal one of x times sqrt(n) for k = 0, sqrt(2n) otherwise.
    "forward" divides both by 2n.

    Args:
        array: float32 or float64.
        dct_type: 2 or 3.
        norm: ``"backward"`` or ``"forward"``.
        axes: Counted from the first one.
    """
    for axis in axes:
        n = array.shape[axis]
        factors = np.full(n, np.sqrt(2.0 * n))
        factors[0] = np.sqrt((4.0 if dct_type == 2 else 1.0) * n)
        if norm == "forward":
            factors /= 2.0 * n
        with np.errstate(all="ignore"):
            array *= factors.astype(array.dtype).reshape(-1, *[1] * (array.ndim - 1 - axis))
