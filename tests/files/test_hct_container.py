"""`.hct` files: round trips, and a writer that leaves nothing half written."""

from __future__ import annotations

import os

import numpy as np
import pytest
from forgery import Forgery, read_everything, record_bytes, small_records

import haagenti
from haagenti import _core, dtypes
from haagenti.errors import CorruptError, InvalidArgumentError, IoError, TruncatedError
from haagenti.record import Record, encode_bytes

RNG = np.random.default_rng(11)


# --- round trips -----------------------------------------------------------------------------------------------------------------------


def test_forged_file_is_the_writers_file(tmp_path):
    forgery = Forgery(small_records())
    path = tmp_path / "a.hct"
    writer = _core.HctWriter(path, {"k": "v"})
    for name, record in forgery.records:
        writer.append(name, record)
    writer.finish()
    assert path.read_bytes() == forgery.build()
    assert os.listdir(tmp_path) == ["a.hct"]
    reader = _core.HctReader(path)
    assert reader.names() == [name for name, _ in forgery.records]
    assert reader.metadata() == {"k": "v"}
    for (name, record), entry in zip(forgery.records, forgery.entries, strict=True):
        assert reader.span(name) == (entry["offset"], entry["size"])
        assert bytes(reader.record(name)) == record
    assert set(read_everything(path.read_bytes())) == set(reader.names())


@pytest.mark.parametrize("codec", ["zstd", "lz4", "none"])
@pytest.mark.parametrize("dtype", dtypes.names())
def test_every_dtype_keeps_every_bit(tmp_path, dtype, codec):
    data = RNG.integers(0, 256, 96, dtype=np.uint8).tobytes()
    shape = (96 * 8 // dtypes.bits(dtype) // 4, 4)
    path = tmp_path / "a.hct"
    writer = _core.HctWriter(path, {})
    writer.append("t", encode_bytes(data, dtype, shape, f'raw(codec="{codec}")').data)
    writer.finish()
    record = Record(_core.HctReader(path).record("t"))
    out = bytearray(96)
    record.view.decode_into(out, dtype)
    assert (record.dtype, record.shape, bytes(out)) == (dtype, shape, data)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (0, 5), (5, 0), (2, 0, 3), (1, 1, 1), (3, 1), (1, 7), (2, 3, 4, 5), (1,) * 32])
@pytest.mark.parametrize("encoding", ["raw", "int8", "int4", 'int4(group_axis="flat")'])
def test_shapes(tmp_path, shape, encoding):
    array = RNG.normal(size=shape).astype(np.float32)
    path = tmp_path / "a.hct"
    haagenti.numpy.save_file({"t": array}, path, encoding=encoding)
    found = haagenti.numpy.load_file(path)["t"]
    assert (found.shape, found.dtype) == (array.shape, array.dtype)
    if encoding == "raw":
        assert found.tobytes() == array.tobytes()
    elif array.size:
        assert np.abs(found - array).max() <= np.abs(array).max() / 6


def test_alias_shares_the_record(tmp_path):
    path = tmp_path / "a.hct"
    writer = _core.HctWriter(path, {})
    writer.append("embed", record_bytes(np.arange(6, dtype=np.float32)))
    writer.alias("head", "embed")
    with pytest.raises(InvalidArgumentError, match="'nope'"):
        writer.alias("x", "nope")
    with pytest.raises(InvalidArgumentError, match="'head'"):
        writer.alias("head", "embed")
    writer.finish()
    reader = _core.HctReader(path)
    assert reader.names() == ["embed", "head"]
    assert reader.span("embed") == reader.span("head")
    assert path.stat().st_size < 64 + 2 * len(record_bytes(np.arange(6, dtype=np.float32))) + 192


def test_empty_file_of_no_tensors(tmp_path):
    path = tmp_path / "a.hct"
    _core.HctWriter(path, {"only": "metadata"}).finish()
    assert _core.HctReader(path).names() == []
    assert _core.HctReader(path.read_bytes()).metadata() == {"only": "metadata"}


def test_names_and_metadata_of_any_text(tmp_path):
    texts = ["a" * 65535, "é", "日本語", "a\nb", "a/b", '"', " ", "𝄞", "\x7f", "a\0b"]
    path = tmp_path / "a.hct"
    record = record_bytes(np.zeros(1, np.uint8))
    writer = _core.HctWriter(path, {text: text for text in [*texts, ""]})
    for text in texts:
        writer.append(text, record)
    writer.finish()
    reader = _core.HctReader(path)
    assert reader.names() == texts
    assert reader.metadata() == {text: text for text in [*texts, ""]}


# --- the writer ------------------------------------------------------------------------------------------------------------------------


def test_nothing_is_left_behind(tmp_path):
    path = tmp_path / "a.hct"
    record = record_bytes(np.arange(6))
    writer = _core.HctWriter(path, {})
    writer.append("a", record)
    assert not path.exists()
    writer.abort()
    writer.abort()
    forgotten = _core.HctWriter(path, {})
    forgotten.append("a", record)
    assert len(os.listdir(tmp_path)) == 1
    del forgotten
    assert os.listdir(tmp_path) == []
    with pytest.raises(InvalidArgumentError, match="finished or aborted"):
        writer.append("b", record)
    with pytest.raises(InvalidArgumentError):
        writer.finish()
    assert os.listdir(tmp_path) == []


def test_nothing_is_overwritten_unless_asked_for(tmp_path):
    path = tmp_path / "a.hct"
    path.write_bytes(b"precious")
    with pytest.raises(IoError, match=r"a\.hct"):
        _core.HctWriter(path, {})
    writer = _core.HctWriter(path, {}, overwrite=True)
    assert path.read_bytes() == b"precious"
    writer.abort()
    assert path.read_bytes() == b"precious"
    _core.HctWriter(path, {}, overwrite=True).finish()
    assert _core.HctReader(path).names() == []
    path.unlink()
    writer = _core.HctWriter(path, {})
    path.write_bytes(b"appeared meanwhile")
    with pytest.raises(IoError):
        writer.finish()
    del writer
    assert path.read_bytes() == b"appeared meanwhile"
    assert os.listdir(tmp_path) == ["a.hct"]


def test_writer_refuses_what_no_reader_would_take(tmp_path):
    path = tmp_path / "a.hct"
    record = record_bytes(np.arange(6))
    writer = _core.HctWriter(path, {})
    bad = [(b"", TruncatedError), (record[:-64], TruncatedError), (record + bytes(64), CorruptError), (bytes(256), CorruptError)]
    for data, kind in bad:
        with pytest.raises(kind, match="'x'"):
            writer.append("x", data)
    for name in ("", "a" * 65536):
        with pytest.raises(InvalidArgumentError, match="name"):
            writer.append(name, record)
    writer.append("x", record)
    with pytest.raises(InvalidArgumentError, match="'x'"):
        writer.append("x", record)
    writer.finish()
    assert _core.HctReader(path).names() == ["x"]


def test_missing_places(tmp_path):
    with pytest.raises(OSError, match="none"):
        _core.HctReader(tmp_path / "none.hct")
    with pytest.raises(OSError, match="nowhere"):
        _core.HctWriter(tmp_path / "nowhere" / "a.hct", {})
