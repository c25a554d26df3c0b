"""What follows the data: other frames, padding, and bytes that are neither."""

from __future__ import annotations

import pytest
from codec_cases import (
    DETECTED,
    STREAMING,
    decode_stream,
    sample,
)

import haagenti

SOME_TEXT = sample("text", 300)


@pytest.mark.parametrize("name", STREAMING)
@pytest.mark.parametrize("trailing", [b"x", b"\0\1", b"trailing bytes", b"\xff" * 1000])
def test_trailing_bytes(name: str, trailing: bytes) -> None:
    packed = haagenti.compress(SOME_TEXT, name)
    padding = 1 if name == "gzip" and trailing == b"\0\1" else 0
    with pytest.raises(haagenti.CorruptError, match=f"offset {len(packed) + padding}\\b"):
        haagenti.decompress(packed + trailing, name)
    with pytest.raises(haagenti.CorruptError, match=f"offset {len(packed) + padding}\\b"):
        haagenti.decompress(packed + trailing, name, size=len(SOME_TEXT))
    for threads in (1, 2):
        assert haagenti.decompress(packed + trailing, name, threads=threads, allow_trailing=True) == SOME_TEXT
    out = bytearray(1000)
    assert haagenti.decompress_into(packed + trailing, out, name, allow_trailing=True) == len(SOME_TEXT)
    assert haagenti.Decompressor(name, allow_trailing=True).decompress(packed + trailing) == SOME_TEXT


@pytest.mark.parametrize("name", DETECTED)
def test_trailing_bytes_detected(name: str) -> None:
    packed = haagenti.compress(SOME_TEXT, name)
    with pytest.raises(haagenti.CorruptError):
        haagenti.decompress(packed + b"trailing")
    assert haagenti.decompress(packed + b"trailing", allow_trailing=True) == SOME_TEXT


def test_zeros_after_gzip() -> None:
    packed = haagenti.compress(SOME_TEXT, "gzip")
    for zeros in (1, 2, 511, 70_000):
        assert haagenti.decompress(packed + bytes(zeros)) == SOME_TEXT
        assert decode_stream(packed + bytes(zeros), "gzip", 100) == SOME_TEXT
        assert haagenti.decompress(packed + bytes(zeros), threads=2) == SOME_TEXT
    with pytest.raises(haagenti.CorruptError):
        haagenti.decompress(packed + bytes(10) + b"x")
    for name in ("zstd", "lz4", "zlib"):
        with pytest.raises(haagenti.CorruptError):
            haagenti.decompress(haagenti.compress(SOME_TEXT, name) + bytes(10), name)


@pytest.mark.parametrize("name", ["brotli", "deflate", "zlib"])
def test_single_streams_do_not_follow_each_other(name: str) -> None:
    packed = haagenti.compress(SOME_TEXT, name)
    with pytest.raises(haagenti.CorruptError):
        haagenti.decompress(packed + packed, name)


def test_what_is_not_recognised() -> None:
    for data in (b"plain text", b"\x1f", b"\x28\xb5\x2f", haagenti.compress(SOME_TEXT, "brotli")):
        with pytest.raises(haagenti.DecompressionError):
            haagenti.decompress(data)
    with pytest.raises(haagenti.CorruptError, match="algorithm="):
        haagenti.decompress(b"plain text")
