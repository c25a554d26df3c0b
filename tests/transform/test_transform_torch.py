"""Transforms of torch tensors: tensors out, memory shared, gradients and other devices refused.

Not responsible for values: tensors and arrays take the same way.
"""

from __future__ import annotations

import numpy as np
import pytest
from transform_samples import random

import haagenti
from haagenti import transform

torch = pytest.importorskip("torch", reason="needs the extra torch")

DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
CALLS = {
    "dct": transform.dct,
    "idctn": transform.idctn,
    "dctn_backward": lambda x, out=None: transform.dctn(x, norm="backward", out=out),
    "block_dct": lambda x, out=None: transform.block_dct(x, (4, 3), out),
    "hadamard": lambda x, out=None: transform.hadamard(x, seed=1, out=out),
}


def to_numpy(tensor: torch.Tensor) -> np.ndarray:
    return haagenti.array_input.as_array(tensor.contiguous())


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_tensors(name: str, dtype: torch.dtype) -> None:
    x = torch.from_numpy(random((6, 5, 8))).to(dtype)
    for given in (x, x.transpose(0, 1), x[::2, :, ::2], x[:1].expand(4, 5, 8)):
        before = given.clone()
        y = CALLS[name](given)
        assert isinstance(y, torch.Tensor)
        assert (y.dtype, y.shape, y.is_contiguous()) == (dtype, given.shape, True)
        assert to_numpy(y).tobytes() == CALLS[name](to_numpy(given)).tobytes()
        assert torch.equal(given, before)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_outputs(name: str, dtype: torch.dtype) -> None:
    x = torch.from_numpy(random((6, 8))).to(dtype)
    expected = CALLS[name](x)
    for out in (torch.empty_like(x), torch.empty(8, 6, dtype=dtype).T, torch.empty(12, 16, dtype=dtype)[::2, ::2], x):
        version = out._version
        assert CALLS[name](x, out=out) is out
        assert torch.equal(out, expected)
        assert out._version > version


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int32, torch.int64])
def test_integers_are_taken_as_float64(dtype: torch.dtype) -> None:
    x = torch.arange(12).reshape(3, 4).to(dtype)
    y = transform.dctn(x)
    assert y.dtype == torch.float64
    assert torch.equal(y, transform.dctn(x.double()))
    out = torch.empty(3, 4, dtype=torch.float64)
    assert torch.equal(transform.dctn(x, out=out), y)


def test_gradients_are_refused_unless_off() -> None:
    x = torch.ones(3, 4, requires_grad=True)
    for call in CALLS.values():
        with pytest.raises(haagenti.InvalidArgumentError, match=r"x: expected a tensor without gradient, .*x\.detach\(\)"):
            call(x)
        with pytest.raises(haagenti.InvalidArgumentError, match=r"out: expected a tensor without gradient"):
            call(x.detach(), out=x)
        with torch.no_grad():
            y = call(x)
        assert not y.requires_grad
        assert torch.equal(y, call(x.detach()))
    with torch.no_grad():
        y = transform.dct(torch.nn.Parameter(torch.ones(3)))
    assert type(y) is torch.Tensor
    with torch.inference_mode():
        assert transform.dct(torch.ones(3), out=torch.ones(3)).shape == (3,)


def test_a_change_that_a_gradient_needs_is_noticed() -> None:
    weight = torch.ones(3, requires_grad=True)
    x = torch.ones(3)
    loss = (weight * x).sum()
    transform.dct(x, out=x)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_views_that_negate() -> None:
    x = torch.complex(torch.ones(4), torch.arange(4.0)).conj().imag
    assert x.is_neg()
    assert torch.equal(transform.dct(x), transform.dct(-torch.arange(4.0)))
    with pytest.raises(haagenti.InvalidArgumentError, match="out: expected a tensor over its own values"):
        transform.dct(torch.ones(4), out=x)


def test_no_elements() -> None:
    assert transform.dct(torch.empty(0, 4)).shape == (0, 4)
    with pytest.raises(haagenti.InvalidArgumentError, match="at least one element along axis -1"):
        transform.dct(torch.empty(4, 0))
    with pytest.raises(haagenti.InvalidArgumentError, match="at least one axis, found a scalar"):
        transform.dct(torch.tensor(1.0))


REFUSED = {
    "complex": (lambda: transform.dct(torch.ones(3, dtype=torch.complex64)), r"x: dtype: expected float16, .* found torch\.complex64"),
    "fp8": (lambda: transform.dct(torch.ones(3).to(torch.float8_e4m3fn)), r"x: dtype: expected .* found torch\.float8_e4m3fn"),
    "sparse": (
        lambda: transform.dct(torch.ones(3, 3).to_sparse()),
        r"x: expected a dense tensor .* layout torch\.sparse_coo",
    ),
    "meta": (lambda: transform.dct(torch.ones(3, device="meta")), "x: expected a dense tensor with data, .* on device meta"),
    "out dtype": (
        lambda: transform.dct(torch.ones(3), out=torch.ones(3).half()),
        r"out: dtype: expected torch\.float32, found .*16",
    ),
    "out shape": (lambda: transform.dct(torch.ones(3), out=torch.ones(4)), r"out: shape: expected \(3,\), found \(4,\)"),
    "out array": (lambda: transform.dct(torch.ones(3), out=np.ones(3, np.float32)), "out: expected a torch tensor as x is, found ndarray"),
    "out tensor": (lambda: transform.dct(np.ones(3, np.float32), out=torch.ones(3)), "out: expected a numpy array, found Tensor"),
    "out expanded": (
        lambda: transform.dct(torch.ones(3, 4), out=torch.ones(4).expand(3, 4)),
        "out: expected elements apart from each other",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    call, message = REFUSED[name]
    with pytest.raises(haagenti.InvalidArgumentError, match=message):
        call()


class OnGpu(torch.Tensor):
    """Says that it is on a GPU, where there is none."""

    @property
    def device(self) -> torch.device:
        return torch.device("cuda:0")


def test_other_devices_are_refused() -> None:
    x = torch.ones(3).as_subclass(OnGpu)
    with pytest.raises(haagenti.UnsupportedError, match=r"x: expected a tensor on the CPU, found device cuda:0; copy it with \.cpu\(\)"):
        transform.dct(x)
