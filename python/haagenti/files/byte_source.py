"""Where the bytes of a stored file come from: a memory map, positioned reads, or a buffer.

Not responsible for: what the bytes mean.
"""

from __future__ import annotations

import mmap
import os
from typing import Protocol

from haagenti.errors import InvalidArgumentError, TruncatedError

StrPath = str | os.PathLike[str]
BACKENDS = ("mmap", "pread")


class ByteSource(Protocol):
    """Random access to the bytes of one file."""

    name: str
    size: int

    def read(self, offset: int, n_bytes: int) -> memoryview:
        """Returns bytes ``offset .. offset + n_bytes`` as a one-dimensional view of unsigned bytes.

        Raises:
            TruncatedError: The file ends before.
        """
        ...


class BufferSource:
    """Bytes that are in memory already: a ``bytes`` object or a memory map."""

    def __init__(self, data: object, name: str = "buffer") -> None:
        """Keeps ``data`` (C-contiguous, buffer protocol) alive and reads from it without copies."""
        self.name = name
        self._view = memoryview(data).cast("B")  # type: ignore[arg-type]
        self.size = len(self._view)

    def read(self, offset: int, n_bytes: int) -> memoryview:
        """See ``ByteSource.read``."""
        check_range(self, offset, n_bytes)
        return self._view[offset : offset + n_bytes]


class PreadSource:
    """A file read piece by piece with ``pread``; every piece is a fresh writable copy."""

    def __init__(self, path: StrPath) -> None:
        """Opens the file.

        Raises:
            OSError: It cannot be opened.
        """
        self.name = os.fspath(path)
        self._file = open(self.name, "rb", buffering=0)  # noqa: SIM115 (open as long as the source is)
        self.size = os.fstat(self._file.fileno()).st_size

    def read(self, offset: int, n_bytes: int) -> memoryview:
        """See ``ByteSource.read``."""
        check_range(self, offset, n_bytes)
        view = memoryview(bytearray(n_bytes))
        done = 0
        while done < n_bytes:
            n_read = os.preadv(self._file.fileno(), [view[done:]], offset + done)
            if n_read == 0:
                raise TruncatedError(f"{self.name}: expected {n_bytes} bytes at offset {offset}, found {done}")
            done += n_read
        return view


def open_source(path: StrPath, *, backend: str = "mmap", copy_on_write: bool = False) -> ByteSource:
    """Opens a file for reading.

    Args:
        path: The file.
        backend: ``"mmap"`` maps the file, ``"pread"`` reads every piece when it is asked for.
        copy_on_write: Whether views of a memory map shall be writable; what is written stays private to this process.

    Raises:
        InvalidArgumentError: An unknown backend.
        TruncatedError: The file is empty.
        OSError: The file cannot be opened.
    """
    if backend not in BACKENDS:
        raise InvalidArgumentError(f"backend: expected one of {', '.join(map(repr, BACKENDS))}, found {backend!r}")
    if backend == "pread":
        return PreadSource(path)
    access = mmap.ACCESS_COPY if copy_on_write else mmap.ACCESS_READ
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            raise TruncatedError(f"{os.fspath(path)}: expected a file with tensors, found an empty file")
        return BufferSource(mmap.mmap(file.fileno(), 0, access=access), os.fspath(path))


def check_range(source: ByteSource, offset: int, n_bytes: int) -> None:
    """Checks that a run of bytes lies inside the file.

    Raises:
        TruncatedError: It does not.
    """
    if offset < 0 or n_bytes < 0 or offset + n_bytes > source.size:
        raise TruncatedError(f"{source.name}: expected bytes {offset} .. {offset + n_bytes}, found a file of {source.size} bytes")
