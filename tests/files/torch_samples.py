"""torch tensors of every dtype, and how they compare."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from haagenti.torch import tensors as bridge  # noqa: E402

DTYPES = [dtype for dtype in bridge._FROM_TORCH if dtype != getattr(torch, "float4_e2m1fn_x2", None)]


def tensor_of(dtype: torch.dtype, shape: tuple[int, ...] = (4, 6)) -> torch.Tensor:
    n = int(np.prod(shape, dtype=int))
    if n == 0:
        return torch.empty(shape, dtype=dtype)
    if dtype == torch.bool:
        return torch.arange(n).reshape(shape) % 3 == 0
    data = np.random.default_rng(5).integers(0, 16, n * dtype.itemsize, np.uint8)
    return torch.from_numpy(data).view(dtype).reshape(shape)


def bits(tensor: torch.Tensor) -> bytes:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""


def assert_equal(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert set(found) == set(expected)
    for name, tensor in expected.items():
        assert (found[name].dtype, found[name].shape) == (tensor.dtype, tensor.shape), name
        assert bits(found[name]) == bits(tensor), name
