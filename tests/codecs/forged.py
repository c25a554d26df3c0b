"""Frames and members written by hand, byte by byte: with every optional field, and with headers that lie.

Not responsible for: what is expected of them.
"""

from __future__ import annotations

import struct
import zlib

P1, P2, P3, P4, P5 = 2654435761, 2246822519, 3266489917, 668265263, 374761393
MASK = 0xFFFFFFFF
TERABYTE = 1 << 40
SKIPPABLE = struct.pack("<II", 0x184D2A53, 7) + b"skipped"


def rotated(value: int, n_bits: int) -> int:
    """32 bits, rotated to the left."""
    return (value << n_bits | value >> (32 - n_bits)) & MASK


def xxh32(data: bytes) -> int:
    """XXH32 with seed 0 of fewer than 16 bytes."""
    assert len(data) < 16
    acc = P5 + len(data)
    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        acc = rotated((acc + int.from_bytes(data[at : at + 4], "little") * P3) & MASK, 17) * P4 & MASK
    for byte in data[whole:]:
        acc = rotated((acc + byte * P5) & MASK, 11) * P1 & MASK
    acc = (acc ^ acc >> 15) * P2 & MASK
    acc = (acc ^ acc >> 13) * P3 & MASK
    return acc ^ acc >> 16


def zstd_claim(claim: int) -> bytes:
    """A frame header with this content size (RFC 8878, 3.1.1.1) and a window of 1 KiB; blocks may follow."""
    return struct.pack("<IBBQ", 0xFD2FB528, 0xC0, 0, claim)


def lz4_claim(claim: int) -> bytes:
    """A frame whose header states this content size (LZ4 frame format 1.6), of one stored block of a byte."""
    descriptor = struct.pack("<BBQ", 0x68, 0x40, claim)
    check = xxh32(descriptor) >> 8 & 0xFF
    return struct.pack("<I", 0x184D2204) + descriptor + bytes([check]) + struct.pack("<I", 0x80000001) + b"x" + bytes(4)


def gzip_member(data: bytes, *, flags: int, fields: bytes) -> bytes:
    """A member with these optional header fields (RFC 1952, 2.3); a header checksum is put behind them where flags ask for it."""
    header = bytes([31, 139, 8, flags]) + bytes(6) + fields
    if flags & 2:
        header += struct.pack("<H", zlib.crc32(header) & 0xFFFF)
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    return header + compressor.compress(data) + compressor.flush() + struct.pack("<II", zlib.crc32(data), len(data))
