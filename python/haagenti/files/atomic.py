"""A file that appears under its name only when it is whole: temporary file beside it, fsync, rename.

Not responsible for: what is written, or for directories that must appear as a whole.
"""

from __future__ import annotations

import os
import secrets
from types import TracebackType
from typing import BinaryIO

from haagenti.errors import IoError

StrPath = str | os.PathLike[str]

LONGEST_STEM = 50
"""Characters of the target's name in that of the temporary file: at most 200 of the 255 bytes that a name may have."""


class AtomicFile:
    """A temporary file in the directory of ``path`` that ``commit`` renames to ``path``.

    As a context manager it commits when the block ends and aborts when the block raises. A file that was neither
    committed nor aborted is removed when the object goes away.

    Example:
        >>> import tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "a.txt")
        >>> with AtomicFile(path) as atomic:
        ...     _ = atomic.file.write(b"whole")
        >>> open(path).read()
        'whole'
    """

    def __init__(self, path: StrPath, *, overwrite: bool = False) -> None:
        """Creates the temporary file.

        Args:
            path: Where the file shall appear.
            overwrite: Whether a file that is there already may be replaced.

        Raises:
            IoError: ``path`` exists and ``overwrite`` is false.
            OSError: The directory does not exist or cannot be written.
        """
        self.path = os.fspath(path)
        self._overwrite = overwrite
        self._open = False
        self._check_absent()
        self._directory = os.path.dirname(self.path) or "."
        # Short enough for a file system whose longest name the target has already.
        name = os.path.basename(self.path)[:LONGEST_STEM]
        self._temporary = os.path.join(os.path.dirname(self.path), f"{name}.partial-{secrets.token_hex(6)}")
        self._pid = os.getpid()
        descriptor = os.open(self._temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o666)
        self._open = True
        self.file: BinaryIO = os.fdopen(descriptor, "w+b")

    def commit(self) -> None:
        """Makes the file appear: flush, fsync, rename, fsync of the directory.

        Raises:
            IoError: ``path`` has appeared meanwhile and may not be replaced; the temporary file is removed.
            OSError: Writing failed; the temporary file is removed.
        """
        try:
            self.file.flush()
            os.fsync(self.file.fileno())
            self.file.close()
            self._rename()
        except BaseException:
            self.abort()
            raise
        self._open = False
        sync_directory(self._directory)

    def abort(self) -> None:
        """Removes the temporary file; does nothing after ``commit`` or a first ``abort``."""
        if not self._open or os.getpid() != self._pid:
            return
        self._open = False
        try:
            self.file.close()
        finally:
            os.unlink(self._temporary)

    def _rename(self) -> None:
        """Renames; where nothing may be replaced by a link first, since that fails when the name has appeared meanwhile."""
        if self._overwrite:
            os.replace(self._temporary, self.path)
            return
        self._check_absent()
        try:
            os.link(self._temporary, self.path)
        except FileExistsError:
            self._check_absent()
            raise
        except OSError:  # a file system without links
            os.rename(self._temporary, self.path)
        else:
            os.unlink(self._temporary)

    def _check_absent(self) -> None:
        if not self._overwrite and os.path.lexists(self.path):
            raise IoError(f"{self.path}: expected no file of that name, found one; it is replaced only with overwrite=True")

    def __enter__(self) -> AtomicFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self.commit()
        else:
            self.abort()

    def __del__(self) -> None:
        if getattr(self, "_open", False):
            self.abort()


def sync_directory(path: StrPath) -> None:
    """Asks the system to store the names in a directory, so that a rename survives a power cut."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
