"""One tensor of a file that is not decoded yet, plain or a record, with the same methods for both.

Not responsible for: where its bytes come from, or the array types of frameworks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from haagenti import dtypes, subbyte
from haagenti.errors import DecompressionError, InvalidArgumentError, UnsupportedError
from haagenti.files.safetensors_header import tensor_bytes
from haagenti.files.slicing import plan_block
from haagenti.record import Record

MAX_RANK = 64  # of a numpy array


class StoredTensor(ABC):
    """A tensor that decodes on demand.

    Attributes:
        dtype: As safetensors spells it.
        shape: Elements along each axis.
        where: File and name, for messages.
    """

    dtype: str
    shape: tuple[int, ...]
    perm: tuple[int, ...]
    where: str

    @abstractmethod
    def run(self, start: int, stop: int) -> np.ndarray:
        """Elements ``start .. stop`` in the order of the matrix; (stop - start,) of the tensor's dtype, of 8 bits at least."""

    @abstractmethod
    def packed(self) -> memoryview:
        """The bytes of a tensor whose elements have less than 8 bits, in C order."""

    @property
    def is_packed(self) -> bool:
        """Whether elements have less than 8 bits."""
        return dtypes.bits(self.dtype) < 8

    def array(self) -> np.ndarray:
        """The whole tensor as numpy has it; elements of 4 bits come unpacked, one a byte. May be a view of the file.

        Raises:
            UnsupportedError: numpy has no such dtype or rank.
        """
        return self.block(())[0]

    def block(self, index: Any) -> tuple[np.ndarray, Any]:
        """The smallest contiguous part that holds ``tensor[index]``, and the index to apply to it.

        Raises:
            IndexError: ``index`` does not fit the shape; the message names the tensor.
            UnsupportedError: As for ``array``.
        """
        self.check_shape()
        try:
            block, rest = plan_block(self.shape, self.perm, index, whole=self.is_packed)
        except IndexError as error:
            raise IndexError(f"{self.where}: {error}") from None
        if self.is_packed:
            return subbyte.unpack(self.packed(), self.dtype, self.shape, self.where), rest
        return block.arrange(self.run(block.start, block.stop)), rest

    def check_shape(self) -> None:
        """Checks that an array can have the tensor's shape.

        Raises:
            UnsupportedError: Too many axes, or, in a tensor without elements, extents that no array can have.
        """
        if len(self.shape) > MAX_RANK:
            raise UnsupportedError(f"{self.where}: rank: expected at most {MAX_RANK}, found {len(self.shape)}")
        try:
            tensor_bytes(self.dtype, self.shape)
        except InvalidArgumentError as error:
            raise UnsupportedError(f"{self.where}: {error}") from None


class PlainTensor(StoredTensor):
    """A tensor whose bytes are stored as they are."""

    def __init__(self, data: memoryview, dtype: str, shape: tuple[int, ...], where: str) -> None:
        """Keeps the bytes; their size has been checked."""
        self._data = data
        self.dtype, self.shape, self.where = dtype, shape, where
        self.perm = tuple(range(len(shape)))

    def packed(self) -> memoryview:
        """See ``StoredTensor``; the file's own bytes."""
        return self._data

    def run(self, start: int, stop: int) -> np.ndarray:
        """See ``StoredTensor``; a view of the file's bytes."""
        width = dtypes.bits(self.dtype) // 8
        return np.frombuffer(self._data[start * width : stop * width], dtypes.to_numpy(self.dtype))


class CompressedTensor(StoredTensor):
    """A tensor stored as a record.

    Attributes:
        record: The record.
    """

    def __init__(self, data: object, name: str, file: str = "") -> None:
        """Checks the record's header.

        Args:
            data: The record's bytes, through the buffer protocol.
            name: Of the tensor.
            file: Of the file, for messages.

        Raises:
            CorruptError, TruncatedError, UnsupportedError: The header is not valid.
        """
        self._file = file
        with _naming(file):
            self.record = Record(data, name=name)
        self.dtype, self.shape, self.perm = self.record.dtype, self.record.shape, self.record.view.perm
        self.where = f"{file}: tensor {name!r}" if file else f"tensor {name!r}"

    def packed(self) -> memoryview:
        """See ``StoredTensor``; such records hold one flat row."""
        out = np.empty(tensor_bytes(self.dtype, self.shape), np.uint8)
        with _naming(self._file):
            self.record.view.decode_into(out, self.dtype)
        return out.data

    def run(self, start: int, stop: int) -> np.ndarray:
        """See ``StoredTensor``; decodes the chunks that hold the run."""
        out = np.empty(stop - start, dtypes.to_numpy(self.dtype))
        with _naming(self._file):
            self.record.view.decode_elements_into(start, stop, out.view(np.uint8), self.dtype)
        return out


@contextmanager
def _naming(file: str) -> Iterator[None]:
    """Puts the file's name before messages about a record, which knows only its tensor's."""
    try:
        yield
    except (DecompressionError, UnsupportedError) as error:
        if not file:
            raise
        raise type(error)(f"{file}: {error}") from None
