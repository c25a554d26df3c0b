"""`haagenti.numpy`: dictionaries of arrays to files and bytes, and back."""

from __future__ import annotations

import os

import ml_dtypes
import numpy as np
import pytest
import safetensors
import safetensors.numpy

import haagenti
import haagenti.numpy as hnp
from haagenti import _core, dtypes
from haagenti.errors import CorruptError, Error, InvalidArgumentError, TruncatedError
from haagenti.files.safetensors_file import SafetensorsReader

RNG = np.random.default_rng(3)
SUFFIXES = ("hct", "safetensors")


def sample() -> dict[str, np.ndarray]:
    tensors = {}
    for name in dtypes.names():
        if name in ("BOOL", "C64"):
            tensors[name] = RNG.integers(0, 2, (4, 6)).astype(dtypes.to_numpy(name))
        elif not name.startswith("F6"):
            dtype = dtypes.to_numpy(name)
            tensors[name] = RNG.integers(0, 16, (4, 6 * dtype.itemsize), np.uint8).view(dtype)
    return {
        **tensors,
        "weight": RNG.normal(size=(64, 96)).astype(np.float32),
        "bias": RNG.normal(size=96).astype(ml_dtypes.bfloat16),
        "scalar": np.array(7, np.int32),
        "empty": np.zeros((3, 0), np.float32),
        'names/é "x"': np.arange(3),
    }


def assert_equal(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert set(found) == set(expected)
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape), name
        assert found[name].tobytes() == array.tobytes(), name
        assert found[name].flags.writeable


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_lossless_round_trip(tmp_path, suffix):
    tensors = sample()
    path = tmp_path / f"a.{suffix}"
    hnp.save_file(tensors, path, metadata={"format": "np"})
    assert_equal(hnp.load_file(path), tensors)
    assert_equal(hnp.load_file(str(path), backend="pread"), tensors)
    assert_equal(hnp.load(path.read_bytes()), tensors)
    assert_equal(hnp.load(hnp.save(tensors, format=suffix)), tensors)
    assert hnp.save(tensors, metadata={"format": "np"}, format=suffix) == path.read_bytes()
    assert haagenti.safe_open(path, "np").metadata() == {"format": "np"}
    assert os.listdir(tmp_path) == [path.name]


def test_reads_and_replaces_the_librarys_files(tmp_path):
    tensors = {name: array for name, array in sample().items() if name in ("weight", "scalar", "empty", "I64", "BOOL")}
    path = tmp_path / "a.safetensors"
    safetensors.numpy.save_file(tensors, path)
    assert_equal(hnp.load_file(path), tensors)
    assert_equal(hnp.load(safetensors.numpy.save(tensors)), tensors)
    hnp.save_file(tensors, path, encoding="plain")
    assert_equal(safetensors.numpy.load_file(path), tensors)
    hnp.save_file({}, path)
    assert hnp.load_file(path) == {}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_encoding_for_all_by_name_and_by_function(tmp_path, suffix):
    tensors = {name: RNG.normal(size=(32, 64)).astype(np.float32) for name in ("a", "b", "c")}
    path = tmp_path / f"a.{suffix}"

    def encodings() -> dict[str, str]:
        if suffix == "hct":
            reader = _core.HctReader(path)
            return {name: haagenti.Record(reader.record(name)).encoding for name in reader.names()}
        reader = SafetensorsReader(path)
        return {name: haagenti.Record(reader.raw(name)).encoding for name in reader.names() if reader.info(name).dtype == "U8"}

    hnp.save_file(tensors, path, encoding="int4(group_size=64)")
    assert encodings() == dict.fromkeys("abc", "int4(group_size=64)")
    hnp.save_file(tensors, path, encoding={"a": "int8", "c": 'int4(scale="max")'})
    assert encodings() == {"a": 'int8(group_size="row")', "b": 'raw(codec="zstd")', "c": "int4(group_size=32)"}
    seen = []
    hnp.save_file(tensors, path, encoding=lambda name, array: seen.append((name, array.shape)) or ("int8" if name == "b" else "raw"))
    assert encodings()["b"] == 'int8(group_size="row")'
    assert seen == [(name, (32, 64)) for name in "abc"]


def test_plain_where_a_record_would_not_help(tmp_path):
    noise = RNG.integers(0, 256, (64, 64), np.uint8)
    tensors = {"noise": noise, "vector": np.zeros(4096), "tiny": np.zeros((2, 2)), "zeros": np.zeros((64, 64))}
    path = tmp_path / "a.safetensors"
    hnp.save_file(tensors, path)
    reader = SafetensorsReader(path)
    assert {name for name in reader.names() if reader.info(name).shape != tensors[name].shape} == {"zeros"}
    assert reader.names()[0] == "zeros"
    assert_equal(hnp.load_file(path), tensors)


def test_plain_tensors_are_aligned(tmp_path):
    types = (np.uint8, np.float16, np.float64, np.complex64, bool, np.int16)
    tensors = {np.dtype(dtype).name: np.ones(3, dtype) for dtype in types}
    path = tmp_path / "a.safetensors"
    hnp.save_file(tensors, path)
    reader = SafetensorsReader(path)
    for name, array in tensors.items():
        assert reader.info(name).offset % array.dtype.itemsize == 0


