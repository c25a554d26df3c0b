"""Saving and loading dictionaries of numpy arrays, as ``safetensors.numpy`` does, with an encoding for each.

Not responsible for: torch tensors (`haagenti.torch`), whole checkpoints (`haagenti.convert`), the files' formats.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from haagenti import dtypes, subbyte
from haagenti.errors import InvalidArgumentError
from haagenti.files.arrays import whole
from haagenti.files.byte_source import BufferSource
from haagenti.files.opened_file import load_all, safe_open
from haagenti.files.saving import Encodings, Saved, check_mapping, encoding_of, kind_of, save_hct, save_safetensors
from haagenti.files.tensor_file import read_tensor_file

__all__ = ["load", "load_file", "save", "save_file"]

StrPath = str | os.PathLike[str]


def save_file(
    tensors: Mapping[str, np.ndarray], path: StrPath, encoding: Encodings = "raw", metadata: Mapping[str, str] | None = None
) -> None:
    """Saves arrays to one file, which appears when it is whole and replaces what is there.

    To ``.hct`` every array goes as a record, and names of the same memory are stored once. To ``.safetensors`` the records go as 1-D
    ``U8`` tensors that the metadata describes; arrays of one axis or none, and those that would not get smaller, are stored plainly.
    Arrays that are not C-contiguous are copied one at a time while they are written.

    Args:
        tensors: Arrays by name; bf16, fp8 and fp4 as ``ml_dtypes`` has them.
        path: With the suffix ``.hct`` or ``.safetensors``.
        encoding: One encoding for all, such as ``"int4(group_size=64)"``; or a mapping by name, where ``"raw"`` holds for names left
            out; or a function of name and array. ``"plain"`` stores an array as it is (safetensors only).
        metadata: Text by name.

    Raises:
        InvalidArgumentError: An unknown encoding, dtype or suffix, names that are not text, or a mapping with unknown names.
        OSError: Writing failed; nothing is left behind.

    Example:
        >>> path = os.path.join(tempfile.mkdtemp(), "a.hct")
        >>> save_file({"w": np.ones((4, 32), "f4"), "b": np.zeros(4, "f4")}, path, encoding={"w": "int8"})
        >>> load_file(path)["w"].shape
        (4, 32)
    """
    kind = kind_of(path)
    check_mapping(encoding, list(tensors))
    saved = [_saved(name, array, encoding) for name, array in tensors.items()]
    save = save_hct if kind == "hct" else save_safetensors
    save(saved, path, metadata)


def load_file(path: StrPath, *, backend: str = "mmap") -> dict[str, np.ndarray]:
    """Loads every tensor of a file.

    Args:
        path: An ``.hct`` or safetensors file, from any tool.
        backend: ``"mmap"`` or ``"pread"``.

    Returns:
        Writable arrays by name, in the order of the file. Names that share a record share the array.

    Raises:
        CorruptError, TruncatedError: The file is damaged.
        UnsupportedError: A dtype that numpy cannot hold, or another kind of file.
        OSError: The file cannot be opened.
    """
    with safe_open(path, "np", backend=backend) as file:
        return file.get_tensors()


def save(
    tensors: Mapping[str, np.ndarray], encoding: Encodings = "raw", metadata: Mapping[str, str] | None = None, *, format: str = "hct"
) -> bytes:
    """Saves arrays to bytes: the content of the file that ``save_file`` writes.

    Args:
        tensors: As for ``save_file``.
        encoding: As for ``save_file``.
        metadata: As for ``save_file``.
        format: ``"hct"`` or ``"safetensors"``.

    Raises:
        InvalidArgumentError: As for ``save_file``.

    Example:
        >>> load(save({"w": np.arange(3)}))["w"].tolist()
        [0, 1, 2]
    """
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, f"tensors.{format}")
        save_file(tensors, path, encoding, metadata)
        return path.read_bytes()


def load(data: bytes) -> dict[str, np.ndarray]:
    """Loads every tensor of the content of a file. See ``load_file``."""
    return load_all(read_tensor_file(BufferSource(data), data), lambda stored: whole(stored, "cpu"))


def _saved(name: str, array: np.ndarray, encodings: Encodings) -> Saved:
    if not isinstance(name, str):
        raise InvalidArgumentError(f"tensor name: expected str, found {name!r}")
    if not isinstance(array, np.ndarray):
        raise InvalidArgumentError(f"tensor {name!r}: expected a numpy array, found {type(array).__name__}")
    dtype = _dtype_name(name, array)
    encoding = encoding_of(encodings, name, array, "raw")
    return Saved(name, dtype, array.shape, encoding, lambda: _raw(name, array, dtype), _memory(array))


def _dtype_name(name: str, array: np.ndarray) -> str:
    try:
        return dtypes.from_numpy(array.dtype.newbyteorder("<") if array.dtype.byteorder == ">" else array.dtype)
    except InvalidArgumentError as error:
        raise InvalidArgumentError(f"tensor {name!r}: dtype: {error}") from None


def _raw(name: str, array: np.ndarray, dtype: str) -> np.ndarray:
    """The array's little-endian bytes in C order; without a copy when it has them already."""
    if dtypes.bits(dtype) < 8:
        return subbyte.pack(array, dtype, f"tensor {name!r}")
    little = array.astype(array.dtype.newbyteorder("<")) if array.dtype.byteorder == ">" else array
    return np.ascontiguousarray(little).reshape(-1).view(np.uint8)


def _memory(array: np.ndarray) -> object:
    """Equal for arrays that are the same elements of the same memory in the same order."""
    if array.size == 0:
        return None
    return (array.__array_interface__["data"][0], array.shape, array.strides, array.dtype)
