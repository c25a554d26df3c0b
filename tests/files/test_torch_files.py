"""`haagenti.torch`: dictionaries of tensors to files and bytes, and back."""

from __future__ import annotations

import os

import numpy as np
import pytest
import safetensors.torch

import haagenti
from haagenti import _core
from haagenti.errors import CorruptError, Error, InvalidArgumentError, TruncatedError
from haagenti.files.safetensors_file import SafetensorsReader

torch = pytest.importorskip("torch")

from torch_samples import DTYPES, assert_equal, bits, tensor_of  # noqa: E402

import haagenti.torch as ht  # noqa: E402
from haagenti.torch import tensors as bridge  # noqa: E402

SUFFIXES = ("hct", "safetensors")


# --- files -----------------------------------------------------------------------------------------------------------------------------


def sample() -> dict[str, torch.Tensor]:
    tensors = {bridge.from_torch_dtype(dtype): tensor_of(dtype) for dtype in DTYPES}
    return {
        **tensors,
        "weight": torch.randn(64, 96, generator=torch.Generator().manual_seed(3)),
        "scalar": torch.tensor(2.5, dtype=torch.bfloat16),
        "empty": torch.empty(3, 0),
        "strided": torch.arange(12).reshape(3, 4).T,
    }


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_lossless_round_trip(tmp_path, suffix):
    tensors = sample()
    path = tmp_path / f"a.{suffix}"
    ht.save_file(tensors, path, metadata={"format": "pt"})
    assert_equal(ht.load_file(path), tensors)
    assert_equal(ht.load_file(str(path), device="cpu", backend="pread"), tensors)
    assert_equal(ht.load(path.read_bytes()), tensors)
    assert_equal(ht.load(ht.save(tensors, format=suffix)), tensors)
    assert haagenti.safe_open(path, "pt").metadata() == {"format": "pt"}
    arrays = haagenti.numpy.load_file(path)
    assert all(arrays[name].tobytes() == bits(tensor) for name, tensor in tensors.items())
    assert os.listdir(tmp_path) == [path.name]


def test_exchanges_files_with_the_library(tmp_path):
    tensors = {name: tensor.contiguous() for name, tensor in sample().items()}
    path = tmp_path / "a.safetensors"
    safetensors.torch.save_file(tensors, path)
    assert_equal(ht.load_file(path), tensors)
    ht.save_file(tensors, path, encoding="plain")
    assert_equal(dict(safetensors.torch.load_file(path)), tensors)


def test_library_sees_records_as_bytes(tmp_path):
    path = tmp_path / "a.safetensors"
    ht.save_file({"w": torch.randn(64, 96), "b": torch.ones(5)}, path, encoding="int4")
    found = safetensors.torch.load_file(path)
    assert (found["w"].dtype, found["w"].ndim) == (torch.uint8, 1)
    assert found["b"].tolist() == [1] * 5
    assert haagenti.Record(found["w"].numpy()).encoding == "int4(group_size=32)"


@pytest.mark.skipif(not hasattr(torch, "float4_e2m1fn_x2"), reason="this torch has no 4-bit floats")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_pairs_of_four_bit_floats(tmp_path, suffix):
    packed = torch.arange(96, dtype=torch.uint8).reshape(4, 24)
    tensor = packed.view(torch.float4_e2m1fn_x2)
    path = tmp_path / f"a.{suffix}"
    ht.save_file({"t": tensor}, path)
    found = ht.load_file(path)["t"]
    assert (found.dtype, found.shape) == (tensor.dtype, tensor.shape)
    assert torch.equal(found.view(torch.uint8), packed)
    record = ht.encode(tensor, "raw", name="t")
    assert record.shape == (4, 48)
    assert torch.equal(ht.decode(record).view(torch.uint8), packed)
    with pytest.raises(InvalidArgumentError, match="'t'"):
        ht.decode(record, dtype=torch.float32)
    if suffix == "safetensors":
        safetensors.torch.save_file({"t": tensor}, path)
        assert torch.equal(ht.load_file(path)["t"].view(torch.uint8), packed)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_encoding_by_function_and_name(tmp_path, suffix):
    tensors = {"a": torch.randn(32, 64), "b": torch.randn(32, 64, dtype=torch.bfloat16), "c": torch.randn(64)}
    path = tmp_path / f"a.{suffix}"
    ht.save_file(tensors, path, encoding=lambda name, tensor: "int8" if tensor.ndim == 2 else "raw")
    found = ht.load_file(path)
    assert haagenti.quality(tensors["a"], found["a"]).snr_db > 35
    assert torch.equal(found["c"], tensors["c"])
    ht.save_file(tensors, path, encoding={"b": "int4"})
    found = ht.load_file(path)
    assert torch.equal(found["a"], tensors["a"])
    assert 15 < haagenti.quality(tensors["b"], found["b"]).snr_db < 35


