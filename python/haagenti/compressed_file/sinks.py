"""Where compressed bytes go, and what becomes of the file when writing ends well or does not.

Not responsible for: compressing.
"""

from __future__ import annotations

import builtins
import errno
import os
import stat
from contextlib import suppress
from typing import Any, Protocol

from haagenti.files.atomic import AtomicFile

PERMISSIONS = 0o777


class Sink(Protocol):
    """Takes compressed bytes. After `commit` or `discard` nothing else is called."""

    file: Any

    def commit(self) -> None:
        """All bytes have come: makes them last."""

    def discard(self) -> None:
        """Not all bytes have come: as if nothing had been written, where that can be."""


class NewFile:
    """A file that appears, or replaces another, once it is whole."""

    def __init__(self, path: str, overwrite: bool) -> None:
        # Through a symbolic link the file that it points to is written, as the builtin open does.
        self._atomic = AtomicFile(_target(path) if overwrite else path, overwrite=overwrite)
        self.file = self._atomic.file
        if overwrite:
            with suppress(FileNotFoundError):  # nothing is replaced
                os.chmod(self.file.fileno(), os.stat(path).st_mode & PERMISSIONS)

    def commit(self) -> None:
        self._atomic.commit()

    def discard(self) -> None:
        self._atomic.abort()


class Appended:
    """The end of a file that is there already; cut off again when writing does not end well.

    It is its own file, over a bare descriptor: io's files close themselves when they become garbage, before they could be cut off.
    """

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_CLOEXEC", 0))
        self._old_size = os.fstat(self._descriptor).st_size
        self._pid = os.getpid()
        self.file = self

    def write(self, data: bytes | memoryview) -> int:
        return os.write(self._descriptor, data)

    def fileno(self) -> int:
        return self._descriptor

    def commit(self) -> None:
        try:
            os.fsync(self._descriptor)
        finally:
            os.close(self._descriptor)

    def discard(self) -> None:
        try:
            if os.getpid() == self._pid:  # a fork's copy of the object must leave the file alone
                os.ftruncate(self._descriptor, self._old_size)
        finally:
            os.close(self._descriptor)


class Direct:
    """A pipe, a device, or a file object of the caller: what is written cannot be taken back.

    Without the end of the stream, that a discarded file lacks, every reader finds it truncated.
    """

    def __init__(self, file: Any, close_file: bool) -> None:
        self.file = file
        self._close_file = close_file

    def commit(self) -> None:
        if self._close_file:
            self.file.close()
        elif hasattr(self.file, "flush"):
            self.file.flush()

    def discard(self) -> None:
        if self._close_file:
            self.file.close()


def sink_for(path: str, kind: str, overwrite: bool) -> Sink:
    """Opens a path for writing.

    Args:
        path: Where to.
        kind: "w", "x" or "a".
        overwrite: Whether "w" may replace a file.

    Raises:
        FileExistsError: "x", and there is something of that name.
        IoError: "w" without overwrite, and there is something of that name.
        OSError: It cannot be written.
    """
    found = _kind_of(path, follow=kind != "x" and (kind == "a" or overwrite))
    if kind == "x":
        if found is not None:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        return NewFile(path, overwrite=False)
    if found is not None and not stat.S_ISREG(found) and (overwrite or kind == "a"):
        return Direct(builtins.open(path, "wb", buffering=0), close_file=True)
    if kind == "a" and found is not None:
        return Appended(path)
    return NewFile(path, overwrite=overwrite and kind == "w")


def write_all(file: Any, data: bytes) -> None:
    """Writes all of data, also where the file takes less at a time."""
    n = file.write(data)
    if n is None or n == len(data):
        return
    with memoryview(data) as rest:
        while n < len(data):
            n += file.write(rest[n:])


def _target(path: str) -> str:
    """The path that is replaced in place of path.

    Raises:
        PermissionError: The file that is there may not be written.
    """
    if os.path.exists(path) and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    return os.path.realpath(path) if os.path.islink(path) else path


def _kind_of(path: str, follow: bool) -> int | None:
    """What a path is, as in st_mode; None for nothing."""
    try:
        return os.stat(path, follow_symlinks=follow).st_mode
    except FileNotFoundError:
        return None