def test_strided_and_big_endian_arrays(tmp_path):
    base = np.arange(48, dtype=np.float32).reshape(6, 8)
    tensors = {"t": base.T, "s": base[::2, 1::3], "r": base[::-1], "f": np.asfortranarray(base)}
    tensors |= {"big": base.astype(">f4"), "bi": np.arange(4, dtype=">i8")}
    for suffix in SUFFIXES:
        hnp.save_file(tensors, tmp_path / f"a.{suffix}")
        found = hnp.load_file(tmp_path / f"a.{suffix}")
        for name, array in tensors.items():
            assert np.array_equal(found[name], array)
            assert found[name].dtype == array.dtype.newbyteorder("=")


def test_the_same_memory_is_stored_once(tmp_path):
    weight = RNG.normal(size=(64, 64)).astype(np.float32)
    tensors = {"embed": weight, "head": weight, "view": weight[:], "transposed": weight.T, "part": weight[:32], "copy": weight.copy()}
    path = tmp_path / "a.hct"
    hnp.save_file(tensors, path)
    reader = _core.HctReader(path)
    assert len({reader.span(name) for name in reader.names()}) == 4
    found = hnp.load_file(path)
    assert found["embed"] is found["head"] is found["view"]
    assert all(np.array_equal(found[name], tensors[name]) for name in tensors)
    hnp.save_file(tensors, path, encoding={"embed": "int8"})
    assert _core.HctReader(path).span("embed") != _core.HctReader(path).span("head")
    hnp.save_file(tensors, tmp_path / "a.safetensors")
    assert_equal(hnp.load_file(tmp_path / "a.safetensors"), {name: np.ascontiguousarray(array) for name, array in tensors.items()})


def test_lossy_values_that_cannot_be_held_stay_exact(tmp_path):
    array = RNG.normal(size=(8, 64)).astype(np.float32)
    array[3, 3] = np.nan
    for suffix in SUFFIXES:
        hnp.save_file({"w": array}, tmp_path / f"a.{suffix}", encoding="int4")
        assert hnp.load_file(tmp_path / f"a.{suffix}")["w"].tobytes() == array.tobytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("tensors", "options", "message"),
    [
        ({"w": np.zeros((2, 2))}, {"encoding": "int5"}, "'w'.*int5"),
        ({"w": np.zeros((2, 2))}, {"encoding": "int4(group_size=33)"}, "'w'.*33"),
        ({"w": np.zeros((2, 2))}, {"encoding": "int4(colour=1)"}, "'w'.*colour"),
        ({"w": np.zeros((2, 2))}, {"encoding": {"v": "raw"}}, "'v'"),
        ({"w": np.zeros((2, 2))}, {"encoding": {"w": 4}}, "'w'.*expected str, found int"),
        ({"w": np.zeros((2, 2))}, {"encoding": 4}, "encoding.*found int"),
        ({"w": np.zeros((2, 2))}, {"encoding": lambda name, array: None}, "'w'.*found NoneType"),
        ({"w": np.zeros((64, 64), np.int64)}, {"encoding": "int4"}, "'w'.*I64"),
        ({"w": np.zeros((2, 2), "U4")}, {}, "'w'.*dtype"),
        ({"w": np.zeros((2, 2), object)}, {}, "'w'.*dtype"),
        ({"w": np.zeros((2, 2), np.complex128)}, {}, "'w'.*dtype"),
        ({"w": [1, 2]}, {}, "'w'.*found list"),
        ({3: np.zeros(2)}, {}, "name.*3"),
        ({"w": np.zeros((2, 2))}, {"metadata": {"k": 1}}, "metadata 'k'.*int"),
        ({"w": np.zeros((2, 2))}, {"metadata": {"haagenti": "x"}}, "reserved"),
    ],
)
def test_refused_with_nothing_left_behind(tmp_path, suffix, tensors, options, message):
    with pytest.raises(InvalidArgumentError, match=message):
        hnp.save_file(tensors, tmp_path / f"a.{suffix}", **options)
    assert os.listdir(tmp_path) == []


def test_suffix_and_plain(tmp_path):
    for name in ("a.npz", "a", "a.bin"):
        with pytest.raises(InvalidArgumentError, match=r"\.hct or \.safetensors"):
            hnp.save_file({}, tmp_path / name)
    with pytest.raises(InvalidArgumentError, match=r"'w'.*codec"):
        hnp.save_file({"w": np.zeros((2, 2))}, tmp_path / "a.hct", encoding="plain")
    with pytest.raises(FileNotFoundError):
        hnp.save_file({}, tmp_path / "nowhere" / "a.safetensors")
    with pytest.raises(OSError, match="nowhere"):
        hnp.save_file({}, tmp_path / "nowhere" / "a.hct")
    with pytest.raises(FileNotFoundError):
        hnp.load_file(tmp_path / "a.hct")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_failure_keeps_the_old_file(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    hnp.save_file({"old": np.arange(3)}, path)

    with pytest.raises(InvalidArgumentError, match=r"'late'.*F64"):
        hnp.save_file({"w": np.zeros((64, 64), np.float32), "late": np.zeros((64, 64))}, path, encoding="int8")
    assert list(hnp.load_file(path)) == ["old"]
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damaged_files_are_refused(suffix):
    data = hnp.save({"w": RNG.normal(size=(16, 64)).astype(np.float32), "v": np.zeros((64, 64))}, encoding={"w": "int8"}, format=suffix)
    for size in range(0, len(data), 41):
        with pytest.raises((TruncatedError, CorruptError)):
            hnp.load(data[:size])
    with pytest.raises(Error):
        hnp.load(data + b"\0")
    with pytest.raises(InvalidArgumentError, match=r"\.hct or \.safetensors"):
        hnp.save({}, format="npz")
