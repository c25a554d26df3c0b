"""Discrete cosine transforms of types 2 and 3 along axes.

Formulas: N. Ahmed, T. Natarajan, K. R. Rao, "Discrete Cosine Transform", IEEE Trans. Computers C-23 (1974), with the scaling that makes
the matrix orthogonal. For n elements, s(0) = sqrt(1 / n) and s(k) = sqrt(2 / n) otherwise:

    type 2   y[k] = s(k) sum_j x[j] cos(pi k (2j + 1) / (2n))
    type 3   y[j] = sum_k s(k) x[k] cos(pi k (2j + 1) / (2n))          the inverse of type 2

Not responsible for how the sums are made quick (the core), nor for tiles (`haagenti.transform.tiles`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from haagenti.errors import InvalidArgumentError
from haagenti.transform.axes import axes_argument, axis_argument
from haagenti.transform.norms import inverse_norm, norm_argument
from haagenti.transform.steps import transform_axes

_INVERSE = {2: 3, 3: 2}


def dct(x: Any, type: int = 2, axis: int = -1, norm: str | None = "ortho", out: Any = None) -> Any:
    """Discrete cosine transform along one axis.

    As ``scipy.fft.dct``, but for the default norm, and float16 and bfloat16 keep their type (they are computed in float32 and rounded
    once). The same bits for every number of threads and instruction set.

    Args:
        x: (..., n, ...) array of float16, bfloat16, float32 or float64, or a torch CPU tensor of them; integers become float64.
            Any strides. NaN and infinity spread over their line along the axis, no further.
        type: 2, or 3.
        axis: The one to transform; negative ones count from the last.
        norm: ``"ortho"``: type 3 inverts type 2. ``"backward"`` (or None) and ``"forward"``: the scaling of ``scipy.fft``.
        out: Array or tensor of x's shape and of the result's dtype to write to; it may be x itself, a strided view, or overlap x. After an
            exception, KeyboardInterrupt too, its contents are undefined.

    Returns:
        ``out``, or a new C-contiguous array (a torch tensor if x is one) of x's shape and dtype.

    Raises:
        InvalidArgumentError: A type, norm, axis, dtype or ``out`` that does not fit; no elements along the axis; a tensor that requires a
            gradient while gradients are recorded.
        UnsupportedError: A tensor that is not on the CPU.

    Example:
        >>> import numpy as np
        >>> dct(np.array([1.0, 2.0, 3.0, 5.0])).round(4).tolist()
        [5.5, -2.8837, 0.5, -0.4291]
    """
    return transform_axes(x, _checked_type(type), axis_argument(axis), norm_argument(norm), out)


def idct(x: Any, type: int = 2, axis: int = -1, norm: str | None = "ortho", out: Any = None) -> Any:
    """Inverse of ``dct`` of the same type and norm, along one axis.

    As ``scipy.fft.idct``, but for the default norm and the types of floats.

    Args:
        x: (..., n, ...) array or torch CPU tensor, as for ``dct``.
        type: 2 (computes type 3), or 3 (computes type 2).
        axis: The one to transform.
        norm: As for ``dct``: the same word undoes it.
        out: As for ``dct``.

    Returns:
        ``out``, or a new C-contiguous array (a torch tensor if x is one) of x's shape and dtype.

    Raises:
        InvalidArgumentError: As for ``dct``.
        UnsupportedError: As for ``dct``.

    Example:
        >>> import numpy as np
        >>> idct(dct(np.array([1.0, 2.0, 3.0]))).round(4).tolist()
        [1.0, 2.0, 3.0]
    """
    return transform_axes(x, _INVERSE[_checked_type(type)], axis_argument(axis), inverse_norm(norm_argument(norm)), out)


def dctn(x: Any, type: int = 2, axes: int | Sequence[int] | None = None, norm: str | None = "ortho", out: Any = None) -> Any:
    """Discrete cosine transform along several axes, one after the other.

    As ``scipy.fft.dctn``, but for the default norm and the types of floats. The order of ``axes`` does not matter.

    Args:
        x: Array or torch CPU tensor of one or more axes, as for ``dct``.
        type: 2, or 3.
        axes: Those to transform; None: all.
        norm: As for ``dct``, along each axis.
        out: As for ``dct``.

    Returns:
        ``out``, or a new C-contiguous array (a torch tensor if x is one) of x's shape and dtype.

    Raises:
        InvalidArgumentError: As for ``dct``; also an axis named twice.
        UnsupportedError: As for ``dct``.

    Example:
        >>> import numpy as np
        >>> dctn(np.arange(1.0, 17.0).reshape(4, 4))[0, 0].round(4).item()
        34.0
    """
    return transform_axes(x, _checked_type(type), axes_argument(axes), norm_argument(norm), out)


def idctn(x: Any, type: int = 2, axes: int | Sequence[int] | None = None, norm: str | None = "ortho", out: Any = None) -> Any:
    """Inverse of ``dctn`` of the same type, axes and norm.

    As ``scipy.fft.idctn``, but for the default norm and the types of floats.

    Args:
        x: Array or torch CPU tensor of one or more axes, as for ``dct``.
        type: 2 (computes type 3), or 3 (computes type 2).
        axes: Those to transform; None: all.
        norm: As for ``dct``: the same word undoes it.
        out: As for ``dct``.

    Returns:
        ``out``, or a new C-contiguous array (a torch tensor if x is one) of x's shape and dtype.

    Raises:
        InvalidArgumentError: As for ``dctn``.
        UnsupportedError: As for ``dct``.

    Example:
        >>> idctn(dctn([[1.0, 2.0], [3.0, 4.0]], axes=(0, 1)), axes=(0, 1)).round(4).tolist()
        [[1.0, 2.0], [3.0, 4.0]]
    """
    return transform_axes(x, _INVERSE[_checked_type(type)], axes_argument(axes), inverse_norm(norm_argument(norm)), out)


def dct_1d(x: Any, axis: int = -1) -> Any:
    """Orthonormal DCT-II along one axis: ``dct`` with its defaults.

    Args:
        x: (..., n, ...) array or torch CPU tensor, as for ``dct``.
        axis: The one to transform.

    Returns:
        A new C-contiguous array (a torch tensor if x is one) of x's shape and dtype.

    Raises:
        InvalidArgumentError: As for ``dct``.
        UnsupportedError: As for ``dct``.

    Example:
        >>> import numpy as np
        >>> dct_1d(np.array([1.0, 2.0, 4.0])).round(4).tolist()
        [4.0415, -2.1213, 0.4082]
    """
    return dct(x, axis=axis)


def idct_1d(x: Any, axis: int = -1) -> Any:
    """Inverse of ``dct_1d``: the orthonormal DCT-III along one axis.

    Args:
        x: (..., n, ...) array or torch CPU tensor, as for ``dct``.
        axis: The one to transform.

    Returns:
        A new C-contiguous array (a torch tensor if x is one) of x's shape and dtype.

    Raises:
        InvalidArgumentError: As for ``dct``.
        UnsupportedError: As for ``dct``.

    Example:
        >>> import numpy as np
        >>> idct_1d(np.array([2.0, 0.0, 0.0, 0.0])).round(4).tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    return idct(x, axis=axis)


