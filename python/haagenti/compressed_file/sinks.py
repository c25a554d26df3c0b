"""Where compressed bytes go, and what becomes of the file when writing ends well or does not.

Not responsible for: compressing.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import stat
from typing import Any, Protocol

from haagenti.compressed_file import places
from haagenti.compressed_file.appended import Appended
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

    def __init__(self, path: str, overwrite: bool, follow: bool = True) -> None:
        """Creates it; ``follow``: a symbolic link stays, and the file that it points to is replaced, as the builtin open does."""
        found = places.stat_of(path, follow) if overwrite else None
        replaces = found is not None and stat.S_ISREG(found.st_mode)  # a link's own permissions mean nothing
        self._atomic = AtomicFile(
            places.replaced_by(path, follow) if overwrite else path,
            overwrite=overwrite,
            buffering=0,
            permissions=0o600 if replaces else 0o666,  # until it has those of the file that it replaces
        )
        self.file = self._atomic.file
        if found is not None and replaces:
            take_owner(self.file.fileno(), found)

    def commit(self) -> None:
        self._atomic.commit()

    def discard(self) -> None:
        self._atomic.abort()


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


def take_owner(descriptor: int, found: os.stat_result) -> None:
    """Gives a new file the owner, the group and the permissions of the one that it replaces, as far as this process may.

    Args:
        descriptor: Of the new file.
        found: Of the file that it replaces.
    """
    mode = found.st_mode & PERMISSIONS
    if hasattr(os, "fchown"):
        try:
            os.fchown(descriptor, found.st_uid, found.st_gid)
        except OSError:
            try:
                os.fchown(descriptor, -1, found.st_gid)
            except OSError:
                mode &= ~0o070  # they were meant for another group
    os.chmod(descriptor, mode)


def sink_for(path: str, kind: str, overwrite: bool, follow: bool = True) -> Sink:
    """Opens a path for writing.

    Args:
        path: Where to.
        kind: "w", "x" or "a".
        overwrite: Whether "w" may replace a file.
        follow: Whether "w" writes through a symbolic link; otherwise it replaces the link itself.

    Raises:
        FileExistsError: "x", and there is something of that name.
        IoError: "w" without overwrite, and there is something of that name.
        OSError: It cannot be written.
    """
    found = places.stat_of(path, follow=kind == "a" or (kind == "w" and overwrite and follow))
    if kind == "x":
        if found is not None:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        return NewFile(path, overwrite=False)
    if found is not None and (overwrite or kind == "a") and (direct := _direct(path, found.st_mode)) is not None:
        return direct
    if kind == "a" and found is not None:
        return Appended(path)
    return NewFile(path, overwrite=overwrite and kind == "w", follow=follow)


def _direct(path: str, mode: int) -> Direct | None:
    """For what is there and must be neither replaced nor cut off: pipes, devices, files of the system."""
    if stat.S_ISLNK(mode):
        return None
    if (system := places.system_file(path)) is not None:
        return Direct(builtins.open(places.open_system_file(system), "wb", buffering=0), close_file=True)
    return None if stat.S_ISREG(mode) else Direct(builtins.open(path, "wb", buffering=0), close_file=True)


def write_all(file: Any, data: bytes) -> None:
    """Writes all of data, also where the file takes less at a time.

    Raises:
        BlockingIOError: The file does not block and takes nothing now; it says how many bytes were taken.
    """
    n = _write(file, data, 0) if data else 0
    if n == len(data):
        return
    with memoryview(data) as rest:
        while n < len(data):
            n += _write(file, rest[n:], n)


def _write(file: Any, data: bytes | memoryview, n_before: int) -> int:
    n = file.write(data)
    if n is None and not isinstance(file, io.RawIOBase):  # file objects that do not count take everything
        return len(data)
    if not n:
        raise BlockingIOError(errno.EAGAIN, "the file takes no bytes now", n_before)
    return int(n)
