"""haagenti compress and haagenti decompress: beside the tools whose formats they write, names, what is printed."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import haagenti
from cli_compress_samples import (
    DATA,
    PROGRAM,
    SUFFIXES,
    Captured,
    Terminal,
    names,
    own_folder,  # noqa: F401 - every test runs in it
    piped,
    write,
)
from haagenti.cli import byte_files
from haagenti.cli.run import run

TOOLS = {
    "zstd": ("zstd", ["zstd", "-qc"], ["zstd", "-dqc"]),
    "lz4": ("lz4", ["lz4", "-qc"], ["lz4", "-dqc"]),
    "lz4hc": ("lz4hc", ["lz4", "-qc9"], ["lz4", "-dqc"]),
    "brotli": ("brotli", ["brotli", "-cq", "5"], ["brotli", "-dc"]),
    "gzip": ("gzip", ["gzip", "-c"], ["gzip", "-dc"]),
    "pigz": ("gzip", ["pigz", "-c", "-p", "2"], ["pigz", "-dc"]),
    "pigz -z": ("zlib", ["pigz", "-zc"], ["pigz", "-dzc"]),
    "bgzip": ("gzip", ["bgzip", "-c"], ["bgzip", "-dc"]),
}


def needs(command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"the tool {command[0]} is not installed")


# --- beside the tools ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("data", [b"", DATA], ids=["empty", "data"])
def test_pipes_to_and_from_the_tools(tool: str, data: bytes) -> None:
    algorithm, packs, unpacks = TOOLS[tool]
    needs(packs)
    assert piped(unpacks, piped([*PROGRAM, "compress", "-a", algorithm], data)) == data
    by_name = ["-a", algorithm] if algorithm == "brotli" else []
    assert piped([*PROGRAM, "decompress", *by_name], piped(packs, data)) == data
    assert piped([*PROGRAM, "decompress", "-a", algorithm, "-"], piped(packs, data)) == data


@pytest.mark.parametrize("algorithm", ["zstd", "lz4", "gzip", "zlib"])
def test_several_threads(algorithm: str) -> None:
    write("a", DATA * 20)
    assert run(["compress", "a", "-a", algorithm, "-T", "2", "-k"]) == 0
    for threads in ("0", "1", "2"):
        assert run(["decompress", f"a{SUFFIXES[algorithm]}", "-T", threads, "-o", "b", "-f"]) == 0
        assert Path("b").read_bytes() == DATA * 20
    tool = {"zlib": "pigz -z"}.get(algorithm, algorithm)
    needs(TOOLS[tool][2])
    assert piped(TOOLS[tool][2], Path(f"a{SUFFIXES[algorithm]}").read_bytes()) == DATA * 20


def test_several_files_to_stdout_are_one_stream() -> None:
    write("a", b"one ")
    write("b", b"two")
    for algorithm in ("zstd", "lz4", "gzip"):
        packed = piped([*PROGRAM, "compress", "-a", algorithm, "-c", "a", "-", "b"], b"stdin ")
        assert haagenti.decompress(packed) == b"one stdin two"
        write("packed", packed)
        assert piped([*PROGRAM, "decompress", "-c", "packed", "packed"], b"") == b"one stdin two" * 2
    assert names() == ["a", "b", "packed"]


# --- names --------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", SUFFIXES)
def test_a_file_is_replaced_and_comes_back(algorithm: str, capsys: Captured) -> None:
    suffix = SUFFIXES[algorithm]
    write("a.bin")
    os.chmod("a.bin", 0o640)
    os.utime("a.bin", ns=(1_000_000_000_123_456_789, 1_100_000_000_987_654_321))
    before = os.stat("a.bin")
    assert run(["compress", "-a", algorithm, "a.bin"]) == 0
    assert names() == [f"a.bin{suffix}"]
    packed = os.stat(f"a.bin{suffix}")
    assert (packed.st_mode, packed.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert haagenti.decompress(Path(f"a.bin{suffix}").read_bytes(), algorithm) == DATA
    assert run(["decompress", f"a.bin{suffix}"]) == 0
    assert names() == ["a.bin"]
    back = os.stat("a.bin")
    assert (back.st_mode, back.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert Path("a.bin").read_bytes() == DATA
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("options", [["-k"], ["--keep"], ["-o", "a.zst"], ["-o", "sub/a.zst"], ["-c"]])
def test_options_that_keep_the_input(options: list[str], capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    Path("sub").mkdir()
    write("a")
    assert run(["compress", "a", *options]) == 0
    packed = capsysbinary.readouterr().out if options == ["-c"] else Path(options[1] if "-o" in options else "a.zst").read_bytes()
    assert haagenti.decompress(packed) == Path("a").read_bytes() == DATA


@pytest.mark.parametrize(
    ("out", "algorithm"), [("b.lz4", "lz4"), ("b.gz", "gzip"), ("b.br", "brotli"), ("b.bin", "zstd"), ("b.zz", "zlib")]
)
def test_the_suffix_of_the_output_tells_the_algorithm(out: str, algorithm: str) -> None:
    assert run(["compress", write("a"), "-o", out]) == 0
    assert haagenti.decompress(Path(out).read_bytes(), algorithm) == DATA
    if algorithm != "brotli":
        assert run(["decompress", out, "-o", "c"]) == 0
        assert Path("c").read_bytes() == DATA


@pytest.mark.parametrize(
    ("name", "result"), [("a.tar.gz", "a.tar"), ("a.tgz", "a.tar"), ("a.tzst", "a.tar"), ("A.GZ", "A"), ("x.y.lz4", "x.y")]
)
def test_names_of_what_is_decompressed(name: str, result: str) -> None:
    write(name, haagenti.compress(DATA, "zstd"))  # the first bytes tell, whatever the name says
    assert run(["decompress", name]) == 0
    assert names() == [result]
    assert Path(result).read_bytes() == DATA


@pytest.mark.parametrize("name", ["a", "a.bin", ".zst", "a.zst.bak"])
def test_a_name_without_a_suffix_needs_an_output(name: str, capsys: Captured) -> None:
    write(name, haagenti.compress(DATA))
    assert run(["decompress", name]) == 1
    assert f"{name}: its suffix names no algorithm" in capsys.readouterr().err
    assert names() == [name]
    assert run(["decompress", name, "-o", "out"]) == 0
    assert Path("out").read_bytes() == DATA


def test_what_is_compressed_already_is_left(capsys: Captured) -> None:
    write("a.zst", haagenti.compress(DATA))
    write("b")
    assert run(["compress", "a.zst", "b"]) == 1
    assert capsys.readouterr().err == "haagenti: a.zst: already has .zst suffix -- unchanged\n"
    assert names() == ["a.zst", "b.zst"]
    assert run(["compress", "a.zst", "-a", "lz4"]) == 0
    assert names() == ["a.zst.lz4", "b.zst"]


def test_names_that_are_not_utf8(folder: Path) -> None:
    name = os.fsdecode(b"caf\xe9 -x\n")
    write(name)
    done = subprocess.run([*PROGRAM, "compress", "-v", name], capture_output=True, timeout=60, check=True)
    assert b"caf" in done.stderr
    assert os.listdir(os.fsencode(folder)) == [b"caf\xe9 -x\n.zst"]
    subprocess.run([*PROGRAM, "decompress", name + ".zst"], timeout=60, check=True)
    assert Path(name).read_bytes() == DATA
    done = subprocess.run([*PROGRAM, "decompress", name], capture_output=True, timeout=60, check=False)
    assert (done.returncode, b"suffix" in done.stderr) == (1, True)


def test_names_that_begin_with_a_dash() -> None:
    write("-a")
    assert run(["compress", "--", "-a"]) == 0
    assert names() == ["-a.zst"]
    assert run(["decompress", "./-a.zst"]) == 0
    assert names() == ["-a"]


# --- what is printed ----------------------------------------------------------------------------------------------------------------------


def test_verbose_prints_sizes_and_speed(capsys: Captured) -> None:
    write("a", bytes(2_000_000))
    assert run(["compress", "-v", "a"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("a: 2.0 MB -> ")
    assert "%), " in captured.err
    assert captured.err.endswith("B/s, a.zst\n")
    assert run(["decompress", "-v", "a.zst"]) == 0
    assert " -> 2.0 MB (" in capsys.readouterr().err


def test_a_bar_only_for_much_and_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_files, "LONG", 1000)
    shown = []
    real = byte_files.show_progress
    monkeypatch.setattr(byte_files, "show_progress", lambda label: (shown.append(label), real(label))[1])
    write("a")
    assert run(["compress", "a"]) == 0
    assert shown == []
    terminal = Terminal(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stderr", terminal)
    assert run(["decompress", "a.zst"]) == 0
    assert run(["compress", "-q", "a"]) == run(["decompress", "--quiet", "a.zst"]) == 0
    write("short", b"x")
    assert run(["compress", "short"]) == 0
    assert shown == ["decompress"]
    assert names() == ["a", "short.zst"]


def test_help_names_convert_for_models(capsys: Captured) -> None:
    assert run(["compress", "--help"]) == 0
    assert "convert" in capsys.readouterr().out
    assert run(["decompress", "--help"]) == 0
    assert "--max-size" in capsys.readouterr().out
