"""haagenti compress and haagenti decompress: what they refuse, and what they never replace or remove."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import haagenti
from cli_compress_samples import (
    DATA,
    PROGRAM,
    Captured,
    Terminal,
    names,
    own_folder,  # noqa: F401 - every test runs in it
    write,
)
from haagenti.cli.run import run


@pytest.mark.parametrize("make", ["file", "link", "dangling link"])
def test_nothing_is_overwritten_without_force(make: str, capsys: Captured) -> None:
    write("a")
    write("target", b"mine")
    if make == "file":
        write("a.zst", b"mine")
    else:
        os.symlink("target" if make == "link" else "nowhere", "a.zst")
    write("other")
    for arguments in (["compress", "a"], ["compress", "other", "-o", "a.zst"]):
        assert run(arguments) == 1
        assert capsys.readouterr().err == "haagenti: a.zst: is there already; --force replaces it\n"
    assert Path("a").read_bytes() == DATA
    assert Path("target").read_bytes() == b"mine"
    assert len(names()) == 4
    assert run(["compress", "a", "-f"]) == 0
    assert haagenti.decompress(Path("a.zst").read_bytes()) == DATA
    assert not Path("a.zst").is_symlink()
    assert Path("target").read_bytes() == b"mine"
    assert not Path("a").exists()


def test_directories_links_and_special_files(capsys: Captured) -> None:
    Path("folder").mkdir()
    write("a")
    write("many")
    os.symlink("a", "link")
    os.link("many", "other")
    os.mkfifo("pipe")
    before = names()
    for name, reason in {
        "folder": "is a directory",
        "link": "is a symbolic link",
        "many": "has 1 more names (hard links)",
        "pipe": "is not a regular file",
        "/dev/null": "is not a regular file",
        "missing": "No such file or directory",
    }.items():
        assert run(["compress", name]) == 1
        error = capsys.readouterr().err
        assert reason in error
        assert name in error
        assert names() == before
    assert run(["compress", "-k", "link", "many"]) == 0
    assert run(["compress", "/dev/null", "-o", "null.zst"]) == 0
    assert haagenti.decompress(Path("link.zst").read_bytes()) == haagenti.decompress(Path("many.zst").read_bytes()) == DATA
    assert haagenti.decompress(Path("null.zst").read_bytes()) == b""
    assert run(["compress", "folder", "-c"]) == 1


@pytest.mark.parametrize("make", ["pipe", "device", "folder"])
@pytest.mark.parametrize("options", [[], ["-f"], ["-kf"]])
def test_the_input_stays_when_its_result_has_no_place(make: str, options: list[str], capsys: Captured) -> None:
    write("a")
    if make == "folder":
        Path("a.zst").mkdir()
    elif make == "pipe":
        os.mkfifo("a.zst")
        reader = os.open("a.zst", os.O_RDWR)  # so that who writes to it does not wait
    else:
        try:
            os.mknod("a.zst", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("devices cannot be made here")
    assert run(["compress", "a", *options]) == 1
    assert capsys.readouterr().err == "haagenti: a.zst: is there already and is not a regular file\n"
    assert (names(), Path("a").read_bytes()) == (["a", "a.zst"], DATA)
    if make == "pipe":
        os.close(reader)


def test_a_link_to_a_device_is_replaced() -> None:
    os.symlink("/dev/null", "a.zst")
    assert run(["compress", write("a"), "-f"]) == 0
    assert haagenti.decompress(Path("a.zst").read_bytes()) == DATA


@pytest.mark.parametrize("out", ["a", "./a", "link", "other"])
@pytest.mark.parametrize("options", [[], ["-f"]])
def test_the_output_is_not_the_input(out: str, options: list[str], capsys: Captured) -> None:
    packed = haagenti.compress(DATA)
    write("a", packed)
    os.symlink("a", "link")
    os.link("a", "other")
    for command in ("compress", "decompress"):
        assert run([command, "a", "-o", out, *options]) == 1
        assert capsys.readouterr().err == f"haagenti: {out}: is the input itself\n"
    assert Path("a").read_bytes() == Path("other").read_bytes() == packed
    assert names() == ["a", "link", "other"]


@pytest.mark.parametrize("out", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
@pytest.mark.parametrize("options", [[], ["-f"]])
def test_stdout_by_name_is_not_replaced(out: str, options: list[str]) -> None:
    write("log", b"before ")
    write("a")
    with open("log", "ab") as log:
        subprocess.run([*PROGRAM, "compress", "a", "a", "-o", out, *options], stdout=log, timeout=60, check=True)
    text = Path("log").read_bytes()
    assert text.startswith(b"before ")
    assert haagenti.decompress(text[7:]) == DATA * 2
    assert names() == ["a", "log"]


def test_a_device_is_written_to_not_replaced() -> None:
    write("a")
    before = os.stat("/dev/null")
    for force in ([], ["-f"]):
        assert run(["compress", "a", "-o", "/dev/null", *force]) == 0
    after = os.stat("/dev/null")
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    assert stat.S_ISCHR(after.st_mode)


@pytest.mark.parametrize(
    "arguments",
    [
        ["compress", "a", "b", "-o", "c"],
        ["compress", "a", "-o", "c", "-c"],
        ["compress", "a", "-a", "rar"],
        ["compress", "a", "-a", "lz4_block"],
        ["compress", "a", "-l", "99"],
        ["compress", "a", "-l", "slow"],
        ["compress", "a", "-T", "-1"],
        ["compress", "a", "-T", "2", "-a", "brotli"],
        ["compress", "a", "b", "-c", "-a", "brotli"],
        ["compress", "a", "-o", ""],
        ["compress", "a", "-q", "-v"],
        ["compress", "a", "-D", "a", "-a", "gzip"],
        ["decompress", "a", "-o", ""],
        ["decompress", "a", "-t", "-c"],
        ["decompress", "a", "-t", "-o", "b"],
        ["decompress", "a", "-D", "a", "-a", "brotli"],
        ["decompress", "a", "-a", "rar"],
        ["decompress", "a", "-T", "-1"],
        ["decompress", "a", "--max-size", "-1"],
        ["decompress", "a", "b", "-o", "c"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: Captured) -> None:
    write("a")
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Usage" in captured.err
    assert names() == ["a"]


@pytest.mark.parametrize("level", ["1", "-5", "19", "fast", "default", "best"])
def test_levels(level: str) -> None:
    assert run(["compress", write("a"), "-l", level]) == 0
    assert haagenti.decompress(Path("a.zst").read_bytes()) == DATA


def test_terminals(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    target = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"typed")))
    monkeypatch.setattr(sys, "stdout", Terminal(target))
    write("a")
    for arguments in (["compress"], ["compress", "-c", "a"], ["compress", "-"]):
        assert run(arguments) == 1
        assert "not written to a terminal" in capsys.readouterr().err
    assert target.getvalue() == b""
    assert run(["compress", "-f"]) == 0
    assert haagenti.decompress(target.getvalue()) == b"typed"
    monkeypatch.setattr(sys, "stdin", Terminal(io.BytesIO(haagenti.compress(b"typed"))))
    assert run(["decompress"]) == 1
    assert "not read from a terminal" in capsys.readouterr().err
    target.truncate(0)
    target.seek(0)
    assert run(["decompress", "-f"]) == 0
    assert target.getvalue() == b"typed"
