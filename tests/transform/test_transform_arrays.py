"""Arrays as they come: any shape, axes, strides, byte order and type; outputs that are x itself, strided, or overlap it.

Not responsible for torch tensors.
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transform_samples import BFLOAT16, DTYPES, bits, bound, defined, random, relative_error

import haagenti
from haagenti import transform

CALLS = {
    "dct": transform.dct,
    "idct": transform.idct,
    "dctn": transform.dctn,
    "idctn": transform.idctn,
    "dctn_forward": lambda x, out=None: transform.dctn(x, norm="forward", out=out),
    "idctn_backward": lambda x, out=None: transform.idctn(x, norm="backward", out=out),
    "dct_first": lambda x, out=None: transform.dct(x, axis=0, out=out),
    "block_dct": lambda x, out=None: transform.block_dct(x, (4, 3), out),
    "block_idct": lambda x, out=None: transform.block_idct(x, (4, 3), out),
    "hadamard": transform.hadamard,
    "hadamard_inverse": lambda x, out=None: transform.hadamard(x, seed=3, inverse=True, out=out),
}


@st.composite
def strided(draw: st.DrawFn) -> np.ndarray:
    """An array of 1 to 4 axes with any order of axes, steps, and offset."""
    rank = draw(st.integers(1, 4))
    shape = [draw(st.integers(1, 9)) for _ in range(rank)]
    steps = [draw(st.sampled_from([1, 1, 2, -1, -3])) for _ in range(rank)]
    dtype = draw(st.sampled_from([*DTYPES, np.dtype(">f4"), np.dtype(">f8"), np.dtype(">f2")]))
    base = random([n * abs(step) for n, step in zip(shape, steps, strict=True)], dtype, draw(st.integers(0, 99)))
    return base[tuple(slice(None, None, step) for step in steps)].transpose(draw(st.permutations(range(rank))))


@settings(max_examples=150, deadline=None)
@given(x=strided(), data=st.data())
def test_any_axes_of_any_array(x: np.ndarray, data: st.DataObject) -> None:
    axes = tuple(data.draw(st.lists(st.integers(0, x.ndim - 1), unique=True)))
    negative = tuple(axis - data.draw(st.sampled_from([0, x.ndim])) for axis in axes)
    dct_type = data.draw(st.sampled_from([2, 3]))
    original = x.tobytes()
    y = transform.dctn(x, dct_type, negative)
    assert x.tobytes() == original
    assert y.dtype == x.dtype.newbyteorder("=")
    assert y.shape == x.shape
    assert y.flags.c_contiguous
    assert not np.may_share_memory(x, y)
    assert relative_error(y, defined(x, dct_type, axes)) <= bound(x.size, y.dtype)
    dense = np.ascontiguousarray(x.astype(y.dtype))
    assert bits(transform.dctn(dense, dct_type, axes)).tobytes() == bits(y).tobytes()


@settings(max_examples=100, deadline=None)
@given(x=strided(), data=st.data())
def test_any_output(x: np.ndarray, data: st.DataObject) -> None:
    call = CALLS[data.draw(st.sampled_from([name for name in CALLS if x.ndim >= 2 or "block" not in name]))]
    x = x.astype(x.dtype.newbyteorder("="), order="K")
    expected = call(x)
    steps = tuple(slice(None, None, data.draw(st.sampled_from([1, 2, -1]))) for _ in x.shape)
    wide = np.zeros([2 * n for n in x.shape], x.dtype)
    out = wide[steps][tuple(slice(n) for n in x.shape)]
    rest = wide.copy()
    assert call(x, out=out) is out
    assert out.tobytes() == expected.tobytes()
    out[...] = 0
    assert wide.tobytes() == rest.tobytes(), "wrote beside the output"
    assert call(x, out=x) is x
    assert x.tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("shift", [1, 5, 24, 90])
def test_output_that_overlaps(name: str, shift: int) -> None:
    for step in (shift, -shift):
        memory = random(24 * 40 + shift)
        first, second = memory[: 24 * 40].reshape(24, 40), memory[shift:].reshape(24, 40)
        x, out = (first, second) if step > 0 else (second, first)
        expected = CALLS[name](x.copy())
        assert CALLS[name](x, out=out).tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", CALLS)
def test_output_over_another_view_of_x(name: str) -> None:
    memory = random((32, 32))
    expected = CALLS[name](memory.copy())
    CALLS[name](memory, out=memory.T)
    assert memory.T.tobytes() == expected.tobytes()
    memory = random((32, 32))
    expected = CALLS[name](memory[::-1].copy())
    CALLS[name](memory[::-1], out=memory)
    assert memory.tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", CALLS)
def test_memory_that_is_read_only_or_not_aligned(name: str) -> None:
    x = random((12, 20))
    expected = CALLS[name](x).tobytes()
    x.flags.writeable = False
    assert CALLS[name](x).tobytes() == expected
    shifted = np.frombuffer(b"." + x.tobytes(), np.float32, offset=1).reshape(x.shape)
    assert not shifted.flags.aligned
    assert CALLS[name](shifted).tobytes() == expected
    out = np.frombuffer(bytearray(x.nbytes + 1), np.float32, offset=1).reshape(x.shape)
    assert CALLS[name](x, out=out).tobytes() == expected
    broadcast = np.broadcast_to(x[:1], x.shape)
    assert CALLS[name](broadcast).tobytes() == CALLS[name](broadcast.copy()).tobytes()


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint16, np.int64])
def test_integers_are_taken_as_float64(dtype: type) -> None:
    x = (random((6, 8)) * 3).astype(dtype)
    for call in CALLS.values():
        y = call(x)
        assert y.dtype == np.float64
        assert y.tobytes() == call(x.astype(np.float64)).tobytes()


def test_what_numpy_makes_arrays_of() -> None:
    assert transform.dct([1, 2, 3]).tobytes() == transform.dct(np.array([1.0, 2.0, 3.0])).tobytes()
    x = random((4, 6))
    assert type(transform.dctn(x.view(np.recarray))) is np.ndarray
    assert transform.dctn(memoryview(x)).tobytes() == transform.dctn(x).tobytes()


@pytest.mark.parametrize("shape", [(0, 5), (3, 0, 5), (0, 0, 4)])
def test_no_lines(shape: tuple[int, ...]) -> None:
    for dtype in DTYPES:
        x = np.empty(shape, dtype)
        for y in (transform.dct(x), transform.idct(x, norm="forward"), transform.dctn(x, axes=(-1,)), transform.hadamard(x)):
            assert y.shape == shape
            assert y.dtype == dtype
    assert transform.dctn(np.empty((0, 3, 4)), axes=(1, 2)).shape == (0, 3, 4)
    assert transform.block_dct(np.empty((2, 0, 3, 4)), (2, 2)).shape == (2, 0, 3, 4)
    out = np.empty(shape)
    assert transform.dct(np.empty(shape), out=out) is out


def test_no_axes_copy() -> None:
    x = random((3, 4))
    y = transform.dctn(x, axes=())
    assert y.tobytes() == x.tobytes()
    assert not np.may_share_memory(x, y)
    assert transform.dctn(random((1, 1), np.float16)).tobytes() == random((1, 1), np.float16).tobytes()


@pytest.mark.parametrize("target", ["", *haagenti._core.cpu_features()["simd_targets"]])
def test_the_bits_depend_on_no_machine_and_no_threads(target: str) -> None:
    def results() -> list[bytes]:
        found = []
        for dtype in (np.float32, np.float64, BFLOAT16):
            for shape in ((70, 300), (33, 997), (3, 128, 128), (4, 4096)):
                x = random(shape, dtype)
                found += [call(x).tobytes() for call in CALLS.values()]
        return found

    try:
        haagenti.set_num_threads(1)
        expected = results()
        haagenti._core.use_simd_target(target)
        for n_threads in (1, 2, 5):
            haagenti.set_num_threads(n_threads)
            assert results() == expected
    finally:
        haagenti._core.use_simd_target("")
        haagenti.set_num_threads(0)


REFUSED = {
    "scalar": (lambda: transform.dct(np.float32(1)), "x: expected at least one axis, found a scalar"),
    "scalar dctn": (lambda: transform.dctn(3.0), "x: expected at least one axis"),
    "no elements": (lambda: transform.dct(np.ones((3, 0))), r"x: expected at least one element along axis -1, found shape \(3, 0\)"),
    "no elements of hadamard": (lambda: transform.hadamard(np.ones((3, 0))), "x: expected at least one element along axis -1"),
    "no elements of tiles": (lambda: transform.block_dct(np.ones((0, 3))), "x: expected at least one element along axis -2"),
    "axis": (lambda: transform.dct(np.ones((3, 4)), axis=2), r"axis: expected one from -2 to 1 for shape \(3, 4\), found 2"),
    "negative axis": (lambda: transform.dctn(np.ones((3, 4)), axes=(0, -3)), "axis: expected one from -2 to 1 .* found -3"),
    "axis of float": (lambda: transform.dct(np.ones(3), axis=0.0), "axis: expected an integer, found 0.0"),
    "axes of text": (lambda: transform.dctn(np.ones(3), axes="0"), "axes: expected None, an integer or a sequence of integers, found '0'"),
    "axis twice": (lambda: transform.dctn(np.ones((3, 4)), axes=(0, -2)), r"axes: expected different ones, found \(0, -2\)"),
    "one axis of two": (lambda: transform.dct_2d(np.ones(3)), "x: expected at least 2 axes, found 1"),
    "one axis of tiles": (lambda: transform.block_dct(np.ones(3)), "x: expected at least 2 axes, found 1"),
    "type 1": (lambda: transform.dct(np.ones(3), 1), r"type: expected 2 or 3 \(types 1 and 4 are not there\), found 1"),
    "type 4": (lambda: transform.idctn(np.ones(3), 4), r"type: expected 2 or 3 .* found 4"),
    "norm": (lambda: transform.dct(np.ones(3), norm="unitary"), "norm: expected one of ortho, backward, forward or None, found 'unitary'"),
    "norm of list": (lambda: transform.dct(np.ones(3), norm=[]), "norm: expected one of"),
    "complex": (lambda: transform.dct(np.ones(3, complex)), "x: dtype: expected float16, bfloat16, .* found complex128"),
    "text": (lambda: transform.dct(["a"]), "x: dtype: expected float16, bfloat16"),
    "objects": (lambda: transform.dct(np.array([None])), "x: dtype: expected float16, .* found object"),
    "long double": (lambda: transform.dct(np.ones(3, np.longdouble)), "x: dtype: expected float16"),
    "fp8": (lambda: transform.dct(np.ones(3, ml_dtypes.float8_e4m3fn)), "x: dtype: expected float16, .* found float8_e4m3fn"),
    "block": (lambda: transform.block_dct(np.ones((3, 4)), (0, 4)), r"block: expected a pair of positive integers, found \(0, 4\)"),
    "block of one": (lambda: transform.block_dct(np.ones((3, 4)), 4), "block: expected a pair of positive integers, found 4"),
    "block of three": (lambda: transform.block_idct(np.ones((3, 4)), (2, 2, 2)), "block: expected a pair of positive integers"),
    "block of floats": (lambda: transform.block_dct(np.ones((3, 4)), (2.0, 2)), "block: expected a pair of positive integers"),
    "out shape": (lambda: transform.dct(np.ones((3, 4)), out=np.ones((4, 3))), r"out: shape: expected \(3, 4\), found \(4, 3\)"),
    "out dtype": (lambda: transform.dct(np.ones(3), out=np.ones(3, np.float32)), "out: dtype: expected float64, found float32"),
    "out byte order": (lambda: transform.dct(np.ones(3), out=np.ones(3, ">f8")), "out: dtype: expected float64, found >f8"),
    "out list": (lambda: transform.dct(np.ones(3), out=[1, 2, 3]), "out: expected a numpy array, found list"),
    "out of integers": (lambda: transform.dct(np.arange(3), out=np.arange(3)), "out: dtype: expected float64, found int64"),
    "out of zero strides": (
        lambda: transform.dct(np.ones((3, 4)), out=np.lib.stride_tricks.as_strided(np.ones(4), (3, 4), (0, 8))),
        r"out: expected elements apart from each other, found strides \(0, 8\)",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    call, message = REFUSED[name]
    with pytest.raises(haagenti.InvalidArgumentError, match=message):
        call()


def test_read_only_output() -> None:
    out = np.ones(3)
    out.flags.writeable = False
    with pytest.raises(haagenti.InvalidArgumentError, match="out: expected a writable array, found a read-only one"):
        transform.dct(np.ones(3), out=out)


def test_the_core_checks_sizes() -> None:
    x = np.ones((4, 6), np.float32)
    core = haagenti._core
    for call in (
        lambda: core.dct_axis(2, "F32", x, x, 4, 7, 1),
        lambda: core.dct_axis(2, "F32", x, x[:2], 4, 6, 1),
        lambda: core.dct_axis(2, "F32", x.T, x, 4, 6, 1),
        lambda: core.dct_axis(2, "F64", x, x, 4, 6, 1),
        lambda: core.dct_axis(1, "F32", x, x, 4, 6, 1),
        lambda: core.dct_axis(2, "F8_E4M3", x, x, 4, 24, 1),
        lambda: core.dct_planes(2, "F32", x, x, 2**40, 2**40, 0),
        lambda: core.dct_planes(2, "F32", x.reshape(-1)[:20], x.reshape(-1)[4:], 1, 4, 5),
        lambda: core.dct_tiles(2, "F32", x, x, 1, 4, 6, 0, 2),
        lambda: core.hadamard("F32", x, x, 4, 6, 4, None, False),
    ):
        with pytest.raises(haagenti.InvalidArgumentError):
            call()
