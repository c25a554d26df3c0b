"""Sizes that lie, swollen data, limits and buffers too small: memory is not spent, and limits are exact."""

from __future__ import annotations

import struct

import pytest
from codec_cases import (
    NAMES,
    TABLE,
    WITH_FRAMES,
    decode_stream,
    encode_stream,
    run_python,
    sample,
)
from forged import lz4_claim

import haagenti

SOME_TEXT = sample("text", 300)
DATA = SOME_TEXT + sample("random", 40) + bytes(60)


def test_claims_cost_nothing() -> None:
    """Headers that promise a terabyte are read in a process that may have 4 GiB of addresses and measures what it used."""
    output = run_python(
        f"""
import resource, struct, sys, zlib
sys.path.insert(0, {str(__file__).rsplit("/", 1)[0]!r})
import haagenti
from codec_cases import decode_stream
from forged import TERABYTE, lz4_claim, zstd_claim

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

noise = bytes(range(256)) * 4096
gzip = haagenti.compress(b"weights", "gzip")
lies = {{
    "zstd": [zstd_claim(TERABYTE) + noise, zstd_claim(TERABYTE), zstd_claim((1 << 64) - 2) + b"\\1\\0\\0"],
    "lz4": [lz4_claim(TERABYTE), lz4_claim((1 << 64) - 1), lz4_claim(1 << 33)],
    "gzip": [gzip[:-4] + b"\\xff\\xff\\xff\\xff", gzip[:-4] + b"\\xff\\xff\\xff\\xff" + gzip],
}}
before = peak()
for name, packed in ((name, packed) for name in lies for packed in lies[name]):
    for call in (
        lambda: haagenti.decompress(packed, name),
        lambda: haagenti.decompress(packed),
        lambda: haagenti.decompress(packed, name, threads=2),
        lambda: haagenti.Decompressor(name).decompress(packed),
        lambda: haagenti.decompress_into(packed, bytearray(100), name),
        lambda: decode_stream(packed, name, 1 << 16),
    ):
        try:
            call()
        except (haagenti.DecompressionError, haagenti.InvalidArgumentError):
            continue
        raise SystemExit(f"{{name}}: a lie was believed")
print(peak() - before)
""",
        limit_mib=4096,
    )
    assert int(output) < 64


def test_lies_about_size_are_named() -> None:
    packed = haagenti.compress(b"weights", "gzip")
    with pytest.raises(haagenti.CorruptError, match=r"7 bytes.* 8 "):
        haagenti.decompress(packed[:-4] + struct.pack("<I", 8))
    with pytest.raises(haagenti.DecompressionError):
        haagenti.decompress(lz4_claim(2))
    assert haagenti.decompress(lz4_claim(1)) == b"x"


@pytest.mark.parametrize("claim", [1, 123, 255])
def test_a_zstd_frame_without_the_bytes_that_it_states(claim: int) -> None:
    """The last block is empty: the library's own streaming decoder does not compare the sizes there."""
    frame = bytes([0x28, 0xB5, 0x2F, 0xFD, 0x20, claim, 1, 0, 0])
    with pytest.raises(haagenti.CorruptError):
        haagenti.decompress(frame)
    for chunk in (1, 100):
        with pytest.raises(haagenti.CorruptError):
            decode_stream(frame, "zstd", chunk)


def test_a_bomb_meets_max_size() -> None:
    """A hundred megabytes of zeros, in a process that could not hold them."""
    output = run_python(
        """
import haagenti, resource
from haagenti.streaming import Decoder, Encoder
bombs = {}
for row in haagenti.algorithms():
    if row.streaming:
        encoder = Encoder(row.name, "fast")
        bombs[row.name] = b"".join(encoder.write(bytes(1 << 20)) for _ in range(100)) + encoder.finish()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name, bomb in bombs.items():
    for call in (
        lambda: haagenti.decompress(bomb, name, max_size=1 << 20),
        lambda: haagenti.decompress(bomb, name, max_size=1 << 20, threads=2),
        lambda: haagenti.Decompressor(name, 1 << 20).decompress(bomb),
        lambda: haagenti.decompress(bomb, name, size=1 << 20),
        lambda: Decoder(name, max_size=1 << 20).write(bomb),
    ):
        try:
            call()
        except haagenti.DecompressionError as error:
            assert str(1 << 20) in str(error), error
        else:
            raise SystemExit(name)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    )
    assert int(output) < 32


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [0, 1, 1000, 65536, 70_001])
def test_max_size_is_exact(name: str, size: int) -> None:
    data = sample("text", size)
    packed = haagenti.compress(data, name)
    for threads in (1, 2):
        assert haagenti.decompress(packed, name, max_size=size, threads=threads) == data
        assert haagenti.decompress(packed, name, max_size=size + 1, threads=threads) == data
        if size > 0:
            with pytest.raises(haagenti.DecompressionError, match=str(size - 1)):
                haagenti.decompress(packed, name, max_size=size - 1, threads=threads)
    assert haagenti.Decompressor(name, max_size=size).decompress(packed) == data
    if TABLE[name].streaming:
        streamed = encode_stream(data, name, 999)
        assert haagenti.decompress(streamed, name, max_size=size) == data
        assert decode_stream(streamed, name, 999, max_size=size) == data
        if size > 0:
            with pytest.raises(haagenti.DecompressionError, match=str(size - 1)):
                decode_stream(streamed, name, 999, max_size=size - 1)


@pytest.mark.parametrize("name", WITH_FRAMES)
def test_max_size_counts_all_frames(name: str) -> None:
    packed = haagenti.compress(SOME_TEXT, name)
    assert haagenti.decompress(packed * 3, name, max_size=900) == SOME_TEXT * 3
    for limit in (899, 600, 300, 1, 0):
        with pytest.raises(haagenti.DecompressionError):
            haagenti.decompress(packed * 3, name, max_size=limit)
    empty = haagenti.compress(b"", name)
    assert haagenti.decompress(empty * 3, name, max_size=0) == b""


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_size(name: str) -> None:
    packed = haagenti.compress(DATA, name)
    assert haagenti.decompress(packed, name, size=len(DATA)) == DATA
    assert haagenti.Decompressor(name).decompress(packed, size=len(DATA)) == DATA
    for wrong in (0, 1, len(DATA) - 1, len(DATA) + 1, 1_000_000):
        with pytest.raises(haagenti.DecompressionError, match=str(wrong)):
            haagenti.decompress(packed, name, size=wrong)
        with pytest.raises(haagenti.DecompressionError, match=str(wrong)):
            haagenti.Decompressor(name).decompress(packed, size=wrong)
    with pytest.raises(haagenti.DecompressionError):
        haagenti.decompress(packed, name, size=len(DATA), max_size=len(DATA) - 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_buffer_too_small(name: str) -> None:
    data = sample("random", 3000)
    packed = haagenti.compress(data, name)
    for room in (0, 1, 2999):
        with pytest.raises(haagenti.Error, match="out"):
            haagenti.decompress_into(packed, bytearray(room), name)
    for room in (0, 1, len(packed) - 1):
        with pytest.raises(haagenti.InvalidArgumentError, match=f"{room} bytes"):
            haagenti.compress_into(data, bytearray(room), name)
    assert haagenti.compress_into(data, bytearray(len(packed) + 100), name) == len(packed)
