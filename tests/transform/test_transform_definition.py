"""The cosine transforms against their definition, with other norms against scipy, and what follows from being orthonormal.

Not responsible for strides, types and outputs of arrays.
"""

from __future__ import annotations

import numpy as np
import pytest
from transform_samples import BFLOAT16, DTYPES, bound, cosine_rows, defined, random, relative_error

from haagenti import transform

LARGE = (576, 1000, 1009, 1024, 4096, 4099, 10007, 65536)
PLANES = ((1, 1), (1, 9), (9, 1), (2, 32), (32, 2), (3, 5), (8, 8), (16, 24), (17, 31), (64, 64), (127, 129), (100, 300))
CALLS = {2: transform.dct, 3: transform.idct}


def test_sequential_4x4() -> None:
    y = transform.dctn(np.arange(1, 17, dtype=np.float32).reshape(4, 4))
    expected = np.zeros((4, 4))
    expected[0, 0], expected[1, 0], expected[0, 1], expected[3, 0], expected[0, 3] = 34, -17.843540, -4.460885, -1.268101, -0.317025
    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-5)


def test_constant_and_zero_4x4() -> None:
    y = transform.dct_2d(np.full((4, 4), 42, np.float32))
    assert y[0, 0] == pytest.approx(168, rel=1e-6)
    y[0, 0] = 0
    np.testing.assert_allclose(y, 0, atol=1e-4)
    assert not transform.dctn(np.zeros((4, 4), np.float32)).any()
    assert not transform.block_dct(np.zeros((40, 40), np.float32), block=(16, 16)).any()