def dct_2d(x: Any) -> Any:
    """Orthonormal DCT-II along the last two axes: ``dctn(x, axes=(-2, -1))``.

    Args:
        x: (..., rows, cols) array or torch CPU tensor, as for ``dct``; leading axes are a batch.

    Returns:
        A new C-contiguous array (a torch tensor if x is one) of x's shape and dtype.

    Raises:
        InvalidArgumentError: As for ``dct``; also fewer than two axes.
        UnsupportedError: As for ``dct``.

    Example:
        >>> import numpy as np
        >>> dct_2d(np.full((4, 4), 42.0))[0, 0].round(4).item()
        168.0
    """
    return transform_axes(x, 2, (-2, -1), "ortho", None)


def idct_2d(x: Any) -> Any:
    """Inverse of ``dct_2d``: the orthonormal DCT-III along the last two axes.

    Args:
        x: (..., rows, cols) array or torch CPU tensor, as for ``dct``; leading axes are a batch.

    Returns:
        A new C-contiguous array (a torch tensor if x is one) of x's shape and dtype.

    Raises:
        InvalidArgumentError: As for ``dct_2d``.
        UnsupportedError: As for ``dct``.

    Example:
        >>> idct_2d(dct_2d([[1.0, 2.0], [3.0, 4.0]])).round(4).tolist()
        [[1.0, 2.0], [3.0, 4.0]]
    """
    return transform_axes(x, 3, (-2, -1), "ortho", None)


def _checked_type(dct_type: Any) -> int:
    if dct_type == 2:
        return 2
    if dct_type == 3:
        return 3
    raise InvalidArgumentError(f"type: expected 2 or 3 (types 1 and 4 are not there), found {dct_type!r}")