# --- shared memory ---------------------------------------------------------------------------------------------------------------------


def test_tied_weights_stay_tied_in_hct(tmp_path):
    weight = torch.randn(64, 64)
    tensors = {"embed": weight, "head": weight, "view": weight.view(64, 64)}
    tensors |= {"transposed": weight.T, "part": weight[:32], "copy": weight.clone()}
    path = tmp_path / "a.hct"
    ht.save_file(tensors, path)
    reader = _core.HctReader(path)
    assert len({reader.span(name) for name in reader.names()}) == 4
    found = ht.load_file(path)
    assert found["embed"] is found["head"] is found["view"]
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items())
    with haagenti.safe_open(path, "pt") as file:
        assert torch.equal(file.get_tensor("head"), weight)


@pytest.mark.parametrize(
    "shared",
    [lambda base: base, lambda base: base.view(-1), lambda base: base[1:3], lambda base: base.T, lambda base: base.view(torch.int32)],
    ids=["same", "flat", "part", "transposed", "bits"],
)
def test_shared_memory_is_refused_in_safetensors(tmp_path, shared):
    base = torch.randn(8, 8)
    with pytest.raises(InvalidArgumentError, match=r"'a' and 'b'.*shared memory"):
        ht.save_file({"a": base, "b": shared(base), "c": torch.ones(2)}, tmp_path / "a.safetensors")
    assert os.listdir(tmp_path) == []
    with pytest.raises((RuntimeError, ValueError)):
        safetensors.torch.save_file({"a": base, "b": shared(base)}, tmp_path / "a.safetensors")


def test_neighbours_in_one_storage_are_not_shared(tmp_path):
    base = torch.randn(8, 8)
    tensors = {"a": base[:4], "b": base[4:], "none": base[:0]}
    ht.save_file(tensors, tmp_path / "a.safetensors")
    assert_equal(ht.load_file(tmp_path / "a.safetensors"), tensors)


# --- refused ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("tensors", "options", "message"),
    [
        ({"w": torch.ones(2, 2)}, {"encoding": "int5"}, "'w'.*int5"),
        ({"w": torch.ones(2, 2)}, {"encoding": {"v": "raw"}}, "'v'"),
        ({"w": torch.ones(64, 64, dtype=torch.float64)}, {"encoding": "int8"}, "'w'.*F64"),
        ({"w": np.ones((2, 2))}, {}, "'w'.*found ndarray"),
        ({5: torch.ones(2)}, {}, "name.*5"),
        ({"w": torch.ones(2)}, {"metadata": {"k": None}}, "metadata 'k'"),
    ],
)
def test_refused_with_nothing_left_behind(tmp_path, suffix, tensors, options, message):
    with pytest.raises(InvalidArgumentError, match=message):
        ht.save_file(tensors, tmp_path / f"a.{suffix}", **options)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_failure_keeps_the_old_file(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    ht.save_file({"old": torch.ones(3)}, path)
    with pytest.raises(InvalidArgumentError, match=r"'late'.*F64"):
        ht.save_file({"w": torch.ones(64, 64), "late": torch.ones(64, 64, dtype=torch.float64)}, path, encoding="int8")
    assert list(ht.load_file(path)) == ["old"]
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damaged_files_are_refused(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    ht.save_file({"w": torch.randn(16, 64), "v": torch.zeros(64, 64)}, path, encoding="int8")
    data = path.read_bytes()
    for size in range(0, len(data), 67):
        with pytest.raises((TruncatedError, CorruptError)):
            ht.load(data[:size])
        path.write_bytes(data[:size])
        with pytest.raises((TruncatedError, CorruptError)):
            ht.load_file(path)
    start = SafetensorsReader(data).info("w").offset if suffix == "safetensors" else 64
    record = haagenti.Record(data[start : start + int.from_bytes(data[start + 16 : start + 24], "little")])
    for position in range(record.view.header_size + record.view.segments[0]["n_bytes"]):
        damaged = bytearray(data)
        damaged[start + position] ^= 0x40
        with pytest.raises(Error, match=r"'w'|'v'"):
            ht.load(bytes(damaged))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu(tmp_path):
    tensor = torch.randn(64, 96, device="cuda", dtype=torch.bfloat16)
    for suffix in SUFFIXES:
        path = tmp_path / f"a.{suffix}"
        ht.save_file({"w": tensor}, path)
        for device in ("cuda", 0, "cuda:0", torch.device("cuda")):
            assert torch.equal(ht.load_file(path, device=device)["w"], tensor)
            assert torch.equal(haagenti.safe_open(path, "pt", device).get_slice("w")[3:5], tensor[3:5])
    record = ht.encode(tensor, "int8")
    out = torch.empty(64, 96, device="cuda")
    assert ht.decode(record, out=out) is out
    assert torch.equal(out, ht.decode(record, device="cuda", dtype=torch.float32))
