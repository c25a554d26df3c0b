"""Builds `.hct` files field by field, from the words of cpp/src/container/spec.md and not with the writer, so that any field can lie.

Not responsible for: the bytes of records, which the encoder makes; `sealed` makes their header checksum right after a change.
"""

from __future__ import annotations

import struct
import tracemalloc
from dataclasses import dataclass, field

import numpy as np
import pytest

from haagenti import _core
from haagenti.errors import CorruptError, Error, TruncatedError, UnsupportedError
from haagenti.record import Record, decode, encode

LARGE = 2**63 - 64


def pad(data: bytes, multiple: int) -> bytes:
    return data + bytes(-len(data) % multiple)


@dataclass
class Forgery:
    """A `.hct` file to be built with any field other than it should be."""

    records: list[tuple[str, bytes]]
    entries: list[dict] = field(default_factory=list)
    metadata: list[tuple[bytes, bytes]] = field(default_factory=lambda: [(b"k", b"v")])
    header: dict = field(default_factory=dict)
    footer: dict = field(default_factory=dict)
    counts: tuple[int, int] | None = None
    after_entries: bytes = b""

    def __post_init__(self):
        offset = 64
        for name, record in self.records:
            checksum = struct.unpack_from("<Q", record, 120)[0]
            self.entries.append({"offset": offset, "size": len(record), "checksum": checksum, "name": name.encode(), "reserved": 0})
            offset += len(record)

    def index(self) -> bytes:
        counts = self.counts or (len(self.entries), len(self.metadata))
        out = struct.pack("<QQ", *counts)
        for entry in self.entries:
            name_size = entry.get("name_size", len(entry["name"]))
            out += struct.pack("<QQQII", entry["offset"], entry["size"], entry["checksum"], name_size, entry["reserved"])
            out = pad(out + entry["name"], 8)
        for key, value in self.metadata:
            out = pad(out + struct.pack("<II", len(key), len(value)) + key + value, 8)
        return pad(out + self.after_entries, 64)

    def build(self) -> bytes:
        head = self.header
        first = head.get("magic", b"HCTN") + struct.pack("<I", head.get("version", 4)) + head.get("reserved", bytes(48))
        out = first + struct.pack("<Q", _core.xxh3_64(first)) + b"".join(record for _, record in self.records)
        index = self.index()
        size = len(out) + len(index) + 64
        foot = self.footer
        last = struct.pack("<QQ", foot.get("index_offset", len(out)), foot.get("index_size", len(index)))
        last += struct.pack("<QQ", foot.get("index_checksum", _core.xxh3_64(index)), foot.get("file_size", size))
        last += foot.get("reserved", bytes(20)) + struct.pack("<I", foot.get("version", 4)) + foot.get("magic", b"HCTE")
        return out + index + last + struct.pack("<I", _core.xxh3_64(last) & 0xFFFFFFFF)


def record_bytes(array: np.ndarray, encoding: str = "raw", matrix: str | None = None) -> bytes:
    return bytes(encode(array, encoding, matrix=matrix).data)


def sealed(record: bytes | bytearray) -> bytes:
    """The record with its header checksum made right."""
    out = bytearray(record)
    header_size = struct.unpack_from("<I", out, 8)[0]
    struct.pack_into("<Q", out, 120, _core.xxh3_64(bytes(out[:120]) + bytes(out[128:header_size])))
    return bytes(out)


def small_records() -> list[tuple[str, bytes]]:
    weight = np.random.default_rng(11).normal(size=(20, 40)).astype(np.float32)
    return [
        ("w4", record_bytes(weight, "int4")),
        ("w8", record_bytes(weight, "int8(group_size=32)")),
        ("ids", record_bytes(np.arange(30, dtype=np.int64))),
        ("é", record_bytes(np.array(2.5, np.float64), 'raw(codec="none")')),
        ("none", record_bytes(np.zeros((0, 3), np.uint8))),
        ("t", record_bytes(weight, "int8", "transposed")),
    ]


def read_everything(data: bytes) -> dict[str, np.ndarray]:
    """What a careful reader does: headers, checksums of every chunk, and the values."""
    reader = _core.HctReader(data)
    reader.metadata()
    out = {}
    for name in reader.names():
        record = Record(reader.record(name), name=name)
        record.verify()
        out[name] = decode(record)
    return out


def refuse(data: bytes, kind: type[Exception] | tuple = Error, match: str | None = None) -> None:
    """Refused without allocating what the file does not justify."""
    tracemalloc.start()
    try:
        with pytest.raises(kind, match=match):
            read_everything(data)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def decodes(record: bytes) -> np.ndarray:
    parsed = Record(record, name="t")
    parsed.verify()
    return decode(parsed)


def decodes_or_names_the_tensor(record: bytes) -> np.ndarray | None:
    """The array, or None when the record is refused as bad bytes, with the tensor's name."""
    try:
        return decodes(record)
    except (CorruptError, TruncatedError, UnsupportedError) as error:
        message = str(error)
    assert "'t'" in message
    return None
