"""haagenti.open and the files that it writes: what else happens to them and to the process meanwhile."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

import haagenti
from haagenti.compressed_file import sinks
from haagenti.errors import IoError
from open_samples import in_child, needs_fork, python, written

# --- forks and the end of the process -----------------------------------------------------------------------------------------------------


@needs_fork
@pytest.mark.parametrize("mode", ["wb", "xb", "ab"])
@pytest.mark.parametrize("flush", [True, False])
def test_a_child_that_ends_leaves_the_file_to_its_parent(mode: str, flush: bool, tmp_path: Path) -> None:
    code = f"""
file, parts = haagenti.open("a.zst", {mode!r}), [bytes([i]) * 100_000 for i in range(40)]
for part in parts:  # little comes of them, less than a buffer
    file.write(part)
if {flush}:
    file.flush()
if (child := os.fork()) == 0:
    sys.exit()
os.waitpid(child, 0)
file.write(b"end")
file.close()
assert haagenti.open("a.zst").read() == b"".join(parts) + b"end"
"""
    assert b"not closed" not in python(code, folder=tmp_path).stderr


def test_nothing_is_held_back_from_the_descriptor(tmp_path: Path) -> None:
    for sink in (sinks.NewFile(str(tmp_path / "a"), overwrite=False), sinks.sink_for(str(written(tmp_path / "b.zst", b"")), "a", True)):
        before = os.fstat(sink.file.fileno()).st_size
        sinks.write_all(sink.file, b"12345")
        assert os.fstat(sink.file.fileno()).st_size == before + 5
        sink.discard()


@needs_fork
def test_a_child_may_give_its_copy_up(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zst", b"old")
    for mode in ("ab", "wb"):
        with haagenti.open(path, mode) as file:
            file.write(b"new")
            assert in_child(file.discard) == 0
    assert haagenti.open(path).read() == b"new"


def test_a_file_that_was_forgotten_is_told_without_asking(tmp_path: Path) -> None:
    result = python("file = haagenti.open('a.zst', 'w'); file.write(b'lost'); del file", folder=tmp_path)
    assert b"UnclosedFileWarning: 'a.zst' was not closed: what was written to it is given up" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_working_directory_may_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other").mkdir()
    for mode in ("wb", "xb"):
        monkeypatch.chdir(tmp_path)
        with haagenti.open(f"{mode}.zst", mode) as file:
            file.write(b"data")
            monkeypatch.chdir(tmp_path / "other")
        assert file.name == f"{mode}.zst"
        assert haagenti.open(tmp_path / f"{mode}.zst").read() == b"data"
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ZeroDivisionError), haagenti.open(f"{mode}-not.zst", mode):  # noqa: PT012
            monkeypatch.chdir(tmp_path / "other")
            raise ZeroDivisionError
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "wb.zst", "xb.zst"]
    assert list((tmp_path / "other").iterdir()) == []


# --- appending ----------------------------------------------------------------------------------------------------------------------------


def test_appending_that_could_not_be_stored_touches_no_other_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of a closed descriptor is given to the next file that is opened."""
    path, victim, taken = written(tmp_path / "a.zst", b"old"), tmp_path / "victim", []
    victim.write_bytes(b"v" * 1000)
    size, close = path.stat().st_size, os.close

    def failing(descriptor: int) -> None:
        raise OSError(errno.EIO, "I/O error")

    def close_and_open(descriptor: int) -> None:
        close(descriptor)
        taken.append(os.open(victim, os.O_RDWR))

    file = haagenti.open(path, "a")
    file.write(b"new")
    monkeypatch.setattr(os, "fsync", failing)
    monkeypatch.setattr(os, "close", close_and_open)
    with pytest.raises(OSError, match="I/O error"):
        file.close()
    monkeypatch.undo()
    assert victim.stat().st_size == 1000
    assert path.stat().st_size == size
    for descriptor in taken:
        os.close(descriptor)  # open still: nobody else closed it


def test_one_appends_at_a_time(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zst", b"old ")
    first = haagenti.open(path, "a")
    with pytest.raises(IoError, match="appends to it"):
        haagenti.open(path, "a")
    first.discard()
    written(path, b"new", "ab")
    assert haagenti.open(path).read() == b"old new"


def test_what_others_have_added_is_not_cut_off(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zst", b"old ")
    file = haagenti.open(path, "a")
    with path.open("ab") as other:
        other.write(haagenti.compress(b"another's"))
    file.discard()
    assert haagenti.open(path).read() == b"old another's"
