"""haagenti compress and haagenti decompress: dictionaries, and checking files without writing."""

from __future__ import annotations

import os
import shutil
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
    piped,
    program,
    write,
)
from haagenti.cli.run import run


def trained() -> bytes:
    samples = [b'{"layer": %d, "name": "mlp.up_proj.%d"}' % (i, i % 7) for i in range(2_000)]
    return haagenti.ZstdDict.train(samples, max_size=4096).as_bytes()


@pytest.mark.parametrize("algorithm", ["zstd", "lz4", "lz4hc", "zlib", "deflate"])
def test_dictionaries(algorithm: str, capsys: Captured) -> None:
    write("dict", trained())
    small = b'{"layer": 77, "name": "mlp.up_proj.0"}' * 2
    packed = f"a{SUFFIXES[algorithm]}"
    assert run(["compress", write("a", small), "-a", algorithm, "-D", "dict"]) == 0
    assert haagenti.decompress(Path(packed).read_bytes(), algorithm, dictionary=trained()) == small
    assert Path(packed).stat().st_size < len(haagenti.compress(small, algorithm))
    assert run(["decompress", packed, "-t"]) == 4
    assert f"haagenti: {packed}: " in capsys.readouterr().err
    for threads in ("1", "2"):
        assert run(["decompress", packed, "--dictionary", "dict", "-k", "-f", "-T", threads]) == 0
        assert Path("a").read_bytes() == small


@pytest.mark.skipif(shutil.which("zstd") is None, reason="the tool zstd is not installed")
def test_dictionaries_of_the_tool() -> None:
    write("dict", trained())
    assert piped(["zstd", "-dqc", "-D", "dict"], piped([*PROGRAM, "compress", "-D", "dict"], DATA)) == DATA
    assert piped([*PROGRAM, "decompress", "-D", "dict"], piped(["zstd", "-qc", "-D", "dict"], DATA)) == DATA


def test_dictionaries_that_do_not_fit(capsys: Captured) -> None:
    write("dict", trained())
    write("a.gz", haagenti.compress(DATA, "gzip"))
    for arguments in (["compress", "-D", "missing", "dict"], ["decompress", "-D", "missing", "a.gz"]):
        assert run(arguments) == 1
        assert "missing" in capsys.readouterr().err
    assert run(["decompress", "-D", "dict", "a.gz"]) == 1
    assert capsys.readouterr().err == "haagenti: a.gz: gzip takes no dictionary\n"
    assert names() == ["a.gz", "dict"]


@pytest.mark.parametrize("threads", ["1", "2"])
def test_checking_writes_nothing(threads: str, capsys: Captured) -> None:
    write("a.zst", haagenti.compress(DATA, checksum=True))
    write("no suffix", haagenti.compress(DATA, "gzip"))
    write("bad.zst", haagenti.compress(DATA, checksum=True)[:-1] + b"?")
    os.symlink("a.zst", "link")
    before = names()
    assert run(["decompress", "--test", "a.zst", "no suffix", "link", "-T", threads]) == 0
    assert capsys.readouterr() == ("", "")
    assert run(["decompress", "-t", "bad.zst", "a.zst", "-T", threads]) == 4
    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("\n")) == ("", 1)
    assert captured.err.startswith("haagenti: bad.zst: ")
    assert run(["decompress", "-tv", "a.zst", "-T", threads]) == 0
    assert f" -> {len(DATA) / 1000:.1f} kB" in (line := capsys.readouterr().err)
    assert line.endswith("B/s, whole\n")
    assert names() == before


def test_checking_stdin() -> None:
    packed = haagenti.compress(DATA, checksum=True)
    assert piped([*PROGRAM, "decompress", "-t"], packed) == b""
    assert program("decompress", "-t", input=packed[:-1]).returncode == 4
