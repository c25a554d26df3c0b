"""Elements of less than a byte: two 4-bit floats a byte, the first in the low nibble, as torch's ``float4_e2m1fn_x2`` has them.

Not responsible for: 6-bit floats, for which safetensors fixes no order of bits and neither numpy nor torch has a packed type.
"""

from __future__ import annotations

import numpy as np

from haagenti import dtypes
from haagenti.errors import UnsupportedError


def unpack(packed: memoryview, dtype: str, shape: tuple[int, ...], where: str) -> np.ndarray:
    """Spreads packed elements, one a byte.

    Args:
        packed: (prod(shape) / 2,) bytes.
        dtype: ``"F4"``.
        shape: Elements along each axis.
        where: For messages.

    Returns:
        An array of ``shape`` and type ``ml_dtypes.float4_e2m1fn``.

    Raises:
        UnsupportedError: Another dtype.
    """
    check(dtype, where)
    codes = np.frombuffer(packed, np.uint8)
    spread = np.empty((len(codes), 2), np.uint8)
    np.bitwise_and(codes, 15, out=spread[:, 0])
    np.right_shift(codes, 4, out=spread[:, 1])
    return spread.view(dtypes.to_numpy(dtype)).reshape(shape)


def pack(array: np.ndarray, dtype: str, where: str) -> np.ndarray:
    """The inverse of ``unpack``.

    Raises:
        UnsupportedError: Another dtype, or an odd number of elements.
    """
    check(dtype, where)
    if array.size % 2:
        raise UnsupportedError(f"{where}: shape: expected an even number of {dtype} elements, found {list(array.shape)}")
    codes = np.ascontiguousarray(array).reshape(-1, 2).view(np.uint8)
    return (codes[:, 0] & 15) | (codes[:, 1] << 4)


def check(dtype: str, where: str) -> None:
    """Checks that a sub-byte dtype has an order of bits that is agreed on.

    Raises:
        UnsupportedError: It has not.
    """
    if dtype != "F4":
        raise UnsupportedError(f"{where}: dtype: expected one that arrays can hold, found {dtype}, which can only be copied as bytes")
