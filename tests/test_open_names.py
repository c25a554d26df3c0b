"""haagenti.open and names: links, names of the system, owners and permissions, and what errors say.

Not responsible for: forks, appending and the end of the process.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

import haagenti
from haagenti.compressed_file import sinks
from haagenti.files.atomic import AtomicFile
from open_samples import in_child, needs_fork, python, written

NOISE = bytes(os.urandom(1000)) * 300
needs_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files to others")
NOBODY = 65534


# --- names, owners and permissions --------------------------------------------------------------------------------------------------------


def test_a_link_is_followed_or_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    for follow in (True, False):
        link.unlink(missing_ok=True)
        link.symlink_to("target")
        sink = sinks.sink_for(str(link), "w", True, follow=follow)
        sinks.write_all(sink.file, b"new")
        sink.commit()
        assert link.is_symlink() == follow
        assert link.read_bytes() == b"new"
        assert (target.read_bytes() == b"new") == follow
        target.write_bytes(b"old")


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="there is no /dev/stdout")
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
@pytest.mark.parametrize("mode", ["w", "a"])
def test_the_systems_names_of_open_files_are_written_to(name: str, mode: str, tmp_path: Path) -> None:
    """What they are redirected to stays the same file, and what others have written to it stays."""
    (tmp_path / "link").symlink_to("/dev/stdout")
    out = tmp_path / "out"
    out.write_bytes(haagenti.compress(b"before "))
    inode = out.stat().st_ino
    with out.open("ab") as file:
        code = f"with haagenti.open({name!r}, {mode!r}, 'zstd') as file: file.write(b'within')\nos.write(1, haagenti.compress(b' after'))"
        python(code, folder=tmp_path, stdout=file)
    assert haagenti.open(out).read() == b"before within after"
    assert out.stat().st_ino == inode
    assert (tmp_path / "link").is_symlink()


@needs_root
def test_owner_and_group_stay(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zst", b"old")
    os.chown(path, 12, 34)
    path.chmod(0o640)
    written(path, b"new")
    found = path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (12, 34, 0o640)


@needs_root
@needs_fork
@pytest.mark.parametrize(("groups", "expected"), [([34], (NOBODY, 34, 0o664)), ([], (NOBODY, NOBODY, 0o604))])
def test_permissions_for_a_group_are_given_to_no_other(groups: list[int], expected: tuple[int, int, int], tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(b"")
    os.chown(old, 12, 34)
    old.chmod(0o664)
    new.write_bytes(b"")
    os.chown(new, NOBODY, NOBODY)
    found = old.stat()
    descriptor = os.open(new, os.O_WRONLY)

    def as_nobody() -> None:
        os.setgroups(groups)
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        sinks.take_owner(descriptor, found)

    assert in_child(as_nobody) == 0
    os.close(descriptor)
    assert (new.stat().st_uid, new.stat().st_gid, stat.S_IMODE(new.stat().st_mode)) == expected


def test_a_private_file_is_never_readable_while_it_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, seen = written(tmp_path / "a.zst", b"old"), []
    monkeypatch.setattr(sinks, "take_owner", lambda descriptor, found: seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode)))
    written(path, b"new")
    assert seen == [0o600]


# --- errors -------------------------------------------------------------------------------------------------------------------------------


def test_errors_have_the_name_that_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="a new file is made beside it") as caught:
        haagenti.open("missing/a.zst", "w")
    assert caught.value.filename == "missing/a.zst"
    file = haagenti.open("a.zst", "w")
    (tmp_path / "a.zst").mkdir()
    with pytest.raises(IsADirectoryError) as caught_late:
        file.close()
    assert caught_late.value.filename == "a.zst"
    assert "partial" not in f"{caught.value}{caught_late.value}"
    assert [path.name for path in tmp_path.iterdir()] == ["a.zst"]


def test_a_temporary_file_that_is_gone_hides_no_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), AtomicFile(tmp_path / "a"):  # noqa: PT012
        next(tmp_path.iterdir()).unlink()
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_cannot_be_stored_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    assert haagenti.open(written(tmp_path / "a.zst", NOISE)).read() == NOISE


def test_a_folder_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def open_no_folder(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        if os.path.isdir(path):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, flags, *arguments, **options)

    monkeypatch.setattr(os, "open", open_no_folder)
    assert haagenti.open(written(tmp_path / "a.zst", NOISE)).read() == NOISE
