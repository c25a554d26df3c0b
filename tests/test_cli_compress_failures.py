"""haagenti compress and haagenti decompress: what they leave behind when something fails."""

from __future__ import annotations

import errno
import io
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import haagenti
from cli_compress_samples import (
    DATA,
    PROGRAM,
    SUFFIXES,
    Captured,
    names,
    own_folder,  # noqa: F401 - every test runs in it
    program,
    rng,
    write,
)
from haagenti.cli import byte_files
from haagenti.cli.run import run


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


def test_an_input_that_changes_while_its_result_is_stored_stays(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    write("a")
    real = os.fsync

    def fsync(descriptor: int) -> None:
        write("a", b"newer")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    assert run(["compress", "a"]) == 1
    assert "was changed while it was read" in capsys.readouterr().err
    assert Path("a").read_bytes() == b"newer"


# --- full disks, closed pipes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [5_000, 500_000])  # less and more than what is buffered
def test_a_full_disk(size: int) -> None:
    data = rng.bytes(size)
    write("a", data)
    done = program("compress", "a", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)))
    assert done.returncode == 1
    assert b"File too large" in done.stderr
    assert (names(), Path("a").read_bytes()) == (["a"], data)


def test_a_disk_that_is_full_when_the_result_is_stored(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write("a")
    monkeypatch.setattr(os, "fsync", fsync)
    assert run(["compress", "a"]) == 1
    assert "No space left" in capsys.readouterr().err
    assert (names(), Path("a").read_bytes()) == (["a"], DATA)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_device() -> None:
    write("a")
    done = program("compress", "a", "-o", "/dev/full")
    assert (done.returncode, b"No space left" in done.stderr) == (1, True)
    with open("/dev/full", "wb") as full:
        code = subprocess.run([*PROGRAM, "compress", "-c", "a"], stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
    assert code.returncode != 0
    assert b"No space left" in code.stderr
    assert names() == ["a"]


def test_a_reader_of_stdout_that_stops() -> None:
    write("a.zst", haagenti.compress(bytes(50_000_000)))
    with subprocess.Popen([*PROGRAM, "decompress", "-c", "a.zst"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(5) == bytes(5)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 128 + signal.SIGPIPE


def test_a_reader_of_a_named_pipe_that_stops() -> None:
    write("a.zst", haagenti.compress(bytes(50_000_000)))
    os.mkfifo("out")
    with subprocess.Popen([*PROGRAM, "decompress", "a.zst", "-o", "out"], stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        with open("out", "rb", buffering=0) as reader:
            assert reader.read(5) == bytes(5)
        assert process.stderr.read() == b"haagenti: out: its reader has gone\n"
        assert process.wait(timeout=60) == 1
    assert names() == ["a.zst", "out"]


@pytest.mark.parametrize(
    ("closed", "arguments"),
    [
        (1, ["compress", "-c", "a"]),
        (1, ["decompress", "-c", "a.zst"]),
        (1, ["compress"]),
        (0, ["compress", "-c"]),
        (0, ["decompress"]),
        (0, ["compress", "-o", "b"]),
    ],
)
def test_streams_that_are_closed(closed: int, arguments: list[str]) -> None:
    write("a")
    write("a.zst", haagenti.compress(DATA))
    done = program(*arguments, preexec_fn=lambda: os.close(closed))
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"haagenti: %s is closed\n" % (b"stdout" if closed else b"stdin")
    assert names() == ["a", "a.zst"]


def test_without_stderr_errors_do_not_go_to_stdout() -> None:
    for files in (["missing"], ["missing", "gone"]):
        done = program("compress", "-c", *files, preexec_fn=lambda: os.close(2))
        assert (done.returncode, done.stdout) == (1, b"")
    done = program("compress", "-cv", write("a"), preexec_fn=lambda: os.close(2))
    assert (done.returncode, haagenti.decompress(done.stdout)) == (0, DATA)


# --- signals ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["compress", "decompress"])
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing(command: str, ending: signal.Signals) -> None:
    if signal.getsignal(ending) == signal.SIG_IGN:
        pytest.skip("the signal is ignored here, as under nohup, and stays so in what is started")
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
