"""The end of a file that is there already.

Not responsible for: whether what is appended can be read together with what is there (``names.py``).
"""

from __future__ import annotations

import os

from haagenti.errors import IoError


class Appended:
    """The end of a file that is there already; cut off again when writing does not end well.

    It is its own file, over a bare descriptor: io's files close themselves when they become garbage, before they could be cut off.
    While it is open the file is locked against others that append with this class, since their bytes would be cut off as well.

    Raises:
        IoError: Another appends to the file.
    """

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_CLOEXEC", 0))
        try:
            _lock(self._descriptor, path)
            self._old_size = os.fstat(self._descriptor).st_size
        except BaseException:
            self._close()
            raise
        self._n_written = 0
        self._pid = os.getpid()
        self.file = self

    def write(self, data: bytes | memoryview) -> int:
        n = os.write(self._descriptor, data)
        self._n_written += n
        return n

    def fileno(self) -> int:
        return self._descriptor

    def commit(self) -> None:
        os.fsync(self._descriptor)  # where this fails discard() follows
        self._close()

    def discard(self) -> None:
        if self._descriptor < 0:
            return
        try:
            # A fork's copy of the object must leave the file alone, and nobody may cut off what others have appended meanwhile.
            if os.getpid() == self._pid and os.fstat(self._descriptor).st_size == self._old_size + self._n_written:
                os.ftruncate(self._descriptor, self._old_size)
        finally:
            self._close()

    def _close(self) -> None:
        # Forgotten first: the number is another file's as soon as it is closed, also where closing fails.
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)


def _lock(descriptor: int, path: str) -> None:
    """Locks a file until its descriptor is closed; does nothing on a file system without locks."""
    if os.name != "posix":
        return
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise IoError(f"{path}: another process or file object appends to it") from None
    except OSError:
        return
