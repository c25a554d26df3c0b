"""A directory that appears as a whole: filled under another name beside its place, then renamed.

Not responsible for: what is in it.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Collection
from pathlib import Path

from haagenti.errors import IoError
from haagenti.files.atomic import sync_directory

# What a conversion writes or copies: only such files, and those that it would copy now, are replaced.
_MODEL_FILES = re.compile(
    r"[^/]+\.safetensors(\.index\.json)?|README\.md|(LICEN[CS]E|NOTICE|USE_POLICY)(\.\w+)?|[^/]+\.model|\.gitattributes|\.DS_Store"
    r"|((\w+_)?config|tokenizer|vocab|added_tokens|special_tokens_map|chat_template)\.json"
    r"|(merges|vocab)\.txt|chat_template\.jinja|[^/]+\.tiktoken|(configuration|modeling|tokenization|processing|image_processing)_\w+\.py"
)
_SHOWN = 5  # names in an error
EXISTS = "{path}: exists already; it is replaced only when forced (force=True, --force)"


class StagedDirectory:
    """Creates ``.<name>.partial-<random>`` beside `path`; `commit` renames it to `path`.

    Args:
        path: where the directory shall appear.
        force: whether a model directory that is there may be replaced. It stays until the new one is complete.
        known: files, relative to `path`, that may be replaced besides the usual ones of a model.

    Raises:
        IoError: something is at `path` that may not be replaced.
    """

    def __init__(self, path: Path, force: bool = False, known: Collection[str] = ()) -> None:
        self.path = Path(os.path.abspath(path))
        self._force, self._known = force, frozenset(known)
        check_replaceable(self.path, force, self._known)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        run = secrets.token_hex(6)
        self.partial = self.path.parent / f".{self.path.name}.partial-{run}"
        self._old = self.path.parent / f".{self.path.name}.old-{run}"
        self.partial.mkdir()
        self._open = True

    def commit(self) -> None:
        """Stores the files' content and makes the directory appear."""
        _sync_tree(self.partial)
        check_replaceable(self.path, self._force, self._known)
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


def check_replaceable(path: Path, force: bool, known: Collection[str] = ()) -> None:
    """Checks that a directory may appear at `path`.

    Args:
        path: the place.
        force: whether a model directory may be replaced.
        known: files, relative to `path`, that may be replaced besides the usual ones of a model.

    Raises:
        IoError: something is there, and `force` is not given, or it does not look like a model directory, or holds other files.
    """
    if not os.path.lexists(path) or _is_empty_directory(path):
        return
    if not force:
        raise IoError(EXISTS.format(path=path))
    if path.is_symlink() or not path.is_dir() or not _looks_like_model(path):
        raise IoError(f"{path}: is not a model directory (no config.json, no *.safetensors); it is not replaced even when forced")
    strangers = [name for name in _files(path) if name not in known and not _MODEL_FILES.fullmatch(name)]
    if strangers:
        names = ", ".join(map(repr, strangers[:_SHOWN])) + (f" and {len(strangers) - _SHOWN} more" if len(strangers) > _SHOWN else "")
        raise IoError(f"{path}: holds files that are not of a model: {names}; it is not replaced even when forced")


def _looks_like_model(path: Path) -> bool:
    return any(name == "config.json" or name.endswith(".safetensors") for name in os.listdir(path))


def _files(path: Path) -> list[str]:
    """Everything in a directory that is not a folder, links to folders and empty folders included, relative to it."""
    found = []
    for folder, folders, names in os.walk(path):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        found += [(Path(folder) / name).relative_to(path).as_posix() for name in [*names, *links]]
        if not folders and not names:
            found.append(Path(folder).relative_to(path).as_posix())
    return sorted(found)


def _is_empty_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not os.listdir(path)


def _sync_tree(directory: Path) -> None:
    for folder, _, names in os.walk(directory):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                os.fsync(file.fileno())
        sync_directory(folder)
