"""Command-line tools read what haagenti writes, and haagenti reads what they write."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from codec_cases import encode_stream, most_threads, sample
from peers import SIZES, TOOLS, assert_read, tool

import haagenti

WRITERS = [(name, command) for name, (_, commands) in TOOLS.items() for command in commands]
SKIPPED_OPTIONS = {"--large_window=28"}  # not RFC 7932: haagenti refuses it


@pytest.mark.parametrize("name", TOOLS)
def test_tools_read(name: str) -> None:
    command = TOOLS[name][0]
    for size in SIZES:
        data = sample("text", size)
        for threads in most_threads(name):
            assert tool(*command, data=haagenti.compress(data, name, threads=threads)) == data
            assert tool(*command, data=encode_stream(data, name, 10_000, threads=threads)) == data


@pytest.mark.parametrize("command", [["pigz", "-dc"], ["bgzip", "-dc"]])
def test_other_gzips_read(command: list[str]) -> None:
    data = sample("bf16", 300_001)
    for threads in (1, 2):
        assert tool(*command, data=haagenti.compress(data, "gzip", threads=threads)) == data


@pytest.mark.parametrize("name", ["zstd", "lz4"])
def test_tools_check_checksums(name: str) -> None:
    packed = bytearray(haagenti.compress(sample("random", 5000), name, checksum=True))
    packed[2500] ^= 1
    command = TOOLS[name][0]
    if shutil.which(command[0]) is None:
        pytest.skip(f"the command {command[0]} is not installed")
    assert subprocess.run(command, input=packed, capture_output=True, timeout=60, check=False).returncode != 0


@pytest.mark.parametrize(("name", "command"), WRITERS, ids=[" ".join(command) for _, command in WRITERS])
def test_tools_write(name: str, command: list[str]) -> None:
    for size in SIZES:
        data = sample("text", size)
        packed = tool(*command, data=data)
        if SKIPPED_OPTIONS & set(command):
            with pytest.raises(haagenti.DecompressionError):
                haagenti.decompress(packed, name)
        else:
            assert_read(packed, name, data)


def test_gzip_with_a_file_name(tmp_path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(sample("text", 70_000))
    packed = tool("gzip", "-c", "-N", str(path), data=b"")
    assert b"weights.bin\0" in packed[:40]
    assert_read(packed, "gzip", path.read_bytes())


def test_zstd_tool_with_a_content_size(tmp_path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(sample("text", 70_000))
    assert_read(tool("zstd", "-c", str(path), data=b""), "zstd", path.read_bytes())


def test_zstd_long_windows() -> None:
    data = sample("random", 300_000) * 2
    assert_read(tool("zstd", "-c", "--long=27", data=data), "zstd", data)


def test_bgzf_blocks_side_by_side() -> None:
    data = sample("text", 1_000_000)
    packed = tool("bgzip", "-c", data=data)
    assert haagenti.decompress(packed, threads=2) == haagenti.decompress(packed, threads=1) == data
    damaged = bytearray(packed)
    damaged[len(packed) // 2] ^= 4
    for threads in (1, 2):
        with pytest.raises(haagenti.DecompressionError):
            haagenti.decompress(damaged, "gzip", threads=threads)


def test_tools_concatenate() -> None:
    data = sample("text", 70_000)
    for name, command in (("gzip", ["gzip", "-c"]), ("zstd", ["zstd", "-c"]), ("lz4", ["lz4", "-c"])):
        packed = tool(*command, data=data)
        mixed = packed + haagenti.compress(data, name) + packed
        assert_read(mixed, name, data * 3)
        assert tool(*TOOLS[name][0], data=mixed) == data * 3
