"""torch tensors and their bytes, both ways without copies, for every dtype; what `safe_open` gives for ``framework="pt"``.

Not responsible for: encoding, decoding, or files.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from haagenti import dtypes
from haagenti.errors import InvalidArgumentError, UnsupportedError
from haagenti.files.stored_tensor import PlainTensor, StoredTensor

# safetensors' name of a dtype -> torch's. Each holds one element a number, but for F4, of which torch packs two.
_TORCH_NAMES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "U16": "uint16",
    "I16": "int16",
    "U32": "uint32",
    "I32": "int32",
    "U64": "uint64",
    "I64": "int64",
    "F16": "float16",
    "BF16": "bfloat16",
    "F32": "float32",
    "F64": "float64",
    "C64": "complex64",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F4": "float4_e2m1fn_x2",
}
_TO_TORCH: dict[str, torch.dtype] = {name: getattr(torch, other) for name, other in _TORCH_NAMES.items() if hasattr(torch, other)}
_FROM_TORCH = {dtype: name for name, dtype in _TO_TORCH.items()}


def to_torch_dtype(name: str) -> torch.dtype:
    """The torch dtype of safetensors' name for it.

    Raises:
        UnsupportedError: This torch has none.

    Example:
        >>> to_torch_dtype("BF16")
        torch.bfloat16
    """
    if name not in _TO_TORCH:
        raise UnsupportedError(f"dtype: expected one that torch {torch.__version__} has ({', '.join(_TO_TORCH)}), found {name!r}")
    return _TO_TORCH[name]


def from_torch_dtype(dtype: torch.dtype) -> str:
    """The name that safetensors has for a torch dtype.

    Raises:
        UnsupportedError: safetensors has none.
    """
    if dtype not in _FROM_TORCH:
        raise UnsupportedError(f"dtype: expected one that safetensors has ({', '.join(map(str, _FROM_TORCH))}), found {dtype}")
    return _FROM_TORCH[dtype]


def logical_shape(tensor: torch.Tensor) -> tuple[int, ...]:
    """The shape in elements: torch counts pairs of 4-bit floats along the last axis, files count the floats."""
    shape = tuple(tensor.shape)
    if _FROM_TORCH.get(tensor.dtype) != "F4":
        return shape
    if not shape:
        raise UnsupportedError("shape: expected at least one axis for pairs of 4-bit floats, found none")
    return (*shape[:-1], shape[-1] * 2)


def raw_bytes(tensor: torch.Tensor) -> np.ndarray:
    """The tensor's little-endian bytes in C order.

    A contiguous tensor on the CPU is not copied; others are.

    Args:
        tensor: Dense, of any dtype that safetensors has, on any device.

    Returns:
        (n_bytes,) uint8.

    Raises:
        InvalidArgumentError, UnsupportedError: As for ``check_dense``.
    """
    check_dense(tensor)
    dense = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous()
    return dense.reshape(-1).view(torch.uint8).numpy() if dense.numel() else np.empty(0, np.uint8)


def check_dense(tensor: torch.Tensor) -> None:
    """Checks that a tensor is an array of numbers in memory.

    Raises:
        InvalidArgumentError: Sparse, or without data (device ``meta``).
        UnsupportedError: A dtype that safetensors does not have.
    """
    if tensor.layout != torch.strided or tensor.device.type == "meta":
        raise InvalidArgumentError(f"tensor: expected a dense one with data, found layout {tensor.layout} on device {tensor.device}")
    from_torch_dtype(tensor.dtype)


def from_bytes(data: Any, dtype: str, shape: tuple[int, ...]) -> torch.Tensor:
    """A tensor over bytes, without a copy unless they are read-only or not aligned.

    Args:
        data: Little-endian bytes in C order, through the buffer protocol.
        dtype: As safetensors spells it.
        shape: In elements.

    Raises:
        UnsupportedError: torch has no such dtype, or an odd number of 4-bit floats along the last axis.
    """
    target = to_torch_dtype(dtype)
    if dtype == "F4":
        shape = _pairs(shape)
    raw = np.frombuffer(data, np.uint8)
    if raw.size == 0:
        return torch.empty(shape, dtype=target)
    if not raw.flags.writeable or raw.ctypes.data % target.itemsize:
        raw = raw.copy()
    return torch.from_numpy(raw).view(target).reshape(shape)


def from_array(array: np.ndarray, dtype: str) -> torch.Tensor:
    """A tensor over an array's elements, without a copy unless the array is read-only or strided backwards.

    Args:
        array: Of any numpy or ``ml_dtypes`` type of 8 bits or more.
        dtype: The same type as safetensors spells it.

    Raises:
        UnsupportedError: torch has no such dtype.
    """
    target = to_torch_dtype(dtype)
    if array.size == 0:
        return torch.empty(array.shape, dtype=target)
    if not array.flags.writeable or not array.flags.aligned or min(array.strides, default=0) < 0:
        array = array.copy()
    carrier = array if array.dtype.kind in "cb" else array.view(f"i{array.dtype.itemsize}")
    tensor = torch.from_numpy(carrier)
    return tensor if tensor.dtype == target else tensor.view(target)


def as_array(tensor: torch.Tensor) -> np.ndarray:
    """A numpy array over the memory of a tensor on the CPU, never a copy; bf16 and fp8 as ``ml_dtypes`` has them.

    Args:
        tensor: Dense, on the CPU, of a dtype of 8 bits or more.

    Raises:
        UnsupportedError: numpy has no such dtype.
    """
    name = from_torch_dtype(tensor.dtype)
    plain = tensor.detach()
    if plain.dtype != torch.bool and not plain.is_complex():
        plain = plain.view(getattr(torch, f"int{8 * plain.element_size()}"))
    return plain.numpy().view(dtypes.to_numpy(name))


def check_device(device: object) -> torch.device:
    """The torch device of a name, a number or a device.

    Raises:
        InvalidArgumentError: There is none of that name.
    """
    try:
        return torch.device(device)  # type: ignore[call-overload, no-any-return]
    except (RuntimeError, TypeError) as error:
        raise InvalidArgumentError(f"device: expected one that torch knows, found {device!r}: {error}") from None


def whole(stored: StoredTensor, device: torch.device) -> torch.Tensor:
    """The whole tensor. A plain one on the CPU is a view of the mapped file, private to this process."""
    return _whole(stored).to(device)


def part(stored: StoredTensor, index: Any, device: torch.device) -> torch.Tensor:
    """``tensor[index]`` by torch's rules.

    Raises:
        IndexError: ``index`` does not fit the tensor.
        UnsupportedError: A part of a tensor of 4-bit floats, which torch cannot cut.
    """
    if stored.is_packed:
        if not _is_everything(index):
            raise UnsupportedError(f"{stored.where}: index: expected [...] or [:] for {stored.dtype}, found {index!r}")
        return whole(stored, device)
    block, rest = stored.block(index)
    tensor = _from_stored(block, stored)
    selected = tensor[rest]
    if selected.numel() < tensor.numel() and not isinstance(stored, PlainTensor):
        selected = selected.clone(memory_format=torch.contiguous_format)  # lets go of the rest of the block
    return selected.to(device).contiguous()


def _whole(stored: StoredTensor) -> torch.Tensor:
    if stored.is_packed:
        try:
            return from_bytes(stored.packed(), stored.dtype, stored.shape)
        except UnsupportedError as error:
            raise UnsupportedError(f"{stored.where}: {error}") from None
    return _from_stored(stored.array(), stored).contiguous()


def _from_stored(array: np.ndarray, stored: StoredTensor) -> torch.Tensor:
    try:
        return from_array(array, stored.dtype)
    except UnsupportedError as error:
        raise UnsupportedError(f"{stored.where}: {error}") from None


def _pairs(shape: tuple[int, ...]) -> tuple[int, ...]:
    if not shape or shape[-1] % 2:
        raise UnsupportedError(f"shape: expected an even last axis for pairs of 4-bit floats, found {list(shape)}")
    return (*shape[:-1], shape[-1] // 2)


def _is_everything(index: Any) -> bool:
    items = index if isinstance(index, tuple) else (index,)
    return all(item is Ellipsis or item == slice(None) for item in items)
