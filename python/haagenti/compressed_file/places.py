"""What is at a path that shall be written.

Not responsible for: writing there (``sinks.py``).
"""

from __future__ import annotations

import errno
import os
import re

MOST_LINKS = 40
"""Symbolic links that are followed to a file of the system; Linux follows as many."""


def replaced_by(path: str, follow: bool) -> str:
    """The path that is replaced in place of path: through a symbolic link that of the file that it points to.

    Raises:
        PermissionError: The file that is there may not be written.
    """
    if not follow and os.path.islink(path):
        return path
    if os.path.exists(path) and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    return os.path.realpath(path) if os.path.islink(path) else path


def stat_of(path: str, follow: bool) -> os.stat_result | None:
    """What os.stat says of a path; None for nothing."""
    try:
        return os.stat(path, follow_symlinks=follow)
    except FileNotFoundError:
        return None


def system_file(path: str) -> str | None:
    """Where a path is a name of the system for a file that is open already, as /dev/stdout is, or of /proc: that name.

    What it points to may be a regular file, which must be written and not replaced: others have it open.
    """
    for _ in range(MOST_LINKS):
        path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        if path.startswith("/proc/"):
            return path
        if not os.path.islink(path):
            return None
        path = os.path.join(os.path.dirname(path), os.readlink(path))
    return None


def open_system_file(path: str) -> int:
    """Opens what `system_file` found, without truncating it.

    A descriptor of this process is duplicated: opened anew, a file would be written from its beginning, also after ``>>``.
    """
    own = re.fullmatch(rf"/proc/{os.getpid()}/fd/(\d+)", path)
    return os.dup(int(own[1])) if own else os.open(path, os.O_WRONLY | getattr(os, "O_CLOEXEC", 0))
