"""Saving and loading dictionaries of torch tensors, as ``safetensors.torch`` does, with an encoding for each.

Not responsible for: whole checkpoints (`haagenti.convert`), models (`haagenti.hf`), the files' formats.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from haagenti.errors import InvalidArgumentError, UnsupportedError
from haagenti.files.byte_source import BufferSource
from haagenti.files.opened_file import load_all, safe_open
from haagenti.files.saving import Encodings, Saved, check_mapping, encoding_of, kind_of, save_hct, save_safetensors
from haagenti.files.tensor_file import read_tensor_file
from haagenti.torch.tensors import check_dense, check_device, from_torch_dtype, logical_shape, raw_bytes, whole

StrPath = str | os.PathLike[str]


def save_file(
    tensors: Mapping[str, torch.Tensor], path: StrPath, encoding: Encodings = "raw", metadata: Mapping[str, str] | None = None
) -> None:
    """Saves tensors to one file, which appears when it is whole and replaces what is there.

    To ``.hct`` every tensor goes as a record; names of the same view of the same memory (tied weights) are stored once and come back
    as one tensor, other overlaps are stored separately. To ``.safetensors`` the records go as 1-D ``U8`` tensors that the metadata
    describes, tensors of one axis or none and those that would not get smaller are stored plainly, and tensors that share memory are
    refused, as the safetensors library does. Tensors that are not contiguous or not on the CPU are copied one at a time.

    Args:
        tensors: Dense tensors by name.
        path: With the suffix ``.hct`` or ``.safetensors``.
        encoding: One encoding for all, such as ``"int4(group_size=64)"``; or a mapping by name, where ``"raw"`` holds for names left
            out; or a function of name and tensor. ``"plain"`` stores a tensor as it is (safetensors only).
        metadata: Text by name, such as ``{"format": "pt"}``, which transformers asks for.

    Raises:
        InvalidArgumentError: An unknown encoding or suffix, names that are not text, a mapping with unknown names, tensors without
            data, or shared memory.
        UnsupportedError: A dtype that files do not have.
        OSError: Writing failed; nothing is left behind.

    Example:
        >>> path = os.path.join(tempfile.mkdtemp(), "a.hct")
        >>> save_file({"w": torch.ones(4, 32, dtype=torch.bfloat16)}, path, encoding="int4")
        >>> load_file(path)["w"].dtype
        torch.bfloat16
    """
    kind = kind_of(path)
    check_mapping(encoding, list(tensors))
    saved = [_saved(name, tensor, encoding) for name, tensor in tensors.items()]
    if kind == "hct":
        save_hct(saved, path, metadata)
    else:
        refuse_shared(tensors)
        save_safetensors(saved, path, metadata)


def load_file(path: StrPath, device: Any = "cpu", *, backend: str = "mmap") -> dict[str, torch.Tensor]:
    """Loads every tensor of a file.

    Args:
        path: An ``.hct`` or safetensors file, from any tool.
        device: Where the tensors shall be.
        backend: ``"mmap"`` or ``"pread"``.

    Returns:
        Tensors by name, in the order of the file. Names that share a record share the tensor.

    Raises:
        CorruptError, TruncatedError: The file is damaged.
        UnsupportedError: A dtype that torch does not have, or another kind of file.
        OSError: The file cannot be opened.
    """
    with safe_open(path, "pt", device=device, backend=backend) as file:
        return file.get_tensors()


def save(
    tensors: Mapping[str, torch.Tensor], encoding: Encodings = "raw", metadata: Mapping[str, str] | None = None, *, format: str = "hct"
) -> bytes:
    """Saves tensors to bytes: the content of the file that ``save_file`` writes.

    Args:
        tensors: As for ``save_file``.
        encoding: As for ``save_file``.
        metadata: As for ``save_file``.
        format: ``"hct"`` or ``"safetensors"``.

    Raises:
        InvalidArgumentError: As for ``save_file``.

    Example:
        >>> load(save({"w": torch.arange(3)}))["w"]
        tensor([0, 1, 2])
    """
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, f"tensors.{format}")
        save_file(tensors, path, encoding, metadata)
        return path.read_bytes()


def load(data: bytes, device: Any = "cpu") -> dict[str, torch.Tensor]:
    """Loads every tensor of the content of a file. See ``load_file``."""
    target = check_device(device)
    return load_all(read_tensor_file(BufferSource(data), data), lambda stored: whole(stored, target))


def refuse_shared(tensors: Mapping[str, torch.Tensor]) -> None:
    """Checks that no two tensors lie in the same memory, which a safetensors file cannot express.

    Raises:
        InvalidArgumentError: Two do; the message names them.
    """
    spans = sorted((*_span(tensor), name) for name, tensor in tensors.items() if tensor.numel())
    for (device, _, stop, name), (next_device, start, _, next_name) in pairwise(spans):
        if device == next_device and start < stop:
            raise InvalidArgumentError(
                f"tensors {name!r} and {next_name!r}: expected memory of their own, found shared memory, which a safetensors file cannot "
                "express: leave one out, clone it, or save to .hct"
            )


def _span(tensor: torch.Tensor) -> tuple[str, int, int]:
    """Device, first byte and end of the memory that a tensor with elements touches."""
    last = sum((extent - 1) * stride for extent, stride in zip(tensor.shape, tensor.stride(), strict=True))
    start = tensor.data_ptr()
    return str(tensor.device), start, start + (last + 1) * tensor.element_size()


def _saved(name: str, tensor: torch.Tensor, encodings: Encodings) -> Saved:
    if not isinstance(name, str):
        raise InvalidArgumentError(f"tensor name: expected str, found {name!r}")
    if not isinstance(tensor, torch.Tensor):
        raise InvalidArgumentError(f"tensor {name!r}: expected a torch tensor, found {type(tensor).__name__}")
    try:
        check_dense(tensor)
        dtype, shape = from_torch_dtype(tensor.dtype), logical_shape(tensor)
    except (InvalidArgumentError, UnsupportedError) as error:
        raise type(error)(f"tensor {name!r}: {error}") from None
    return Saved(name, dtype, shape, encoding_of(encodings, name, tensor, "raw"), lambda: raw_bytes(tensor), _memory(tensor))


def _memory(tensor: torch.Tensor) -> object:
    """Equal for views that are the same elements of the same memory in the same order."""
    if not tensor.numel():
        return None
    return (str(tensor.device), tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.dtype, tensor.is_conj(), tensor.is_neg())
