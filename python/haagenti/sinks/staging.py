"""A directory that appears as a whole: filled under another name beside its place, then renamed.

Not responsible for: what is in it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from haagenti.errors import IoError
from haagenti.files.atomic import sync_directory


class StagedDirectory:
    """Creates ``.<name>.partial-<pid>`` beside `path`; `commit` renames it to `path`.

    Args:
        path: where the directory shall appear.
        force: whether a model directory that is there may be replaced. It stays until the new one is complete.

    Raises:
        IoError: something is at `path` that may not be replaced.
    """

    def __init__(self, path: Path, force: bool = False) -> None:
        self.path = Path(os.path.abspath(path))
        self._force = force
        check_replaceable(self.path, force)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.partial = self.path.parent / f".{self.path.name}.partial-{os.getpid()}"
        self._old = self.path.parent / f".{self.path.name}.old-{os.getpid()}"
        try:
            self.partial.mkdir()
        except FileExistsError:
            raise IoError(f"{self.partial}: is there already, left by a run that was killed; remove it") from None
        self._open = True

    def commit(self) -> None:
        """Stores the files' content and makes the directory appear."""
        _sync_tree(self.partial)
        check_replaceable(self.path, self._force)
        if _is_empty_directory(self.path) or not os.path.lexists(self.path):
            os.rename(self.partial, self.path)
        else:
            self._replace()
        self._open = False
        sync_directory(self.path.parent)

    def abort(self) -> None:
        """Removes what has been written; does nothing after `commit`."""
        if self._open:
            self._open = False
            shutil.rmtree(self.partial, ignore_errors=True)

    def _replace(self) -> None:
        os.rename(self.path, self._old)
        try:
            os.rename(self.partial, self.path)
        except BaseException:
            os.rename(self._old, self.path)
            raise
        shutil.rmtree(self._old)


def check_replaceable(path: Path, force: bool) -> None:
    """Checks that a directory may appear at `path`.

    Raises:
        IoError: something is there, and `force` is not given, or it does not look like a model directory.
    """
    if not os.path.lexists(path) or _is_empty_directory(path):
        return
    if not force:
        raise IoError(f"{path}: exists already; it is replaced only when forced (force=True, --force)")
    if path.is_symlink() or not path.is_dir() or not _looks_like_model(path):
        raise IoError(f"{path}: is not a model directory (no config.json, no *.safetensors); it is not replaced even when forced")


def _looks_like_model(path: Path) -> bool:
    return any(name == "config.json" or name.endswith(".safetensors") for name in os.listdir(path))


def _is_empty_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not os.listdir(path)


def _sync_tree(directory: Path) -> None:
    for folder, _, names in os.walk(directory):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                os.fsync(file.fileno())
        sync_directory(folder)