@pytest.mark.parametrize("dct_type", [2, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("first", range(1, 301, 50))
def test_definition_for_every_length(dct_type: int, dtype: type, first: int) -> None:
    for n in range(first, first + 50):
        lines = random((3, n), dtype, n)
        expected = defined(lines, dct_type, (1,))
        assert relative_error(transform.dct(lines, dct_type), expected) <= bound(n, dtype), n
        assert relative_error(transform.dct(lines.T.copy(), dct_type, axis=0).T, expected) <= bound(n, dtype), n


@pytest.mark.parametrize("dct_type", [2, 3])
@pytest.mark.parametrize("n", LARGE)
def test_definition_of_large_lengths(dct_type: int, n: int) -> None:
    """A hundred coefficients by their definition; DCT-III through the line that DCT-II made in double precision."""
    x = random(n, seed=n)
    chosen = (0, 1, 2, n // 2, n - 2, n - 1, *np.random.default_rng(n).integers(0, n, 94).tolist())
    if dct_type == 2:
        found, expected = transform.dct(x)[list(chosen)], cosine_rows(n, chosen) @ x.astype(np.float64)
    else:
        sparse = np.zeros(n, np.float32)
        sparse[list(chosen)] = x[list(chosen)]
        unique = tuple(sorted(set(chosen)))
        found, expected = transform.idct(sparse), sparse[list(unique)].astype(np.float64) @ cosine_rows(n, unique)
    # A hundred coefficients of a whole line: their error is the line's on average, not for each choice.
    assert relative_error(found, expected) <= 2 * bound(n)


@pytest.mark.parametrize("n", [*range(1, 20), *LARGE])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_inverse_and_energy(n: int, dtype: type) -> None:
    x = random((2, n), dtype, n)
    y = transform.dct(x)
    assert relative_error(transform.idct(y), x) <= 2 * bound(n, dtype)
    assert relative_error(transform.dct(transform.idct(x)), x) <= 2 * bound(n, dtype)
    assert np.linalg.norm(y.astype(np.float64)) == pytest.approx(np.linalg.norm(x.astype(np.float64)), rel=bound(n, dtype))


@pytest.mark.parametrize("shape", PLANES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_planes(shape: tuple[int, int], dtype: np.dtype) -> None:
    x = random((2, *shape), dtype)
    for dct_type, call, single in ((2, transform.dctn, transform.dct_2d), (3, transform.idctn, transform.idct_2d)):
        y = call(x, axes=(-2, -1))
        assert y.dtype == dtype
        assert relative_error(y, defined(x, dct_type, (1, 2))) <= bound(shape[0] * shape[1], dtype)
        assert y.tobytes() == single(x).tobytes()


def test_linearity() -> None:
    x, y = random((5, 240), np.float64), random((5, 240), np.float64, 1)
    for call in (transform.dct, transform.idct, transform.dctn):
        np.testing.assert_allclose(call(3 * x - 0.5 * y), 3 * call(x) - 0.5 * call(y), atol=1e-12)


@pytest.mark.parametrize("dct_type", [2, 3])
@pytest.mark.parametrize("norm", ["ortho", "backward", "forward", None])
@pytest.mark.parametrize("dtype", DTYPES)
def test_scipy_agrees(dct_type: int, norm: str | None, dtype: np.dtype) -> None:
    fft = pytest.importorskip("scipy.fft", reason="needs scipy, of the extra test")
    for shape in ((1,), (7,), (64, 3), (5, 4, 33), (2, 1, 128)):
        x = random(shape, dtype, len(shape))
        wide = x.astype(np.float64)
        tolerance = bound(x.size, dtype) * 1.5
        for axis in range(-1, len(shape)):
            assert relative_error(transform.dct(x, dct_type, axis, norm), fft.dct(wide, dct_type, axis=axis, norm=norm)) <= tolerance
            assert relative_error(transform.idct(x, dct_type, axis, norm), fft.idct(wide, dct_type, axis=axis, norm=norm)) <= tolerance
        for axes in (None, 0, (-1,), (0, -1) if len(shape) > 1 else (0,)):
            assert relative_error(transform.dctn(x, dct_type, axes, norm), fft.dctn(wide, dct_type, axes=axes, norm=norm)) <= tolerance
            assert relative_error(transform.idctn(x, dct_type, axes, norm), fft.idctn(wide, dct_type, axes=axes, norm=norm)) <= tolerance


@pytest.mark.parametrize("norm", ["ortho", "backward", "forward", None])
def test_the_same_norm_inverts(norm: str | None) -> None:
    x = random((6, 10, 12), np.float64)
    for dct_type in (2, 3):
        y = transform.dctn(x, dct_type, (0, 2), norm)
        np.testing.assert_allclose(transform.idctn(y, dct_type, (0, 2), norm), x, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.dtype(np.float16), BFLOAT16])
@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (1, 2), (0, 2), (0, 1, 2)])
def test_half_types_are_rounded_once(dtype: np.dtype, axes: tuple[int, ...]) -> None:
    x = random((6, 20, 34), dtype)
    expected = transform.dctn(x.astype(np.float32), axes=axes).astype(dtype)
    assert transform.dctn(x, axes=axes).tobytes() == expected.tobytes()
    scaled = transform.dctn(x.astype(np.float32), axes=axes, norm="forward").astype(dtype)
    assert transform.dctn(x, axes=axes, norm="forward").tobytes() == scaled.tobytes()


def test_half_types_overflow_to_infinity() -> None:
    with np.errstate(all="raise"):
        for axes in ((0, 1), (0,)):
            assert transform.dctn(np.full((64, 64), 60000, np.float16), axes=axes)[0, 0] == np.inf
        assert transform.dct(np.full(64, 60000, np.float16), norm="backward")[0] == np.inf


@pytest.mark.parametrize("shape", [(8, 8), (7, 9), (300, 260), (128, 128), (129, 127), (3, 40, 24), (2, 3, 10, 7), (5, 1), (1, 5)])
@pytest.mark.parametrize("block", [(128, 128), (8, 8), (4, 16), (1, 5), (5, 1), (1000, 3)])
def test_tiles(shape: tuple[int, ...], block: tuple[int, int]) -> None:
    x = random(shape)
    for tile_call, call in ((transform.block_dct, transform.dct_2d), (transform.block_idct, transform.idct_2d)):
        y, expected = tile_call(x, block), np.empty_like(x)
        for row in range(0, shape[-2], block[0]):
            for col in range(0, shape[-1], block[1]):
                tile = np.s_[..., row : row + block[0], col : col + block[1]]
                expected[tile] = call(x[tile])
        assert relative_error(y, expected.astype(np.float64)) <= bound(block[0] * block[1])
    assert relative_error(transform.block_idct(transform.block_dct(x, block), block), x) <= 2 * bound(block[0] * block[1])


EXTREMES = {
    "large": np.full((4, 4), 1e15),
    "small": np.full((4, 4), 1e-30),
    "mixed": np.array([[1e15, -1e-15, 0, 1], [1e10, -1e10, 1e-30, 2], [0, 0, 0, -1e15], [3, 1e5, -1e-5, 1e15]]),
    "wide": np.arange(64.0).reshape(2, 32),
    "tall": np.arange(64.0).reshape(32, 2),
    "checkerboard": np.indices((8, 8)).sum(0) % 2 * 2.0 - 1.0,
    "spike": np.eye(1, 64, 27).reshape(8, 8) * 1000,
}


@pytest.mark.parametrize("name", EXTREMES)
def test_round_trip_of_extremes(name: str) -> None:
    x = EXTREMES[name].astype(np.float32)
    y = transform.dctn(x)
    assert relative_error(y, defined(x, 2, (0, 1))) <= bound(x.size)
    assert relative_error(transform.idctn(y), x) <= 2 * bound(x.size)
    assert relative_error(transform.block_idct(transform.block_dct(x, (4, 4)), (4, 4)), x) <= 2 * bound(x.size)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 2, 3, 8, 15, 64, 97, 251, 1000, 4099])
def test_special_values_stay_in_their_line(value: float, dtype: np.dtype, n: int) -> None:
    clean = random((7, n), dtype)
    x = clean.copy()
    x[3, n // 2] = value
    others = [0, 1, 2, 4, 5, 6]
    for call in (transform.dct, transform.idct):
        y, expected = call(x), call(clean)
        assert y[others].tobytes() == expected[others].tobytes()
        # A coefficient that is zero may leave an element out, but for powers of two there is none.
        assert not np.isfinite(y[3, 0])
        assert n & (n - 1) or not np.isfinite(y[3]).any()
        columns = call(np.ascontiguousarray(x.T), axis=0)
        assert columns[:, others].tobytes() == call(np.ascontiguousarray(clean.T), axis=0)[:, others].tobytes()
        assert not np.isfinite(columns[0, 3])


def test_overflow_is_infinite_or_nan() -> None:
    y = transform.dct(np.full(1024, 3e38, np.float32))
    assert not np.isfinite(y[0])
