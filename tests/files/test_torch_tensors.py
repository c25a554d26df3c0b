"""torch tensors to bytes and arrays and to records, and back."""

from __future__ import annotations

import os

import numpy as np
import pytest
import safetensors.torch

import haagenti
from haagenti.errors import CorruptError, Error, InvalidArgumentError, TruncatedError, UnsupportedError

torch = pytest.importorskip("torch")

from torch_samples import DTYPES, bits, tensor_of  # noqa: E402

import haagenti.torch as ht  # noqa: E402
from haagenti.torch import tensors as bridge  # noqa: E402

SUFFIXES = ("hct", "safetensors")


# --- tensors and bytes -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (1,), (4, 6), (2, 0), (2, 3, 4)])
def test_bytes_and_arrays_without_copies(dtype, shape):
    tensor = tensor_of(dtype, shape)
    name = bridge.from_torch_dtype(dtype)
    assert bridge.to_torch_dtype(name) == dtype
    raw = bridge.raw_bytes(tensor)
    assert raw.tobytes() == bits(tensor)
    array = bridge.as_array(tensor)
    assert (array.shape, haagenti.dtypes.from_numpy(array.dtype)) == (shape, name)
    back = bridge.from_array(array, name)
    again = bridge.from_bytes(raw, name, shape)
    for other in (back, again):
        assert (other.dtype, other.shape) == (tensor.dtype, tensor.shape)
        assert bits(other) == bits(tensor)
        if tensor.numel():
            assert other.data_ptr() == tensor.data_ptr()


def test_all_of_torchs_dtypes_that_safetensors_has_are_known():
    theirs = {dtype for dtype in safetensors.torch._SIZE if dtype is not None}
    assert set(bridge._FROM_TORCH) == theirs
    for dtype in (torch.complex128, torch.qint8):
        with pytest.raises(UnsupportedError, match=str(dtype)):
            bridge.from_torch_dtype(dtype)


def test_tensors_that_need_a_copy():
    base = torch.arange(12.0).reshape(3, 4)
    assert bridge.raw_bytes(base.T).tobytes() == base.numpy().T.tobytes()
    assert bridge.raw_bytes(base.requires_grad_()[::2]).tobytes() == base.detach().numpy()[::2].tobytes()
    z = torch.tensor([1 + 2j, 3 - 4j], dtype=torch.complex64)
    assert bridge.raw_bytes(z.conj()).tobytes() == z.numpy().conj().tobytes()
    assert bridge.raw_bytes(torch.imag(z.conj())).tobytes() == np.array([-2, 4], np.float32).tobytes()
    read_only = np.frombuffer(bytes(range(8)), np.int32)
    assert bridge.from_array(read_only, "I32").tolist() == read_only.tolist()
    assert bridge.from_bytes(memoryview(bytes(9))[1:], "F32", (2,)).tolist() == [0, 0]


@pytest.mark.parametrize(
    "tensor",
    [torch.eye(3).to_sparse(), torch.empty(3, device="meta"), torch.ones(3, dtype=torch.complex128)],
    ids=["sparse", "meta", "complex128"],
)
def test_tensors_without_plain_data(tmp_path, tensor):
    for suffix in SUFFIXES:
        with pytest.raises((InvalidArgumentError, UnsupportedError), match="'bad'"):
            ht.save_file({"good": torch.ones(64, 64), "bad": tensor}, tmp_path / f"a.{suffix}")
    assert os.listdir(tmp_path) == []


# --- records ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_records_are_those_of_numpy(dtype):
    tensor = torch.randn(40, 70, generator=torch.Generator().manual_seed(1)).to(dtype)
    choices = [("int4", {"group_size": 64}), ("int8(group_size=32)", {}), ("raw", {"codec": "lz4"}), ("int4", {"matrix": "transposed"})]
    for encoding, options in choices:
        record = ht.encode(tensor, encoding, name="w", **options)
        assert bytes(record.data) == bytes(haagenti.encode(bridge.as_array(tensor), encoding, name="w", **options).data)
        decoded = ht.decode(record)
        assert (decoded.dtype, decoded.shape, decoded.is_contiguous()) == (dtype, tensor.shape, True)
        assert bits(decoded) == haagenti.decode(record).tobytes()
        for form in (record.data, bytes(record.data), torch.from_numpy(np.array(record.data))):
            assert torch.equal(ht.decode(form), decoded)


def test_decode_to_other_dtypes_and_into_tensors():
    tensor = torch.randn(33, 64, generator=torch.Generator().manual_seed(2))
    record = ht.encode(tensor, "int8", name="w")
    assert torch.equal(ht.decode(record, dtype=torch.bfloat16), ht.decode(record).to(torch.bfloat16))
    out = torch.empty(33, 64, dtype=torch.float16)
    assert ht.decode(record, out=out) is out
    assert torch.equal(out, ht.decode(record, dtype=torch.float16))
    strided = torch.empty(64, 33).T
    assert ht.decode(record, out=strided, device="cpu", dtype=torch.float32) is strided
    assert torch.equal(strided, ht.decode(record))
    parameter = torch.nn.Parameter(torch.zeros(33, 64))
    assert torch.equal(ht.decode(record, out=parameter).detach(), ht.decode(record))
    assert ht.decode(record, device="meta").device.type == "meta"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"out": torch.empty(64, 33)}, r"'w'.*shape: expected \(33, 64\), found \(64, 33\)"),
        ({"out": torch.empty(33, 64), "dtype": torch.bfloat16}, "'w'.*dtype: expected torch.bfloat16, found torch.float32"),
        ({"out": torch.empty(33, 64), "device": "meta"}, "'w'.*device"),
        ({"out": torch.empty(33, 64, dtype=torch.int32)}, "'w'.*I32"),
        ({"dtype": torch.int8}, "'w'.*I8"),
        ({"device": "attic"}, "device.*'attic'"),
    ],
)
def test_decode_refuses(options, message):
    record = ht.encode(torch.ones(33, 64), "int8", name="w")
    with pytest.raises(InvalidArgumentError, match=message):
        ht.decode(record, **options)


def test_encode_refuses():
    with pytest.raises(InvalidArgumentError, match="int5"):
        ht.encode(torch.ones(2, 2), "int5")
    with pytest.raises(InvalidArgumentError, match=r"'w'.*I64"):
        ht.encode(torch.ones(2, 2, dtype=torch.int64), "int8", name="w")
    with pytest.raises(UnsupportedError, match="complex128"):
        ht.encode(torch.ones(2, 2, dtype=torch.complex128), "raw")


def test_damaged_records_are_refused():
    record = bytes(ht.encode(torch.randn(20, 64), "int4", name="w").data)
    for position in range(0, len(record), 5):
        damaged = bytearray(record)
        damaged[position] ^= 4
        padding = bytes(damaged[:-1]) == record[:-1] or position >= len(record) - 64
        if not padding:
            with pytest.raises(Error):
                ht.decode(bytes(damaged))
    for size in range(0, len(record), 33):
        with pytest.raises((TruncatedError, CorruptError)):
            ht.decode(record[:size])
