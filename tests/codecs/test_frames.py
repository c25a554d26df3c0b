"""Frames that follow each other, skippable frames, and the optional fields of gzip headers."""

from __future__ import annotations

import struct

import pytest
from codec_cases import KINDS, encode_stream, sample
from forged import SKIPPABLE, gzip_member
from peers import assert_read

import haagenti


@pytest.mark.parametrize("name", ["zstd", "lz4", "lz4hc", "gzip"])
def test_concatenated(name: str) -> None:
    parts = [sample(kind, size) for kind in KINDS for size in (0, 1, 70_000)]
    whole = b"".join(parts)
    assert_read(b"".join(haagenti.compress(part, name) for part in parts), name, whole)
    assert_read(b"".join(encode_stream(part, name, 999) for part in parts), name, whole)


@pytest.mark.parametrize("name", ["zstd", "lz4", "lz4hc"])
def test_skippable_frames(name: str) -> None:
    data = sample("text", 70_000)
    packed = haagenti.compress(data, name)
    for stream in (SKIPPABLE + packed, packed + SKIPPABLE, SKIPPABLE + packed + SKIPPABLE * 2 + packed):
        assert_read(stream, name, data * stream.count(packed))
    assert haagenti.decompress(SKIPPABLE + packed) == data, "the algorithm is recognised behind a skippable frame"
    assert_read(SKIPPABLE, name, b"")
    for end in range(1, len(SKIPPABLE)):
        with pytest.raises(haagenti.DecompressionError if end < 4 else haagenti.TruncatedError):
            haagenti.decompress(packed + SKIPPABLE[:end], name)


def test_every_skippable_magic_number() -> None:
    data = sample("text", 1000)
    for magic in range(0x184D2A50, 0x184D2A60):
        frame = struct.pack("<II", magic, 3) + b"abc"
        assert haagenti.decompress(frame + haagenti.compress(data, "zstd")) == data
        assert haagenti.decompress(frame + haagenti.compress(data, "lz4")) == data


EXTRA, NAME, COMMENT = struct.pack("<H", 5) + b"extra", b"a name\0", b"a comment\0"


@pytest.mark.parametrize(
    ("flags", "fields"),
    [
        (0, b""),
        (1, b""),
        (2, b""),
        (4, EXTRA),
        (8, NAME),
        (16, COMMENT),
        (28, EXTRA + NAME + COMMENT),
        (31, EXTRA + NAME + COMMENT),
        (4, b"\0\0"),
    ],
)
def test_gzip_headers(flags: int, fields: bytes) -> None:
    data = sample("text", 5000)
    member = gzip_member(data, flags=flags, fields=fields)
    assert_read(member, "gzip", data)
    assert_read(member * 3, "gzip", data * 3)
    for end in range(10 + len(fields)):
        with pytest.raises(haagenti.TruncatedError):
            haagenti.decompress(member[:end], "gzip")


def test_gzip_header_checksum_is_compared() -> None:
    member = bytearray(gzip_member(b"data", flags=2, fields=b""))
    member[4] ^= 1
    with pytest.raises(haagenti.CorruptError):
        haagenti.decompress(member, "gzip")


def test_gzip_reserved_flags_are_refused() -> None:
    with pytest.raises(haagenti.CorruptError):
        haagenti.decompress(gzip_member(b"data", flags=32, fields=b""), "gzip")
