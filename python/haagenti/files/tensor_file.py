"""Opens a file of tensors, ``.hct`` or safetensors, and gives its tensors decoded, whole or in part.

Not responsible for: the array types of frameworks (`haagenti.safe_open`), checkpoints of several files (`haagenti.sources`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Protocol

from haagenti import _core
from haagenti.errors import CorruptError, InvalidArgumentError, UnsupportedError
from haagenti.files import shard_metadata
from haagenti.files.byte_source import ByteSource, open_source
from haagenti.files.safetensors_file import SafetensorsReader
from haagenti.files.stored_tensor import CompressedTensor, PlainTensor, StoredTensor
from haagenti.record import RECORD_MAGIC, Record, begins_like_record

StrPath = str | os.PathLike[str]
HCT_MAGIC = b"HCTN"
OTHER_FORMATS = {  # the first bytes of files that users confuse with these
    b"PK\x03\x04": "a zip archive, such as torch.save writes",
    b"\x80\x02": "a pickle, such as old versions of torch.save wrote",
    b"GGUF": "a GGUF file",
    b"\x89HDF": "an HDF5 file",
    RECORD_MAGIC: "a single record; give it to haagenti.decode",
}


class TensorFile(Protocol):
    """The tensors of one file by name.

    Attributes:
        name: The file's, for messages.
        metadata: The user's strings.
    """

    name: str
    metadata: Mapping[str, str]

    def names(self) -> list[str]:
        """Names in the order of the data."""
        ...

    def tensor(self, name: str) -> StoredTensor:
        """One tensor, not decoded yet."""
        ...

    def span(self, name: str) -> tuple[int, int]:
        """(offset, size) of the stored bytes: equal for names that share a tensor."""
        ...

    def __contains__(self, name: object) -> bool:
        """Whether there is a tensor of that name."""
        ...


class HctTensorFile:
    """The records of an ``.hct`` file. See ``TensorFile``."""

    def __init__(self, source: ByteSource, where: object) -> None:
        """Opens the container.

        Args:
            source: The file's bytes.
            where: What ``_core.HctReader`` reads the index from: the path, or the bytes.

        Raises:
            UnsupportedError: A version before 4.
            CorruptError: Header, index or footer is not valid.
            TruncatedError: The file was cut or never finished.
        """
        self._source = source
        self.name = source.name
        self._reader = _core.HctReader(where)
        self.metadata: Mapping[str, str] = self._reader.metadata()
        self._names = dict.fromkeys(sorted(self._reader.names(), key=self.span))

    def names(self) -> list[str]:
        """See ``TensorFile``."""
        return list(self._names)

    def __contains__(self, name: object) -> bool:
        """See ``TensorFile``."""
        return name in self._names

    def tensor(self, name: str) -> StoredTensor:
        """See ``TensorFile``."""
        self._reader.record(name)  # checks that the index and the record's header belong together
        offset, size = self.span(name)
        return CompressedTensor(self._source.read(offset, size), name, self.name)

    def span(self, name: str) -> tuple[int, int]:
        """See ``TensorFile``."""
        offset, size = self._reader.span(name)
        return int(offset), int(size)


class SafetensorsTensorFile:
    """The tensors of a safetensors file; those that its metadata calls records are decoded. See ``TensorFile``."""

    def __init__(self, source: ByteSource) -> None:
        """Reads the header and the description of the records.

        Raises:
            CorruptError: The header is not valid, or describes tensors that are not stored as records are.
            TruncatedError: The file is cut.
            UnsupportedError: The description is of a version that is not known.
        """
        self._reader = SafetensorsReader(source)
        self.name = source.name
        described = shard_metadata.parse(self._reader.metadata, self.name)
        stored = set(self._reader.names())
        # transformers writes the same metadata into every shard of a model: what it says of other shards' tensors is theirs to check.
        self._described = {name: one for name, one in described.tensors.items() if name in stored}
        self._aliases = {alias: name for alias, name in described.aliases.items() if name in stored}
        self.metadata: Mapping[str, str] = {key: value for key, value in self._reader.metadata.items() if key != shard_metadata.KEY}
        self._check_described()
        self._names = dict.fromkeys(sorted([*self._reader.names(), *self._aliases], key=self.span))

    def names(self) -> list[str]:
        """See ``TensorFile``."""
        return list(self._names)

    def __contains__(self, name: object) -> bool:
        """See ``TensorFile``."""
        return name in self._names

    def tensor(self, name: str) -> StoredTensor:
        """See ``TensorFile``."""
        stored = self._aliases.get(name, name)
        info = self._reader.info(stored)
        described = self._described.get(stored)
        if described is None:
            return PlainTensor(self._reader.raw(stored), info.dtype, info.shape, f"{self.name}: tensor {name!r}")
        tensor = CompressedTensor(self._reader.raw(stored), name, self.name)
        check_described(tensor.record, described, f"{self.name}: tensor {name!r}")
        return tensor

    def span(self, name: str) -> tuple[int, int]:
        """See ``TensorFile``."""
        info = self._reader.info(self._aliases.get(name, name))
        return info.offset, info.n_bytes

    def _check_described(self) -> None:
        for name in self._described:
            info = self._reader.info(name)
            if info.dtype != "U8" or len(info.shape) != 1:
                raise CorruptError(
                    f"{self.name}: tensor {name!r}: expected a record, a 1-D U8 tensor, found {info.dtype} {list(info.shape)}"
                )
        for name in self._reader.names():
            info = self._reader.info(name)
            if name not in self._described and info.dtype == "U8" and len(info.shape) == 1 and begins_like_record(self._reader.raw(name)):
                raise CorruptError(f"{self.name}: tensor {name!r}: expected a description of this record in the metadata, found none")
        for alias, name in self._aliases.items():
            if alias in self._reader.names():
                raise CorruptError(f"{self.name}: alias {alias!r}: expected a new name for a stored tensor, found one of {name!r}")


def open_tensor_file(path: StrPath, *, backend: str = "mmap", copy_on_write: bool = False) -> TensorFile:
    """Opens a file whose kind is known from its first bytes.

    Args:
        path: An ``.hct`` or safetensors file; the suffix does not matter.
        backend: ``"mmap"`` or ``"pread"``.
        copy_on_write: Whether plain tensors shall be writable views of a private map.

    Raises:
        UnsupportedError: Another kind of file, or an older version of ``.hct``.
        CorruptError, TruncatedError: The file is damaged.
        OSError: The file cannot be opened.
    """
    source = open_source(path, backend=backend, copy_on_write=copy_on_write)
    return read_tensor_file(source, os.fspath(path))


def read_tensor_file(source: ByteSource, where: object) -> TensorFile:
    """Reads the headers of a file that is open already.

    Args:
        source: The file's bytes.
        where: The path or the buffer that ``source`` reads.
    """
    first = bytes(source.read(0, min(16, source.size)))
    if first.startswith(HCT_MAGIC):
        _check_version(first, source.name)
        return HctTensorFile(source, where)
    for magic, what in OTHER_FORMATS.items():
        if first.startswith(magic):
            raise UnsupportedError(f"{source.name}: format: expected an .hct or safetensors file, found {what}")
    return SafetensorsTensorFile(source)


def check_described(record: Record, described: shard_metadata.Described, where: str) -> None:
    """Checks a record against what the file's metadata says of it.

    Raises:
        CorruptError: dtype, shape or encoding differ.
    """
    pairs: dict[str, tuple[Any, Any]] = {
        "dtype": (described.dtype, record.dtype),
        "shape": (tuple(described.shape), tuple(record.shape)),
        "encoding": (described.encoding, record.encoding),
    }
    for field, (expected, found) in pairs.items():
        if expected != found:
            raise CorruptError(f"{where}: {field}: expected {expected!r}, as the file's metadata says, found {found!r} in the record")


def _check_version(first: bytes, where: str) -> None:
    version = int.from_bytes(first[4:8], "little")
    if version < 4 and len(first) >= 8:
        raise UnsupportedError(
            f"{where}: version: expected 4, found {version}, a one-tensor file of an older tool that this version does not read"
        )


def missing(name: object, file: TensorFile) -> InvalidArgumentError:
    """The error for a tensor that a file does not have."""
    return InvalidArgumentError(f"{file.name}: expected the name of one of its {len(file.names())} tensors, found {name!r}")
