"""The worked example of the record's specification is what the code writes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

import haagenti
from haagenti import _core

SPEC = Path(__file__).parents[1] / "cpp/src/encoding/spec.md"


def example_bytes(record: bytes) -> bytes:
    """The hex block of the specification, its two checksums filled in from the bytes they cover."""
    block = re.search(r"```hex\n(.*?)```", SPEC.read_text(), re.S)
    assert block is not None
    header = _core.xxh3_64(record[:120] + record[128:192]).to_bytes(8, "little").hex()
    chunk = _core.xxh3_64(np.array([1.0, -2.0, 0.5], "<f4")).to_bytes(8, "little").hex()
    text = block[1].replace("@header_checksum", header).replace("@chunk_checksum", chunk)
    return bytes.fromhex("".join(text.split()))


def test_worked_example_of_the_record() -> None:
    record = bytes(haagenti.encode(np.array([1.0, -2.0, 0.5], np.float32), "raw", codec="none").data)
    expected = example_bytes(record)
    assert len(record) == 256
    assert record[: len(expected)] == expected
    assert not any(record[len(expected) :])


def test_worked_example_of_int4() -> None:
    record = haagenti.encode(np.array([8.0, -7.0, 3.0], np.float32), "int4", scale="max")
    codes, scales = (bytes(record.data[s["offset"] : s["offset"] + s["n_bytes"]]) for s in record.view.segments)
    assert (codes.hex(), scales.hex()) == ("f005", "00bc")
    assert haagenti.decode(record).tolist() == [8.0, -7.0, 3.0]
