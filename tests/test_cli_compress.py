"""haagenti compress and haagenti decompress: beside the tools whose formats they write, and what they leave when something fails."""

from __future__ import annotations

import io
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import haagenti
from haagenti.cli import byte_files
from haagenti.cli.run import run

SUFFIXES = {"zstd": ".zst", "lz4": ".lz4", "lz4hc": ".lz4", "brotli": ".br", "deflate": ".deflate", "zlib": ".zz", "gzip": ".gz"}
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
PROGRAM = [sys.executable, "-c", "from haagenti.cli import main; main()"]

rng = np.random.default_rng(0)
DATA = b"".join(b"%d %s\n" % (i, b"x" * int(n)) for i, n in enumerate(rng.integers(0, 200, 3_000)))

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names() -> list[str]:
    return sorted(os.listdir("."))


def write(name: str, data: bytes = DATA) -> str:
    Path(name).write_bytes(data)
    return name


def piped(arguments: list[str], data: bytes) -> bytes:
    return subprocess.run(arguments, input=data, stdout=subprocess.PIPE, timeout=120, check=True).stdout


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


def test_a_reader_that_stops_is_no_error() -> None:
    write("a.zst", haagenti.compress(bytes(50_000_000)))
    program = f"{sys.executable} -c 'from haagenti.cli import main; main()'"
    done = subprocess.run(
        ["bash", "-c", f"{program} decompress -c a.zst | head -c 5; echo ${{PIPESTATUS[0]}}"], capture_output=True, timeout=60, check=True
    )
    assert (done.stdout, done.stderr) == (bytes(5) + b"0\n", b"")


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


# --- what is refused ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", ["file", "link", "dangling link"])
def test_nothing_is_overwritten_without_force(make: str, capsys: Captured) -> None:
    write("a")
    write("target", b"mine")
    if make == "file":
        write("a.zst", b"mine")
    else:
        os.symlink("target" if make == "link" else "nowhere", "a.zst")
    for arguments in (["compress", "a"], ["compress", "target", "-o", "a.zst"]):
        assert run(arguments) == 1
        assert capsys.readouterr().err == "haagenti: a.zst: is there already; --force replaces it\n"
    assert Path("a").read_bytes() == DATA
    assert Path("target").read_bytes() == b"mine"
    assert len(names()) == 3
    assert run(["compress", "a", "-f"]) == 0
    assert haagenti.decompress(Path("a.zst").read_bytes()) == DATA
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


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


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


# --- failures -----------------------------------------------------------------------------------------------------------------------------


def damages() -> dict[str, Callable[[bytes], bytes]]:
    return {
        "truncated": lambda data: data[:-5],
        "empty": lambda data: b"",
        "garbage": lambda data: data + b"garbage",
        "flipped": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    }


@pytest.mark.parametrize("damage", damages())
@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("algorithm", ["zstd", "lz4", "gzip"])
def test_damaged_input_leaves_no_output_and_stays(damage: str, threads: str, algorithm: str, capsys: Captured) -> None:
    name = f"a{SUFFIXES[algorithm]}"
    packed = damages()[damage](haagenti.compress(DATA, algorithm, checksum=None if algorithm == "gzip" else True))
    write(name, packed)
    for arguments in (["decompress", name], ["decompress", name, "-o", "b"]):
        assert run([*arguments, "-T", threads]) == 4
        error = capsys.readouterr().err
        assert error.startswith(f"haagenti: {name}: ")
        assert error.count("\n") == 1
        assert names() == [name]
    assert Path(name).read_bytes() == packed


def test_one_that_fails_does_not_stop_the_rest(capsys: Captured) -> None:
    write("a.zst", haagenti.compress(DATA))
    write("b.zst", haagenti.compress(DATA)[:-9])
    write("c.gz", b"neither")
    write("d.zst", haagenti.compress(DATA))
    assert run(["decompress", "a.zst", "b.zst", "missing.zst", "d.zst"]) == 4
    errors = capsys.readouterr().err.splitlines()
    assert [line.split(":")[1].strip().split("]")[-1] for line in errors] == ["b.zst", " No such file or directory"]
    assert names() == ["a", "b.zst", "c.gz", "d"]
    assert run(["decompress", "missing.zst", "gone.zst"]) == 1


@pytest.mark.parametrize("threads", ["1", "2"])
def test_max_size(threads: str, capsys: Captured) -> None:
    write("a.zst", haagenti.compress(bytes(1000)))
    assert run(["decompress", "a.zst", "--max-size", "999", "-T", threads]) == 4
    assert "max_size" in capsys.readouterr().err
    assert names() == ["a.zst"]
    assert run(["decompress", "a.zst", "--max-size", "1000", "-T", threads]) == 0
    assert names() == ["a"]


def test_an_input_that_changes_stays(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    write("a")
    real = byte_files.write_all

    def write_all(file: io.BufferedIOBase, data: bytes) -> None:
        os.utime("a", ns=(0, 0))
        real(file, data)

    monkeypatch.setattr(byte_files, "write_all", write_all)
    assert run(["compress", "a"]) == 1
    assert "was changed while it was read" in capsys.readouterr().err
    assert names() == ["a"]


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    def write_all(file: io.BufferedIOBase, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    write("a")
    monkeypatch.setattr(byte_files, "write_all", write_all)
    assert run(["compress", "a"]) == 1
    assert "No space left" in capsys.readouterr().err
    assert (names(), Path("a").read_bytes()) == (["a"], DATA)


@pytest.mark.parametrize("command", ["compress", "decompress"])
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing(command: str, ending: signal.Signals) -> None:
    process = subprocess.Popen([*PROGRAM, command, "-o", "out"], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.write(DATA if command == "compress" else haagenti.compress(rng.bytes(1_000_000)))
    process.stdin.flush()
    until = time.monotonic() + 60
    while not names() and time.monotonic() < until:
        time.sleep(0.01)
    assert names() != [], "the output has not been begun"
    process.send_signal(ending)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:  # it came just before a read, which then waited: Python looks at signals afterwards
        process.send_signal(ending)
    line = "interrupted" if ending == signal.SIGINT else f"ended by {ending.name}"
    assert (process.wait(timeout=60), process.stderr.read().decode()) == (128 + ending, f"haagenti: {line}\n")
    assert names() == []
    process.stdin.close()
    process.stderr.close()


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
    write("short", b"x")
    assert run(["compress", "short"]) == 0
    assert shown == ["decompress"]
    assert names() == ["a", "short.zst"]


def test_help_names_convert_for_models(capsys: Captured) -> None:
    assert run(["compress", "--help"]) == 0
    assert "convert" in capsys.readouterr().out
    assert run(["decompress", "--help"]) == 0
    assert "--max-size" in capsys.readouterr().out
