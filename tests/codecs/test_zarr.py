"""The codecs of haagenti.zarr in arrays of zarr's format 3, in memory and on disk."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest

import haagenti

zarr = pytest.importorskip("zarr", minversion="3")

import haagenti.zarr as ours  # noqa: E402

CLASSES = [ours.Zstd, ours.Lz4, ours.Lz4Hc, ours.Brotli, ours.Deflate, ours.Zlib, ours.Gzip]
DATA = np.random.default_rng(5).integers(0, 50, (60, 70)).astype("i4")


def name_of(cls: type) -> str:
    """As zarr knows it."""
    return f"haagenti.{cls.algorithm}"


@pytest.mark.parametrize("cls", CLASSES, ids=name_of)
def test_in_memory(cls: type) -> None:
    store = zarr.storage.MemoryStore()
    array = zarr.create_array(store, shape=DATA.shape, chunks=(25, 30), dtype="i4", compressors=cls(level="fast"))
    array[:] = DATA
    again = zarr.open_array(store, mode="r")
    np.testing.assert_array_equal(again[:], DATA)
    np.testing.assert_array_equal(again[20:33, 5:61], DATA[20:33, 5:61])
    assert again.compressors == (cls(level="fast"),)
    assert again.nbytes_stored() < DATA.nbytes


@pytest.mark.parametrize("cls", CLASSES, ids=name_of)
def test_on_disk(cls: type, tmp_path) -> None:
    path = tmp_path / "array.zarr"
    array = zarr.create_array(path, shape=DATA.shape, chunks=(25, 30), dtype="i4", compressors=cls())
    array[:] = DATA
    entry = json.loads((path / "zarr.json").read_text())["codecs"][-1]
    assert entry["name"] == name_of(cls)
    assert isinstance(entry["configuration"]["level"], int)
    assert "threads" not in entry["configuration"]
    array = zarr.open_array(path, mode="r+")
    array[10:20, 10:20] = 7
    changed = DATA.copy()
    changed[10:20, 10:20] = 7
    np.testing.assert_array_equal(zarr.open_array(path, mode="r")[:], changed)
    chunk = (path / "c" / "0" / "0").read_bytes()
    assert haagenti.decompress(chunk, cls.algorithm) == np.ascontiguousarray(changed[:25, :30]).tobytes()


def test_another_process_reads_it(tmp_path) -> None:
    zarr.create_array(tmp_path, shape=DATA.shape, dtype="i4", compressors=ours.Zstd(checksum=True))[:] = DATA
    code = f"import zarr, haagenti.zarr; print(int(zarr.open_array({str(tmp_path)!r}, mode='r')[:].sum()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == str(int(DATA.sum())), done.stderr


@pytest.mark.parametrize("dtype", ["bool", "u1", "i8", "f2", "f4", "f8", "c8", "M8[ns]"])
def test_dtypes(dtype: str) -> None:
    values = np.random.default_rng(6).integers(0, 2, 1000).astype(dtype)
    for cls in CLASSES:
        array = zarr.create_array({}, shape=(1000,), chunks=(300,), dtype=dtype, compressors=cls(level="fast"))
        array[:] = values
        np.testing.assert_array_equal(array[:], values)


def test_by_name() -> None:
    array = zarr.create_array(
        {}, shape=(100,), dtype="f4", compressors={"name": "haagenti.zstd", "configuration": {"level": 7, "checksum": True}}
    )
    array[:] = 2.5
    assert array.compressors == (ours.Zstd(level=7, checksum=True),)
    assert (array[:] == 2.5).all()
    plain = zarr.create_array({}, shape=(100,), dtype="f4", compressors={"name": "haagenti.gzip"})
    assert plain.compressors == (ours.Gzip(),)


def test_with_other_codecs_and_shards(tmp_path) -> None:
    array = zarr.create_array(
        tmp_path,
        shape=DATA.shape,
        chunks=(10, 10),
        shards=(30, 40),
        dtype="i4",
        compressors=[ours.Lz4(checksum=True), ours.Zstd()],
        filters="auto",
    )
    array[:] = DATA
    np.testing.assert_array_equal(zarr.open_array(tmp_path, mode="r")[:], DATA)
    np.testing.assert_array_equal(zarr.open_array(tmp_path, mode="r")[3:33, 7:8], DATA[3:33, 7:8])


def test_zarrs_own_codecs_read_the_same_chunks(tmp_path) -> None:
    for cls, own in ((ours.Zstd, zarr.codecs.ZstdCodec()), (ours.Gzip, zarr.codecs.GzipCodec())):
        path = tmp_path / cls.algorithm
        zarr.create_array(path, shape=DATA.shape, chunks=(25, 30), dtype="i4", compressors=cls())[:] = DATA
        metadata = json.loads((path / "zarr.json").read_text())
        metadata["codecs"][-1] = own.to_dict()
        (path / "zarr.json").write_text(json.dumps(metadata))
        np.testing.assert_array_equal(zarr.open_array(path, mode="r")[:], DATA)


@pytest.mark.parametrize("cls", CLASSES, ids=name_of)
def test_configuration(cls: type) -> None:
    codec = cls("best")
    assert isinstance(codec.level, int)
    assert cls.from_dict(json.loads(json.dumps(codec.to_dict()))) == codec == cls(codec.level)
    assert pickle.loads(pickle.dumps(codec)) == copy.deepcopy(codec) == codec
    assert hash(codec) == hash(cls("best"))
    assert codec != cls("fast")
    with pytest.raises(haagenti.InvalidArgumentError, match="level"):
        cls(1000)
    with pytest.raises(haagenti.InvalidArgumentError, match="nonsense"):
        cls.from_dict({"name": name_of(cls), "configuration": {"nonsense": 1}})
    with pytest.raises(haagenti.InvalidArgumentError, match="other"):
        cls.from_dict({"name": "other", "configuration": {}})


def test_threads() -> None:
    data = np.arange(1_000_000, dtype="u2")
    for cls in (ours.Zstd, ours.Lz4, ours.Deflate, ours.Zlib, ours.Gzip):
        array = zarr.create_array({}, shape=data.shape, chunks=data.shape, dtype="u2", compressors=cls("fast", threads=2))
        assert array.compressors[0].to_dict()["configuration"]["threads"] == 2
        array[:] = data
        np.testing.assert_array_equal(array[:], data)


def test_damage_is_an_error(tmp_path) -> None:
    zarr.create_array(tmp_path, shape=DATA.shape, chunks=DATA.shape, dtype="i4", compressors=ours.Zstd(checksum=True))[:] = DATA
    chunk = tmp_path / "c" / "0" / "0"
    damaged = bytearray(chunk.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    chunk.write_bytes(damaged)
    with pytest.raises(haagenti.DecompressionError):
        zarr.open_array(tmp_path, mode="r")[:]


def test_entry_points_name_the_classes() -> None:
    from importlib.metadata import EntryPoint
    from pathlib import Path

    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    declared = project["entry-points"]["zarr.codecs"]
    assert declared.keys() == {name_of(cls) for cls in CLASSES}
    for name, value in declared.items():
        assert name_of(EntryPoint(name, value, "zarr.codecs").load()) == name
