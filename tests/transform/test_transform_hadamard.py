"""The Walsh-Hadamard transform against its matrix, and its random signs against their definition.

Not responsible for strides and outputs of arrays.
"""

from __future__ import annotations

import numpy as np
import pytest
from transform_samples import DTYPES, UNIT, random, relative_error

import haagenti
from haagenti import transform


def sylvester(n: int) -> np.ndarray:
    """H of n x n, orthonormal: (-1)^popcount(i & j) / sqrt(n)."""
    matrix = np.ones((1, 1))
    while len(matrix) < n:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix / np.sqrt(n)


def signs(seed: int, n: int) -> np.ndarray:
    """The signs as cpp/src/transform/spec.md defines them: bit i % 32 of a hash of (seed, i // 32) negates element i."""
    mask = 0xFFFFFFFF
    words = []
    for word in range(-(-n // 32)):
        h = (word + (seed + 1) * 0x9E3779B9) & mask
        h = (h ^ (h >> 16)) * 0x85EBCA6B & mask
        h = (h ^ (h >> 13)) * 0xC2B2AE35 & mask
        words.append(h ^ (h >> 16))
    return np.array([-1.0 if words[i // 32] >> (i % 32) & 1 else 1.0 for i in range(n)])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("log2_n", range(12))
def test_definition(dtype: np.dtype, log2_n: int) -> None:
    n = 1 << log2_n
    x = random((3, n), dtype)
    y = transform.hadamard(x)
    assert y.dtype == dtype
    assert relative_error(y, x.astype(np.float64) @ sylvester(n)) <= UNIT[dtype] * max(1, log2_n) ** 0.5
    assert relative_error(transform.hadamard(y, inverse=True), x.astype(np.float64)) <= 3 * UNIT[dtype] * max(1, log2_n) ** 0.5


def test_scipy_agrees() -> None:
    linalg = pytest.importorskip("scipy.linalg", reason="needs scipy, of the extra test")
    for n in (1, 2, 64, 512):
        x = random((2, n), np.float64)
        np.testing.assert_allclose(transform.hadamard(x), x @ linalg.hadamard(n) / np.sqrt(n), atol=1e-13)


@pytest.mark.parametrize(("n", "largest"), [(1, 1), (3, 1), (12, 4), (40, 8), (96, 32), (576, 64), (11008, 256)])
def test_the_largest_block_is_the_default(n: int, largest: int) -> None:
    x = random((2, 3, n))
    y = transform.hadamard(x)
    assert y.tobytes() == transform.hadamard(x, block=largest).tobytes()
    blocks = x.astype(np.float64).reshape(-1, largest) @ sylvester(largest)
    assert relative_error(y, blocks.reshape(x.shape)) <= 1e-6 * max(1, np.log2(largest)) ** 0.5


@pytest.mark.parametrize("seed", [0, 1, 12345, 2**31, 2**32 - 1])
@pytest.mark.parametrize(("n", "block"), [(64, None), (96, None), (96, 8), (40, None), (256, 2), (33, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_signs(seed: int, n: int, block: int | None, dtype: type) -> None:
    x = random((4, n), dtype)
    signed = (x * signs(seed, n)).astype(dtype)
    y = transform.hadamard(x, block, seed)
    assert y.tobytes() == transform.hadamard(signed, block).tobytes()
    back = transform.hadamard(y, block, seed, inverse=True)
    assert relative_error(back, x) <= 1e-6
    assert transform.hadamard(y, block, inverse=True).tobytes() != back.tobytes()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_special_values_stay_in_their_block(value: float) -> None:
    clean = random((3, 64))
    x = clean.copy()
    x[1, 20] = value
    y, expected = transform.hadamard(x, 16), transform.hadamard(clean, 16)
    assert not np.isfinite(y[1, 16:32]).any()
    y[1, 16:32] = expected[1, 16:32]
    assert y.tobytes() == expected.tobytes()


@pytest.mark.parametrize("block", [0, -4, 3, 24, 128, 2.0, "4", (4, 4)])
def test_block_that_does_not_fit(block: object) -> None:
    with pytest.raises(haagenti.InvalidArgumentError, match=r"block: expected a power of two that divides the last axis of 96, found"):
        transform.hadamard(np.ones((2, 96), np.float32), block)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "1"])
def test_seed_that_is_none(seed: object) -> None:
    with pytest.raises(haagenti.InvalidArgumentError, match=r"seed: expected None or an integer from 0 to 2\^32 - 1, found"):
        transform.hadamard(np.ones((2, 96), np.float32), seed=seed)
