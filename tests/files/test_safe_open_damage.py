"""`safe_open` on shards that are cut, flipped or lying about their records, and on files of other kinds."""

from __future__ import annotations

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from samples import WIDE

import haagenti
import haagenti.numpy
from haagenti.errors import CorruptError, Error, TruncatedError, UnsupportedError
from haagenti.files import shard_metadata
from haagenti.files.safetensors_file import SafetensorsReader, TensorSpec, header_size

torch = pytest.importorskip("torch")


def read_everything(path) -> None:
    with haagenti.safe_open(path, "np") as file:
        file.get_tensors()


def shard_with(path, described: dict, aliases: dict | None = None, metadata: str | None = None) -> None:
    """One int8 record "w" and one plain tensor "b", described as told."""
    record = haagenti.encode(WIDE["w8"], "int8")
    text = shard_metadata.build(described, aliases) if metadata is None else metadata
    payload = safetensors.numpy.save(
        {"w": np.frombuffer(record.data, np.uint8), "b": np.ones((2, 2), np.uint8)}, metadata={"haagenti": text}
    )
    path.write_bytes(payload)


GOOD = shard_metadata.Described("F32", (48, 70), 'int8(group_size="row")')


def test_records_in_files_of_the_library(tmp_path):
    path = tmp_path / "a.safetensors"
    shard_with(path, {"w": GOOD}, {"tied": "w"})
    with haagenti.safe_open(path, "np") as file:
        assert file.keys() == ["b", "tied", "w"]
        tensors = file.get_tensors()
        assert tensors["tied"] is tensors["w"]
        assert haagenti.quality(WIDE["w8"], tensors["w"]).snr_db > 35
        assert file.metadata() is None


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ({"w": shard_metadata.Described("BF16", (48, 70), GOOD.encoding)}, "'w'.*dtype: expected 'BF16'.*found 'F32'"),
        ({"w": shard_metadata.Described("F32", (70, 48), GOOD.encoding)}, r"'w'.*shape: expected \(70, 48\).*found \(48, 70\)"),
        ({"w": shard_metadata.Described("F32", (48, 70), "int4(group_size=32)")}, "'w'.*encoding: expected 'int4"),
        ({"w": GOOD, "b": GOOD}, "'b': expected a record, a 1-D U8 tensor, found U8"),
    ],
)
def test_lying_descriptions_are_refused(tmp_path, described, message):
    path = tmp_path / "a.safetensors"
    shard_with(path, described)
    with pytest.raises(CorruptError, match=message):
        read_everything(path)


def test_what_is_said_of_other_shards_is_ignored(tmp_path):
    path = tmp_path / "a.safetensors"
    shard_with(path, {"w": GOOD, "x": GOOD}, {"tied": "x", "u": "w"})
    with haagenti.safe_open(path, "np") as file:
        assert file.keys() == ["b", "u", "w"]


def test_a_record_that_is_not_described_is_refused(tmp_path):
    """One flipped bit in the key or in a name of the description must not turn records into plain bytes."""
    path = tmp_path / "a.safetensors"
    shard_with(path, {"w": GOOD})
    data = path.read_bytes()
    assert data.count(b'"haagenti"') == 1
    path.write_bytes(data.replace(b'"haagenti"', b'"haagenty"'))
    with pytest.raises(CorruptError, match="expected a description of this record"):
        read_everything(path)


@pytest.mark.parametrize("aliases", [{"b": "w"}, {"w": "b"}])
def test_lying_aliases_are_refused(tmp_path, aliases):
    path = tmp_path / "a.safetensors"
    shard_with(path, {"w": GOOD}, aliases)
    with pytest.raises(CorruptError, match="alias"):
        read_everything(path)


@pytest.mark.parametrize("text", ["", "[]", '{"version":1,"tensors":{"w":{}}}', '{"version":1,"tensors":[]}', "{", '{"version":"1"}'])
def test_damaged_descriptions_are_refused(tmp_path, text):
    path = tmp_path / "a.safetensors"
    shard_with(path, {}, metadata=text)
    with pytest.raises(CorruptError, match="haagenti"):
        read_everything(path)


def test_newer_descriptions_are_unsupported(tmp_path):
    path = tmp_path / "a.safetensors"
    shard_with(path, {}, metadata='{"version":2,"tensors":{}}')
    with pytest.raises(UnsupportedError, match="version 2"):
        read_everything(path)


def test_every_damaged_byte_of_a_record_in_a_shard_is_found(tmp_path):
    path = tmp_path / "a.safetensors"
    haagenti.numpy.save_file({"w": WIDE["w8"]}, path, encoding="int8")
    whole = path.read_bytes()
    reader = SafetensorsReader(whole)
    start, n_bytes = reader.info("w").offset, reader.info("w").n_bytes
    record = haagenti.Record(reader.raw("w"))
    segments = [(segment["offset"], segment["n_bytes"]) for segment in record.view.segments]
    for position in range(n_bytes):
        is_padding = position >= record.view.header_size and not any(at <= position < at + n for at, n in segments)
        if is_padding:
            continue
        damaged = bytearray(whole)
        damaged[start + position] ^= 0x10
        path.write_bytes(damaged) if position % 97 == 0 else None  # through the file now and then, through memory otherwise
        with pytest.raises(Error):
            read_everything(path) if position % 97 == 0 else haagenti.numpy.load(bytes(damaged))


@pytest.mark.parametrize("name", ["raw.hct", "shard.safetensors"])
@pytest.mark.parametrize("backend", ["mmap", "pread"])
def test_every_truncation_is_refused(folder, tmp_path, name, backend):
    whole = (folder / name).read_bytes()
    path = tmp_path / name
    for size in [*range(0, 200, 7), *range(200, len(whole), 331), len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises((CorruptError, TruncatedError)):
            haagenti.safe_open(path, "np", backend=backend)


FOREIGN = {
    "v1.hct": (b"HCTN" + (1).to_bytes(4, "little") + bytes(120), UnsupportedError, "version: expected 4, found 1.*older tool"),
    "v2.hct": (b"HCTN" + (2).to_bytes(4, "little") + bytes(120), UnsupportedError, "version: expected 4, found 2.*older tool"),
    "v5.hct": (b"HCTN" + (5).to_bytes(4, "little") + bytes(120), UnsupportedError, "5"),
    "short.hct": (b"HCTN", TruncatedError, "short.hct"),
    "shorter.hct": (b"HCTN\4\0", TruncatedError, "shorter.hct"),
    "zip.pt": (b"PK\3\4" + bytes(60), UnsupportedError, "zip.pt.*torch.save"),
    "old.pt": (b"\x80\2" + bytes(60), UnsupportedError, "pickle"),
    "model.gguf": (b"GGUF" + bytes(60), UnsupportedError, "GGUF"),
    "record.bin": (b"HGTR" + bytes(60), UnsupportedError, "record"),
    "text.txt": (b"Once upon a time there was a file", CorruptError, "perhaps not a safetensors file"),
    "empty.hct": (b"", TruncatedError, "empty file"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_other_files_are_named(tmp_path, name):
    data, kind, message = FOREIGN[name]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(kind, match=message):
        haagenti.safe_open(path, "np")


def test_header_size_covers_the_fixture(folder):
    specs = [TensorSpec(name, "F32", array.shape, "int8") for name, array in WIDE.items()]
    assert SafetensorsReader(folder / "shard.safetensors").info("w8").offset <= header_size(specs, {"format": "np"})
