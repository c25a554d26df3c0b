"""Golden files, written once, decode to the same bits for ever; and today's encoder still writes them."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pytest

import haagenti
from haagenti import _core
from haagenti.record import Record

HERE = Path(__file__).parent / "golden"
sys.path.insert(0, str(HERE))

import make_golden  # noqa: E402

DIGESTS: dict[str, str] = json.loads((HERE / "digests.json").read_text())


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_record_decodes_to_the_same_bits(name: str) -> None:
    record = Record((HERE / f"{name}.hgtr").read_bytes(), name)
    record.verify()
    assert hashlib.sha256(haagenti.decode(record).tobytes()).hexdigest() == DIGESTS[name]


@pytest.mark.parametrize("name", sorted(name for name in DIGESTS if "zstd" not in name and "lz4" not in name))
def test_encoder_still_writes_it(name: str) -> None:
    """What Zstandard and LZ4 make of the same bytes may change with their versions; everything else is ours."""
    encoding, dtype, shape, matrix = make_golden.RECORDS[name]
    record = haagenti.encode(make_golden.tensor(shape, dtype), encoding, matrix=matrix)
    assert bytes(record.data) == (HERE / f"{name}.hgtr").read_bytes()


def test_container() -> None:
    reader = _core.HctReader(HERE / "container.hct")
    assert reader.names() == ["int4-g32-bf16", "raw-zstd-bf16", "raw-0d-f64", "int4-empty-f32", "tied"]
    assert reader.metadata() == {"made by": "make_golden.py", "empty": ""}
    assert reader.span("tied") == reader.span("int4-g32-bf16")
    for name in reader.names()[:4]:
        assert hashlib.sha256(haagenti.decode(Record(reader.record(name), name)).tobytes()).hexdigest() == DIGESTS[name]
