"""A file that appears under its name only when it is whole: temporary file beside it, fsync, rename.

Not responsible for: what is written, or for directories that must appear as a whole.
"""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress
from types import TracebackType
from typing import BinaryIO, NoReturn

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

    def __init__(self, path: StrPath, *, overwrite: bool = False, buffering: int = -1, permissions: int = 0o666) -> None:
        """Creates the temporary file.

        Args:
            path: Where the file shall appear.
            overwrite: Whether a file that is there already may be replaced.
            buffering: Of ``file``, as for the builtin ``open``. With 0 a forked child has no copy of unwritten bytes, which it would
                write when it ends.
            permissions: Of the new file, less the umask.

        Raises:
            IoError: ``path`` exists and ``overwrite`` is false.
            OSError: The directory does not exist or cannot be written.
        """
        self.path = os.fspath(path)
        self._overwrite = overwrite
        self._open = False
        # Where it is now, also after a change of the working directory. Not abspath: "link/.." is not the folder of the link.
        self._target = os.path.join(os.getcwd(), self.path)
        self._check_absent()
        self._directory = os.path.dirname(self._target)
        # Short enough for a file system whose longest name the target has already.
        name = os.path.basename(self.path)[:LONGEST_STEM]
        self._temporary = os.path.join(self._directory, f"{name}.partial-{secrets.token_hex(6)}")
        self._pid = os.getpid()
        try:
            descriptor = os.open(self._temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), permissions)
        except OSError as error:
            self._raise_for_path(error)
        self._open = True
        self.file: BinaryIO = os.fdopen(descriptor, "w+b", buffering)

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
            self._open = False
        except BaseException:
            self.abort()
            raise
        sync_directory(self._directory)

    def abort(self) -> None:
        """Removes the temporary file; does nothing after ``commit`` or a first ``abort``."""
        if not self._open or os.getpid() != self._pid:
            return
        self._open = False
        try:
            self.file.close()
        finally:
            with suppress(FileNotFoundError):  # renamed, or removed by another: that must not hide why it is given up
                os.unlink(self._temporary)

    def _rename(self) -> None:
        """Renames; where nothing may be replaced by a link first, since that fails when the name has appeared meanwhile."""
        try:
            if self._overwrite:
                os.replace(self._temporary, self._target)
            else:
                self._link()
        except IoError:
            raise
        except OSError as error:
            self._raise_for_path(error)

    def _link(self) -> None:
        self._check_absent()
        try:
            os.link(self._temporary, self._target)
        except FileExistsError:
            self._check_absent()
            raise
        except OSError:  # a file system without links
            os.rename(self._temporary, self._target)
        else:
            os.unlink(self._temporary)

    def _raise_for_path(self, error: OSError) -> NoReturn:
        """The same error with the name that the caller knows, in place of the temporary file's."""
        raise OSError(error.errno, f"{error.strerror} (a new file is made beside it)", self.path) from None

    def _check_absent(self) -> None:
        if not self._overwrite and os.path.lexists(self._target):
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
    """Asks the system to store the names in a directory, so that a rename survives a power cut; as far as it can be asked."""
    if os.name != "posix":
        return
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:  # a directory that may be written but not read
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that does not store names on request
            raise
    finally:
        os.close(descriptor)
