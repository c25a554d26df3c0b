"""Element types by their safetensors names, and the numpy types that hold them.

Not responsible for torch's types: see `haagenti.torch.tensors`.
"""

from __future__ import annotations

import ml_dtypes
import numpy as np

from haagenti import _core
from haagenti.errors import InvalidArgumentError, UnsupportedError

_BITS: dict[str, int] = {row["name"]: row["bits"] for row in _core.dtypes()}
_FLOATS: frozenset[str] = frozenset(row["name"] for row in _core.dtypes() if row["is_float"])

# numpy and ml_dtypes types hold whole bytes: F4 and F6 come unpacked, one element a byte, where a type exists.
_NUMPY: dict[str, np.dtype] = {
    "BOOL": np.dtype(np.bool_),
    "U8": np.dtype(np.uint8),
    "I8": np.dtype(np.int8),
    "U16": np.dtype(np.uint16),
    "I16": np.dtype(np.int16),
    "U32": np.dtype(np.uint32),
    "I32": np.dtype(np.int32),
    "U64": np.dtype(np.uint64),
    "I64": np.dtype(np.int64),
    "F16": np.dtype(np.float16),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "F32": np.dtype(np.float32),
    "F64": np.dtype(np.float64),
    "C64": np.dtype(np.complex64),
    "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn),
    "F8_E5M2": np.dtype(ml_dtypes.float8_e5m2),
    "F8_E8M0": np.dtype(ml_dtypes.float8_e8m0fnu),
    "F8_E4M3FNUZ": np.dtype(ml_dtypes.float8_e4m3fnuz),
    "F8_E5M2FNUZ": np.dtype(ml_dtypes.float8_e5m2fnuz),
    "F4": np.dtype(ml_dtypes.float4_e2m1fn),
}
_NAMES: dict[np.dtype, str] = {dtype: name for name, dtype in _NUMPY.items()}


def names() -> list[str]:
    """Every dtype name, in the order of the table."""
    return list(_BITS)


def bits(name: str) -> int:
    """Bits of one element.

    Raises:
        InvalidArgumentError: Unknown name.
    """
    try:
        return _BITS[name]
    except KeyError:
        raise InvalidArgumentError(f"dtype: expected one of {', '.join(_BITS)}, found {name!r}") from None


def is_float(name: str) -> bool:
    """Whether elements are real floating-point numbers."""
    return name in _FLOATS


def to_numpy(name: str) -> np.dtype:
    """The numpy (or ml_dtypes) type of a name.

    Raises:
        InvalidArgumentError: Unknown name.
        UnsupportedError: numpy has no such type (F6_E2M3, F6_E3M2).

    Example:
        >>> to_numpy("BF16").name
        'bfloat16'
    """
    bits(name)
    try:
        return _NUMPY[name]
    except KeyError:
        raise UnsupportedError(f"dtype {name}: numpy has no such type") from None


def from_numpy(dtype: np.dtype | type) -> str:
    """The name of a numpy type, of either byte order.

    Raises:
        InvalidArgumentError: A type that files cannot hold.

    Example:
        >>> from_numpy(np.float32)
        'F32'
    """
    dtype = np.dtype(dtype)
    try:
        return _NAMES[dtype.newbyteorder("=")]
    except KeyError:
        raise InvalidArgumentError(f"dtype: expected one of {', '.join(t.name for t in _NAMES)}, found {dtype}") from None
