"""Torch tensors as input and output; and torch is left alone where there are none."""

from __future__ import annotations

import numpy as np
import pytest
from codec_cases import THERE_AND_BACK, run_python

import haagenti

TORCH_DTYPES = [
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "bool",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "float8_e4m3fn",
    "float8_e5m2",
]


def tensor_bytes(tensor) -> bytes:
    """The bytes of its elements, in C order."""
    import torch

    return tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


@pytest.mark.parametrize("dtype", TORCH_DTYPES)
def test_tensors(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    values = torch.arange(60).to(getattr(torch, dtype)) if "8_e" not in dtype else torch.arange(60).float().to(getattr(torch, dtype))
    for tensor in (values, values.reshape(3, 20), values[7:], values[:0]):
        for call in THERE_AND_BACK.values():
            assert call(tensor) == tensor_bytes(tensor)
    with pytest.raises(haagenti.InvalidArgumentError, match="contiguous"):
        haagenti.compress(values.reshape(3, 20).T)


def test_odd_tensors() -> None:
    torch = pytest.importorskip("torch")
    trained = torch.arange(10.0, requires_grad=True)
    assert haagenti.decompress(haagenti.compress(trained)) == tensor_bytes(trained)
    parameter = torch.nn.Parameter(torch.ones(5))
    assert haagenti.decompress(haagenti.compress(parameter)) == tensor_bytes(parameter)
    scalar = torch.tensor(2.5)
    assert haagenti.decompress(haagenti.compress(scalar)) == np.float32(2.5).tobytes()
    for lazy in (torch.ones(4, dtype=torch.complex64).conj(), torch.ones(4, dtype=torch.complex64).conj().imag):
        with pytest.raises(haagenti.InvalidArgumentError, match=r"resolve_conj|contiguous"):
            haagenti.compress(lazy)
    with pytest.raises(haagenti.InvalidArgumentError, match="meta"):
        haagenti.compress(torch.ones(4, device="meta"))
    with pytest.raises(haagenti.InvalidArgumentError, match="layout"):
        haagenti.compress(torch.eye(3).to_sparse())


def test_tensors_as_out() -> None:
    torch = pytest.importorskip("torch")
    values = torch.arange(2500, dtype=torch.int16).to(torch.bfloat16)
    packed = haagenti.compress(values)
    out = torch.zeros(2500, dtype=torch.bfloat16)
    assert haagenti.decompress_into(packed, out) == 5000
    assert torch.equal(out, values)
    room = torch.zeros(6000, dtype=torch.uint8)
    n = haagenti.compress_into(values, room)
    assert haagenti.decompress(room[:n]) == tensor_bytes(values)
    with pytest.raises(haagenti.InvalidArgumentError, match="contiguous"):
        haagenti.decompress_into(packed, torch.zeros(50, 100, dtype=torch.uint8).T)
    with pytest.raises(haagenti.InvalidArgumentError, match="shares memory"):
        haagenti.compress_into(room[:100], room[50:])


def test_torch_is_not_imported() -> None:
    run_python(
        """
import sys
import numpy as np, ml_dtypes
import haagenti
for data in (b"bytes", bytearray(b"x"), np.arange(5), np.arange(5).astype(ml_dtypes.bfloat16), np.zeros(3, "M8[s]")):
    haagenti.decompress(haagenti.compress(data))
    haagenti.compress_into(data, np.zeros(1000, ml_dtypes.bfloat16))
assert "torch" not in sys.modules
"""
    )


def test_tensors_without_their_memory() -> None:
    torch = pytest.importorskip("torch")
    freed, cut = torch.ones(1 << 16), torch.ones(1 << 16)
    freed.untyped_storage().resize_(0)
    cut.untyped_storage().resize_(16)
    for tensor in (freed, cut):
        for call in (haagenti.compress, lambda data: haagenti.decompress_into(haagenti.compress(b"x"), data)):
            with pytest.raises(haagenti.InvalidArgumentError, match="storage"):
                call(tensor)
    part = torch.arange(100)[50:]
    assert haagenti.decompress(haagenti.compress(part)) == part.numpy().tobytes()
