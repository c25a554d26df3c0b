"""Where a transform reads and writes: C-contiguous numpy arrays over, or beside, what the user gave.

Not responsible for what is computed between them.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import ml_dtypes
import numpy as np

from haagenti.array_input import as_array, is_torch_tensor
from haagenti.errors import InvalidArgumentError, UnsupportedError

# The types that the core computes, each as safetensors spells it.
DTYPES: dict[np.dtype, str] = {
    np.dtype(np.float32): "F32",
    np.dtype(np.float64): "F64",
    np.dtype(np.float16): "F16",
    np.dtype(ml_dtypes.bfloat16): "BF16",
}
_EXPECTED = "float16, bfloat16, float32 or float64, integers or bool"
_TORCH_INTEGERS = ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64")

_ALIGNMENT = 64  # bytes: a line of the caches, and the widest register
_ALIGNED_FROM = 1 << 15  # bytes


class Operands:
    """The input and the output of one call.

    Attributes:
        array: The input as an array of one of ``DTYPES``, any strides.
        dtype: Its type as safetensors spells it.
        src: After ``open``: C-contiguous input.
        dst: After ``open``: C-contiguous output, ``src`` itself or memory apart from it.
    """

    __slots__ = ("_result", "_target", "_x", "array", "dst", "dtype", "src")

    src: np.ndarray
    dst: np.ndarray
    array: np.ndarray
    dtype: str
    _target: np.ndarray
    _result: Any

    def __init__(self, x: Any) -> None:
        """Takes the input.

        Args:
            x: numpy array, what ``numpy.asarray`` takes, or torch CPU tensor.

        Raises:
            InvalidArgumentError: Complex or other elements that are no real numbers, no axis, a tensor that records gradients.
            UnsupportedError: A tensor that is not on the CPU.
        """
        self._x = x
        if type(x) is np.ndarray:
            self.array = x
        else:
            if is_torch_tensor(x):
                check_tensor(x, "x")
                self._x = x = _float_tensor(x)
            self.array = as_array(x)
        dtype = DTYPES.get(self.array.dtype)
        if dtype is None:
            self.array = _float_array(self.array)
            dtype = DTYPES[self.array.dtype]
        self.dtype = dtype
        if not self.array.ndim:
            raise InvalidArgumentError("x: expected at least one axis, found a scalar")

    def open(self, out: Any) -> None:
        """Makes or checks the output, and copies the input where it must be.

        Args:
            out: None, or an array or tensor of x's shape and of the result's dtype. It may be x, or overlap it.

        Raises:
            InvalidArgumentError: It does not fit.
            UnsupportedError: A tensor that is not on the CPU.
        """
        array = self.array
        if out is None:
            self._allocate()
            self.dst = self._target
            apart = True
        else:
            self._result = out
            self._target = _checked_out(out, self._x, array)
            self.dst = self._target if _is_dense(self._target) else empty_aligned(array.shape, array.dtype)
            apart = not np.may_share_memory(array, self.dst) or _is_same(array, self.dst)
        if apart and _is_dense(array):
            self.src = array
        else:
            np.copyto(self.dst, array)
            self.src = self.dst

    def finish(self) -> Any:
        """The result, ``dst`` copied into it where the output has strides."""
        if self.dst is not self._target:
            np.copyto(self._target, self.dst)
        if self._result is not self._target and is_torch_tensor(self._result):
            sys.modules["torch"].autograd.graph.increment_version(self._result)
        return self._result

    def _allocate(self) -> None:
        if is_torch_tensor(self._x):
            self._result = self._x.new_empty(self._x.shape)
            self._target = as_array(self._result)
        else:
            self._result = self._target = empty_aligned(self.array.shape, self.array.dtype)


def empty_aligned(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array that starts at a multiple of 64 bytes, where numpy's own start at 16: registers are stored without crossing lines.

    Args:
        shape: Of the array.
        dtype: Of its elements.

    Returns:
        C-contiguous, contents undefined. Small arrays, which caches hold, are numpy's own.
    """
    n_bytes = math.prod(shape) * dtype.itemsize
    if n_bytes < _ALIGNED_FROM:
        return np.empty(shape, dtype)
    whole = np.empty(n_bytes + _ALIGNMENT, np.uint8)
    start = -whole.__array_interface__["data"][0] % _ALIGNMENT
    return whole[start : start + n_bytes].view(dtype).reshape(shape)


