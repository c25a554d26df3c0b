"""Discrete cosine transforms of the tiles of a matrix. Formulas: `haagenti.transform.cosine`.

Not responsible for the transform of one tile: that is the core.
"""

from __future__ import annotations

import operator
from math import prod
from typing import Any

from haagenti import _core
from haagenti.errors import InvalidArgumentError
from haagenti.transform.axes import positions
from haagenti.transform.operands import Operands


def block_dct(x: Any, block: tuple[int, int] = (128, 128), out: Any = None) -> Any:
    """Orthonormal DCT-II of each tile of a matrix, along both of its axes.

    The matrix is cut from its first element on; the last tiles of a row or a column are smaller, nothing is padded.

    Args:
        x: (..., rows, cols) array or torch CPU tensor, as for ``dct``; leading axes are a batch.
        block: Rows and columns of a tile.
        out: As for ``dct``.

    Returns:
        ``out``, or a new C-contiguous array (a torch tensor if x is one) of x's shape and dtype. Coefficient (i, j) of a tile lies
        where its element (i, j) was.

    Raises:
        InvalidArgumentError: As for ``dct``; also fewer than two axes, or a ``block`` that is no pair of positive integers.
        UnsupportedError: As for ``dct``.

    Example:
        >>> import numpy as np
        >>> block_dct(np.ones((2, 5)), block=(2, 2)).round(4)[0, ::2].tolist()
        [2.0, 2.0, 1.4142]
    """
    return _transform_tiles(x, 2, block, out)


def block_idct(x: Any, block: tuple[int, int] = (128, 128), out: Any = None) -> Any:
    """Inverse of ``block_dct`` of the same block: the orthonormal DCT-III of each tile.

    Args:
        x: (..., rows, cols) array or torch CPU tensor, as for ``dct``; leading axes are a batch.
        block: Rows and columns of a tile.
        out: As for ``dct``.

    Returns:
        ``out``, or a new C-contiguous array (a torch tensor if x is one) of x's shape and dtype.

    Raises:
        InvalidArgumentError: As for ``block_dct``.
        UnsupportedError: As for ``dct``.

    Example:
        >>> block_idct(block_dct([[1.0, 2.0, 3.0]], block=(2, 2)), block=(2, 2)).round(4).tolist()
        [[1.0, 2.0, 3.0]]
    """
    return _transform_tiles(x, 3, block, out)


def _transform_tiles(x: Any, dct_type: int, block: Any, out: Any) -> Any:
    block_rows, block_cols = _checked_block(block)
    operands = Operands(x)
    shape = operands.array.shape
    if len(shape) < 2:
        raise InvalidArgumentError(f"x: expected at least 2 axes, found {len(shape)}")
    positions(shape, (-2, -1))  # each has elements
    operands.open(out)
    batch, rows, cols = prod(shape[:-2]), shape[-2], shape[-1]
    block_rows, block_cols = min(block_rows, rows), min(block_cols, cols)
    if rows % block_rows == 0:  # tiles do not reach over the edge between two matrices: they are one
        batch, rows = min(batch, 1), rows * batch
    if batch:
        _core.dct_tiles(dct_type, operands.dtype, operands.src, operands.dst, batch, rows, cols, block_rows, block_cols)
    return operands.finish()


def _checked_block(block: Any) -> tuple[int, int]:
    try:
        rows, cols = map(operator.index, block)
    except (TypeError, ValueError):
        rows = cols = 0
    if rows < 1 or cols < 1:
        raise InvalidArgumentError(f"block: expected a pair of positive integers, found {block!r}")
    return rows, cols
