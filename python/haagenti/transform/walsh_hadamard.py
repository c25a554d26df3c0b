"""The Walsh-Hadamard transform along the last axis, with random signs before it.

    y = H (s * x) / sqrt(block),   H[i][j] = (-1)^popcount(i & j)   (Sylvester's order),   inverse   x = s * (H y / sqrt(block))

Random signs before the transform make the coefficients of any fixed vector alike (N. Ailon, B. Chazelle, "The Fast Johnson-Lindenstrauss
Transform", SIAM J. Computing 39 (2009)). Not responsible for the signs: they are defined in the core (hd/hadamard.h).
"""

from __future__ import annotations

import operator
from math import prod
from typing import Any

from haagenti import _core
from haagenti.errors import InvalidArgumentError
from haagenti.transform.axes import positions
from haagenti.transform.operands import Operands


def hadamard(x: Any, block: int | None = None, seed: int | None = None, inverse: bool = False, out: Any = None) -> Any:
    """Orthonormal Walsh-Hadamard transform of each block of the last axis.

    float16 and bfloat16 are computed in float32 and rounded once. The same bits for every number of threads and instruction set.

    Args:
        x: (..., n) array of float16, bfloat16, float32 or float64, or a torch CPU tensor of them; integers become float64. Any strides.
        block: A power of two that divides n. None: the largest one.
        seed: Of the random signs, 0 to 2^32 - 1; they depend on the position along the last axis. None: no signs.
        inverse: Whether to undo the transform of the same block and seed. Without a seed it is its own inverse.
        out: Array or tensor of x's shape and of the result's dtype to write to; it may be x itself, a strided view, or overlap x. After an
            exception, KeyboardInterrupt too, its contents are undefined.

    Returns:
        ``out``, or a new C-contiguous array (a torch tensor if x is one) of x's shape and dtype.

    Raises:
        InvalidArgumentError: A block, seed, dtype or ``out`` that does not fit; no elements along the last axis; a tensor that requires a
            gradient while gradients are recorded.
        UnsupportedError: A tensor that is not on the CPU.

    Example:
        >>> import numpy as np
        >>> hadamard(np.array([1.0, 2.0, 3.0, 4.0], np.float32)).tolist()
        [5.0, -1.0, -2.0, 0.0]
        >>> x = np.arange(12, dtype=np.float32)
        >>> np.abs(hadamard(hadamard(x, seed=7), seed=7, inverse=True) - x).max().item() < 1e-5
        True
    """
    operands = Operands(x)
    shape = operands.array.shape
    positions(shape, (-1,))  # has elements
    chosen = _checked_block(block, shape[-1])
    signs = _checked_seed(seed)
    operands.open(out)
    rows = prod(shape[:-1])
    if rows:
        _core.hadamard(operands.dtype, operands.src, operands.dst, rows, shape[-1], chosen, signs, bool(inverse))
    return operands.finish()


def _checked_block(block: Any, n: int) -> int:
    if block is None:
        return n & -n
    try:
        size = operator.index(block)
    except TypeError:
        size = 0
    if size < 1 or size & (size - 1) or n % size:
        raise InvalidArgumentError(f"block: expected a power of two that divides the last axis of {n}, found {block!r}")
    return size


def _checked_seed(seed: Any) -> int | None:
    if seed is None:
        return None
    try:
        number = operator.index(seed)
    except TypeError:
        number = -1
    if not 0 <= number < 1 << 32:
        raise InvalidArgumentError(f"seed: expected None or an integer from 0 to 2^32 - 1, found {seed!r}")
    return number