def check_tensor(tensor: Any, argument: str) -> None:
    """Checks that a torch tensor is memory that numpy can share and that autograd does not watch.

    Raises:
        InvalidArgumentError: Sparse, without data, or it requires a gradient while gradients are recorded.
        UnsupportedError: On another device.
    """
    torch = sys.modules["torch"]
    if tensor.layout != torch.strided or tensor.device.type == "meta":
        raise InvalidArgumentError(f"{argument}: expected a dense tensor with data, found layout {tensor.layout} on device {tensor.device}")
    if tensor.device.type != "cpu":
        raise UnsupportedError(f"{argument}: expected a tensor on the CPU, found device {tensor.device}; copy it with .cpu()")
    if tensor.requires_grad and torch.is_grad_enabled():
        raise InvalidArgumentError(
            f"{argument}: expected a tensor without gradient, found requires_grad=True; transforms are not differentiated: "
            f"give {argument}.detach(), or call under torch.no_grad()"
        )


def _float_tensor(tensor: Any) -> Any:
    """The tensor with elements that the core takes; integers become float64."""
    name = str(tensor.dtype).removeprefix("torch.")
    if name in _TORCH_INTEGERS:
        return tensor.double()
    if name not in ("float16", "bfloat16", "float32", "float64"):
        raise InvalidArgumentError(f"x: dtype: expected {_EXPECTED}, found {tensor.dtype}")
    return tensor.resolve_neg()


def _float_array(array: np.ndarray) -> np.ndarray:
    """The array with elements that the core takes: native byte order; integers become float64."""
    if array.dtype.kind in "iub":
        return array.astype(np.float64, order="C")
    native = array.dtype.newbyteorder("=")
    if native not in DTYPES:
        raise InvalidArgumentError(f"x: dtype: expected {_EXPECTED}, found {array.dtype}")
    return array.astype(native, order="C")


def _checked_out(out: Any, x: Any, array: np.ndarray) -> np.ndarray:
    """The array over the output's memory."""
    as_tensor = is_torch_tensor(x)
    if is_torch_tensor(out) != as_tensor or not (as_tensor or isinstance(out, np.ndarray)):
        expected = "a torch tensor as x is" if as_tensor else "a numpy array"
        raise InvalidArgumentError(f"out: expected {expected}, found {type(out).__name__}")
    if as_tensor:
        check_tensor(out, "out")
        if out.dtype != x.dtype:
            raise InvalidArgumentError(f"out: dtype: expected {x.dtype}, found {out.dtype}")
        if out.is_neg():
            raise InvalidArgumentError("out: expected a tensor over its own values, found a view that negates them")
    target = as_array(out)
    if target.shape != array.shape:
        raise InvalidArgumentError(f"out: shape: expected {array.shape}, found {target.shape}")
    if target.dtype != array.dtype:
        raise InvalidArgumentError(f"out: dtype: expected {array.dtype}, found {target.dtype}")
    if not target.flags.writeable:
        raise InvalidArgumentError("out: expected a writable array, found a read-only one")
    if target.size and any(stride == 0 and n > 1 for stride, n in zip(target.strides, target.shape, strict=True)):
        raise InvalidArgumentError(f"out: expected elements apart from each other, found strides {target.strides} for shape {target.shape}")
    return target


def _is_dense(array: np.ndarray) -> bool:
    flags = array.flags
    return flags.c_contiguous and flags.aligned


def _is_same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two dense arrays of the same size are the same memory."""
    return a.__array_interface__["data"][0] == b.__array_interface__["data"][0] and _is_dense(a)
