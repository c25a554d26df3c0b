"""Encoding torch tensors to records and decoding records to torch tensors.

Not responsible for: the encodings (`haagenti.record`), files (`haagenti.torch.files`).
"""

from __future__ import annotations

from typing import Any

import torch

from haagenti import _core, dtypes
from haagenti import record as records
from haagenti.errors import InvalidArgumentError
from haagenti.files.stored_tensor import CompressedTensor
from haagenti.record import Record
from haagenti.torch.tensors import (
    as_array,
    check_device,
    from_array,
    from_bytes,
    from_torch_dtype,
    logical_shape,
    raw_bytes,
    to_torch_dtype,
)


def encode(tensor: torch.Tensor, encoding: str = "int4", *, matrix: str | None = None, name: str = "", **params: Any) -> Record:
    """Encodes a tensor; one on another device is brought to the CPU first.

    Args:
        tensor: Dense, of any shape and of a dtype that the encoding takes.
        encoding: A name, or a whole encoding such as ``"int4(group_size=32)"``.
        matrix: How the tensor is cut into rows: ``"last"``, ``"first"``, ``"transposed"``, ``"flat"``, or None for a choice by shape.
        name: For messages.
        **params: Parameters of the encoding.

    Raises:
        InvalidArgumentError: The encoding does not exist or does not take the tensor.

    Example:
        >>> encode(torch.ones(4, 32), "int8").shape
        (4, 32)
    """
    known_name, known = _core.parse_encoding(encoding)
    text = _core.format_encoding(known_name, {**known, **params})
    dtype, shape = from_torch_dtype(tensor.dtype), logical_shape(tensor)
    return records.encode_bytes(raw_bytes(tensor), dtype, shape, text, matrix=matrix, name=name)


def decode(rec: Record | Any, device: Any = None, dtype: torch.dtype | None = None, out: torch.Tensor | None = None) -> torch.Tensor:
    """Decodes a record.

    Args:
        rec: A record, or its bytes (a 1-D uint8 tensor, or anything with the buffer protocol).
        device: Where the result shall be; None for the CPU, or where ``out`` is.
        dtype: Of the result; None for the tensor's own, or that of ``out``.
        out: A tensor of the same shape to decode into; filled without a copy when it is contiguous and on the CPU.

    Returns:
        ``out``, or a new tensor.

    Raises:
        InvalidArgumentError: ``out`` has another shape, device or dtype than asked for, or the encoding cannot give ``dtype``.
        CorruptError, TruncatedError: The record is damaged.

    Example:
        >>> decode(encode(torch.ones(2, 32), "int8"), dtype=torch.bfloat16).dtype
        torch.bfloat16
    """
    record = rec if isinstance(rec, Record) else Record(raw_bytes(rec) if isinstance(rec, torch.Tensor) else rec)
    if out is None:
        target = to_torch_dtype(record.dtype) if dtype is None else dtype
        return _decode(record, target).to(check_device("cpu" if device is None else device))
    _check_out(record, out, out.dtype if dtype is None else dtype, device)
    if out.device.type == "cpu" and out.is_contiguous() and dtypes.bits(record.dtype) >= 8:
        records.decode(record, out=as_array(out))
    else:
        out.detach().copy_(_decode(record, out.dtype))
    return out


def _decode(record: Record, dtype: torch.dtype) -> torch.Tensor:
    """Decodes to a new contiguous tensor on the CPU."""
    name = from_torch_dtype(dtype)
    if dtypes.bits(record.dtype) >= 8:
        return from_array(records.decode(record, dtype=name), name).contiguous()
    if name != record.dtype:
        raise InvalidArgumentError(f"tensor {record.name!r}: dtype: expected {record.dtype}, the only one it decodes to, found {name}")
    return from_bytes(CompressedTensor(record.data, record.name).packed(), name, tuple(record.shape))


def _check_out(record: Record, out: torch.Tensor, dtype: torch.dtype, device: Any) -> None:
    """Checks that ``out`` is what the caller asked to be filled."""
    where = f"tensor {record.name!r}: out"
    if logical_shape(out) != tuple(record.shape):
        raise InvalidArgumentError(f"{where}: shape: expected {tuple(record.shape)}, found {logical_shape(out)}")
    if out.dtype != dtype:
        raise InvalidArgumentError(f"{where}: dtype: expected {dtype}, found {out.dtype}")
    if device is not None and out.device != check_device(device):
        raise InvalidArgumentError(f"{where}: device: expected {device}, found {out.device}")
