"""Other programs that write and read the formats, and what it means that haagenti reads what they write.

Not responsible for: tests of it.
"""

from __future__ import annotations

import shutil
import subprocess

import pytest
from codec_cases import decode_stream

import haagenti

SIZES = (0, 1, 70_000, 300_001)
# algorithm -> (command that decompresses, commands that compress)
TOOLS = {
    "zstd": (["zstd", "-dc"], [["zstd", "-c"], ["zstd", "-c", "-19"], ["zstd", "-c", "--no-check"], ["zstd", "-c", "--fast=3", "-T2"]]),
    "lz4": (
        ["lz4", "-dc"],
        [["lz4", "-c"], ["lz4", "-c", "-BD"], ["lz4", "-c", "-B4", "-BX"], ["lz4", "-c", "--no-frame-crc"], ["lz4", "-l", "-c"]],
    ),
    "lz4hc": (["lz4", "-dc"], [["lz4", "-c", "-9", "-BD"]]),
    "brotli": (
        ["brotli", "-dc"],
        [["brotli", "-c", "-q", "5"], ["brotli", "-c", "-q", "1", "-w", "16"], ["brotli", "-c", "-q", "9", "--large_window=28"]],
    ),
    "gzip": (["gzip", "-dc"], [["gzip", "-c"], ["gzip", "-c", "-1"], ["pigz", "-c", "-p", "2"], ["pigz", "-c", "-11"], ["bgzip", "-c"]]),
    "zlib": (["pigz", "-dc"], [["pigz", "-z", "-c"]]),
}
WINDOW_BITS = {"deflate": -15, "zlib": 15, "gzip": 31}


def tool(*command: str, data: bytes) -> bytes:
    """What a command writes to its output for this input; skips where there is no such command."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"the command {command[0]} is not installed")
    done = subprocess.run(command, input=data, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr.decode()}"
    return done.stdout


def assert_read(packed: bytes, name: str, data: bytes) -> None:
    """Haagenti reads it in every manner."""
    assert haagenti.decompress(packed, name) == data
    assert haagenti.decompress(packed, name, threads=2) == data
    assert haagenti.decompress(packed, name, size=len(data)) == data
    assert decode_stream(packed, name, 4099) == data
    out = bytearray(len(data))
    assert haagenti.decompress_into(packed, out, name) == len(data)
    assert out == data
