"""The streaming writer of safetensors files: what it writes the library reads, and nothing half written is left."""

from __future__ import annotations

import os

import ml_dtypes
import numpy as np
import pytest
import safetensors
from hypothesis import given, settings
from hypothesis import strategies as st

import haagenti
from haagenti.errors import InvalidArgumentError, IoError
from haagenti.files import shard_metadata
from haagenti.files.safetensors_file import SafetensorsReader, SafetensorsWriter, TensorSpec, header_size


def record_of(array: np.ndarray, encoding: str = "int8") -> haagenti.Record:
    return haagenti.encode(array, encoding)


def test_streams_records_and_plain_tensors(tmp_path):
    path = tmp_path / "a.safetensors"
    weight = np.linspace(-1, 1, 64 * 96, dtype=np.float32).reshape(64, 96)
    specs = [TensorSpec("w", "F32", (64, 96), "int8"), TensorSpec("v", "F32", (64, 96), "int4"), TensorSpec("b", "BF16", (5,))]
    reserved = header_size(specs, {"format": "pt"}, {"w.tied": "w"})
    with SafetensorsWriter(path, header_size=reserved, metadata={"format": "pt"}) as writer:
        for name, encoding in (("w", "int8"), ("v", "int4")):
            record = record_of(weight, encoding)
            writer.append_record(name, record.data, dtype=record.dtype, shape=record.shape, encoding=record.encoding)
        writer.append("b", np.ones(5, ml_dtypes.bfloat16).view(np.uint8), dtype="BF16", shape=(5,))
        writer.add_alias("w.tied", "w")
        assert not path.exists()
    reader = SafetensorsReader(path)
    assert reader.names() == ["w", "v", "b"]
    assert all(reader.info(name).offset % 64 == 0 for name in ("w", "v"))
    described = shard_metadata.parse(reader.metadata, str(path))
    assert described.tensors["v"] == shard_metadata.Described("F32", (64, 96), "int4(group_size=32)")
    assert described.aliases == {"w.tied": "w"}
    assert reader.metadata["format"] == "pt"
    with safetensors.safe_open(path, "np") as library:
        assert library.get_tensor("w").tobytes() == bytes(record_of(weight).data)
        assert library.get_slice("b").get_shape() == [5]
    first = path.read_bytes()[:reserved]
    assert first[8:9] == b"{"
    assert first.endswith((b" ", b"}"))
    assert os.listdir(tmp_path) == ["a.safetensors"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=12), unique=True, min_size=1, max_size=12), st.data())
def test_reserved_header_always_fits(tmp_path_factory, names, data):
    names = [name for name in names if name != "__metadata__" and name.isprintable()]
    shape = (64, 64)
    encodings = [data.draw(st.sampled_from([None, "raw", "int8", 'int4(group_size=128, scale="max", group_axis="flat")'])) for _ in names]
    specs = [TensorSpec(name, "F32", shape, encoding) for name, encoding in zip(names, encodings, strict=True)]
    path = tmp_path_factory.mktemp("w") / "a.safetensors"
    array = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    with SafetensorsWriter(path, header_size=header_size(specs)) as writer:
        for spec in specs:
            if spec.encoding is not None:  # every record as its lossless fallback, or as asked for
                record = haagenti.encode(array, data.draw(st.sampled_from(["raw", spec.encoding])))
                writer.append_record(spec.name, record.data, dtype="F32", shape=shape, encoding=record.encoding)
        for spec in specs:
            if spec.encoding is None:
                writer.append(spec.name, array.view(np.uint8), dtype="F32", shape=shape)
    assert sorted(SafetensorsReader(path).names()) == sorted(names)


def test_misuse_is_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    writer = SafetensorsWriter(path, header_size=4096)
    writer.append("a", b"\0", dtype="U8", shape=(1,))
    with pytest.raises(InvalidArgumentError, match=r"'b'.*multiple of 4.*found 1"):
        writer.append("b", bytes(4), dtype="F32", shape=(1,))
    with pytest.raises(InvalidArgumentError, match=r"'b'.*expected 4 bytes.*found 5"):
        writer.append("b", bytes(5), dtype="F32", shape=(1,))
    with pytest.raises(InvalidArgumentError, match="records before plain"):
        writer.append_record("b", bytes(128), dtype="F32", shape=(1,), encoding="raw")
    with pytest.raises(InvalidArgumentError, match=r"'a'.*already"):
        writer.append("a", b"\0", dtype="U8", shape=(1,))
    with pytest.raises(InvalidArgumentError, match="reserved"):
        writer.append("__metadata__", b"\0", dtype="U8", shape=(1,))
    with pytest.raises(InvalidArgumentError, match="UTF-8"):
        writer.append("\ud800", b"\0", dtype="U8", shape=(1,))
    with pytest.raises(InvalidArgumentError, match="F33"):
        writer.append("c", b"\0", dtype="F33", shape=(1,))
    with pytest.raises(InvalidArgumentError, match="alias"):
        writer.add_alias("x", "nope")
    writer.finish()
    assert SafetensorsReader(path).names() == ["a"]
    with pytest.raises(InvalidArgumentError, match="'haagenti' is reserved"):
        SafetensorsWriter(tmp_path / "b.safetensors", header_size=64, metadata={"haagenti": "x"})
    with pytest.raises(InvalidArgumentError, match="expected str by str, found int"):
        SafetensorsWriter(tmp_path / "b.safetensors", header_size=64, metadata={"k": 1})
    assert os.listdir(tmp_path) == ["a.safetensors"]


def test_header_that_does_not_fit_leaves_nothing(tmp_path):
    writer = SafetensorsWriter(tmp_path / "a.safetensors", header_size=64)
    writer.append("a" * 100, b"\0", dtype="U8", shape=(1,))
    with pytest.raises(InvalidArgumentError, match="at most 64 bytes"):
        writer.finish()
    assert os.listdir(tmp_path) == []


def test_nothing_is_left_behind(tmp_path):
    path = tmp_path / "a.safetensors"
    writer = SafetensorsWriter(path, header_size=64)
    writer.abort()
    writer.abort()
    with pytest.raises(InvalidArgumentError), SafetensorsWriter(path, header_size=64) as writer:
        writer.append("a", b"too long", dtype="U8", shape=(1,))
    forgotten = SafetensorsWriter(path, header_size=64)
    assert len(os.listdir(tmp_path)) == 1
    del forgotten
    assert os.listdir(tmp_path) == []


def test_nothing_is_overwritten_unless_asked_for(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"precious")
    with pytest.raises(IoError, match="overwrite=True"):
        SafetensorsWriter(path, header_size=64)
    path.unlink()
    writer = SafetensorsWriter(path, header_size=64)
    path.write_bytes(b"appeared meanwhile")
    with pytest.raises(IoError):
        writer.finish()
    assert path.read_bytes() == b"appeared meanwhile"
    with SafetensorsWriter(path, header_size=64, overwrite=True) as writer:
        assert path.read_bytes() == b"appeared meanwhile"
    assert SafetensorsReader(path).names() == []
    assert os.listdir(tmp_path) == ["a.safetensors"]


def test_file_mode_follows_the_umask(tmp_path):
    path = tmp_path / "a.safetensors"
    before = os.umask(0o027)
    try:
        SafetensorsWriter(path, header_size=64).finish()
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640
