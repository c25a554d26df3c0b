"""Records through the Python interface: round trips, error figures, refusals."""

from __future__ import annotations

import math

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import haagenti
from haagenti import _core, dtypes
from haagenti.record import Record, choose_matrix, encode_bytes

LOSSY = ["int8", "int8(group_size=32)", "int4", "int4(group_size=64)", "int4(group_size=128)", "int4(scale=max)", "int4(group_axis=flat)"]
FLOATS = [np.dtype(np.float32), np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16)]
SHAPES = [(), (0,), (1,), (31,), (33,), (0, 5), (5, 0), (1, 1), (3, 65), (17, 32), (4, 3, 3, 3), (2, 3, 64), (129, 4097)]


def normal(shape: tuple[int, ...], dtype: np.dtype, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32).astype(dtype)


def bits(x: np.ndarray) -> bytes:
    return np.ascontiguousarray(x).tobytes()


@pytest.mark.parametrize("name", dtypes.names())
@pytest.mark.parametrize("codec", ["zstd", "lz4", "none"])
def test_raw_keeps_every_bit_of_every_dtype(name: str, codec: str) -> None:
    n = 3 * 64
    raw = np.random.default_rng(1).integers(0, 256, n * dtypes.bits(name) // 8, np.uint8)
    record = encode_bytes(raw, name, (3, 64), f"raw(codec={codec})")
    out = np.empty_like(raw)
    record.view.decode_into(out, name)
    assert (record.dtype, record.shape, record.lossy, record.error) == (name, (3, 64), False, None)
    assert bits(out) == bits(raw)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("encoding", ["raw", *LOSSY])
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_round_trip_and_stated_error(shape: tuple[int, ...], encoding: str, dtype: np.dtype) -> None:
    x = normal(shape, dtype)
    record = haagenti.encode(x, encoding)
    y = haagenti.decode(Record(bytes(record.data)))
    record.verify()
    assert (y.shape, y.dtype, record.fallback) == (shape, dtype, None)
    if not record.lossy:
        assert bits(x) == bits(y)
        return
    stated, found = record.error, haagenti.quality(x, y)
    assert stated is not None
    assert stated.snr_db == pytest.approx(found.snr_db, abs=1e-4)
    assert stated.cosine == pytest.approx(found.cosine, abs=1e-6)
    assert stated.max_abs_error == pytest.approx(found.max_abs_error, rel=1e-6)
    assert stated.psnr_db == pytest.approx(found.psnr_db, abs=1e-4)
    if x.size > 64:
        assert stated.snr_db > (40 if "int8" in encoding else 17)


@pytest.mark.parametrize("encoding", LOSSY)
def test_search_is_never_worse_than_max(encoding: str) -> None:
    x = normal((64, 300), np.dtype(np.float32))
    searched = haagenti.encode(x, encoding, scale="search").error
    largest = haagenti.encode(x, encoding, scale="max").error
    assert searched is not None
    assert largest is not None
    assert searched.mse <= largest.mse


@settings(max_examples=150, deadline=None)
@given(
    hnp.arrays(np.float32, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=40), elements=st.floats(width=32)),
    st.sampled_from(["raw", *LOSSY]),
)
def test_any_floats_survive_or_fall_back(x: np.ndarray, encoding: str) -> None:
    record = haagenti.encode(x, encoding)
    y = haagenti.decode(record)
    if record.fallback or not record.lossy:
        assert bits(x) == bits(y)
        return
    assert np.isfinite(y).all()
    found, stated = haagenti.quality(x, y), record.error
    assert stated is not None
    assert stated.max_abs_error == pytest.approx(found.max_abs_error, rel=1e-5, abs=1e-30)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e-30, 1e30])
@pytest.mark.parametrize("encoding", ["int4", "int8", 'int4(scale="max")'])
def test_what_no_scale_holds_falls_back_and_says_why(bad: float, encoding: str) -> None:
    x = normal((40, 64), np.dtype(np.float32))
    x[7, 32:] = 0 if abs(bad) < 1 else x[7, 32:]
    x[7, 40] = bad
    record = haagenti.encode(x, encoding, group_size=32)
    assert record.fallback is not None
    assert "row 7, column 32" in record.fallback
    assert record.encoding == 'raw(codec="zstd")'
    assert bits(haagenti.decode(record)) == bits(x)


@pytest.mark.parametrize(
    ("shape", "matrix", "expected"),
    [
        ((), None, ((), 1, 1)),
        ((5,), None, ((0,), 1, 5)),
        ((4, 6), None, ((0, 1), 4, 6)),
        ((4, 6), "transposed", ((1, 0), 6, 4)),
        ((4, 6), "flat", ((0, 1), 1, 24)),
        ((8, 3, 3, 3), None, ((0, 1, 2, 3), 8, 27)),
        ((8, 4, 64), None, ((0, 1, 2), 32, 64)),
        ((8, 4, 64), "first", ((0, 1, 2), 8, 256)),
    ],
)
def test_matrix_of_a_shape(shape: tuple[int, ...], matrix: str | None, expected: tuple[tuple[int, ...], int, int]) -> None:
    chosen = choose_matrix(shape, matrix)
    assert (chosen.perm, chosen.n_rows, chosen.row_length) == expected


def test_transposed_matrix_is_the_transpose_encoded_and_turned_back() -> None:
    x = normal((96, 40), np.dtype(np.float32))
    turned = haagenti.decode(haagenti.encode(x, "int4", matrix="transposed"))
    direct = haagenti.decode(haagenti.encode(np.ascontiguousarray(x.T), "int4")).T
    assert bits(turned) == bits(direct)


def test_decodes_into_an_output_of_another_float_type() -> None:
    record = haagenti.encode(normal((8, 64), np.dtype(np.float32)), "int4")
    exact = haagenti.decode(record)
    for dtype in FLOATS:
        out = np.empty((8, 64), dtype)
        assert haagenti.decode(record, out=out) is out
        assert bits(out) == bits(exact.astype(dtype))


def test_threads_do_not_change_bytes() -> None:
    x = normal((2000, 700), np.dtype(np.float32))
    found = set()
    for n in (1, 2, 5):
        haagenti.set_num_threads(n)
        found.add(bytes(haagenti.encode(x, "int4").data))
    haagenti.set_num_threads(0)
    assert len(found) == 1


def test_the_record_is_a_view_not_a_copy_and_outlives_its_source_object() -> None:
    data = bytes(haagenti.encode(normal((8, 64), np.dtype(np.float32)), "int4").data)
    record = Record(data)
    del data
    assert haagenti.decode(record).shape == (8, 64)


def test_non_contiguous_and_big_endian_input() -> None:
    x = normal((40, 64), np.dtype(np.float32))
    assert bytes(haagenti.encode(x[:, ::2], "int4").data) == bytes(haagenti.encode(x[:, ::2].copy(), "int4").data)
    assert bytes(haagenti.encode(x.astype(">f4"), "raw").data) == bytes(haagenti.encode(x, "raw").data)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: haagenti.encode(x, "int5"), "unknown encoding 'int5'"),
        (lambda x: haagenti.encode(x, "int4", group_size=33), "expected one of 32, 64, 128"),
        (lambda x: haagenti.encode(x.astype(np.int32), "int4", name="a.b"), "tensor 'a.b'.*does not take dtype I32"),
        (lambda x: haagenti.encode(x, "int4", matrix="rows"), "expected one of last, first, kernels, transposed, flat"),
        (lambda x: haagenti.encode(x.reshape(2, 2, -1), "int4", matrix="transposed"), "expected 2 axes, found 3"),
        (lambda x: haagenti.decode(haagenti.encode(x, "int4"), out=np.empty((1, 1), np.float32)), "shape: expected"),
        (lambda x: haagenti.decode(haagenti.encode(x, "int4"), dtype="I32"), "does not decode to I32"),
        (lambda x: haagenti.decode(haagenti.encode(x, "raw"), dtype="F16"), "does not decode to F16"),
        (lambda x: encode_bytes(bytes(7), "F32", (2, 1), "raw"), "expected 8 bytes of elements, found 7"),
        (lambda x: haagenti.quality(x, x[1:]), "shape"),
        (lambda x: haagenti.set_num_threads(-1), "number of threads is -1"),
        (lambda x: dtypes.bits("F99"), "expected one of BOOL"),
    ],
)
def test_refusals_are_value_errors_that_say_what_was_expected(call, message: str) -> None:
    with pytest.raises(haagenti.InvalidArgumentError, match=message) as caught:
        call(normal((4, 64), np.dtype(np.float32)))
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, haagenti.Error)


def test_corrupt_truncated_and_foreign_bytes() -> None:
    data = bytearray(haagenti.encode(normal((8, 64), np.dtype(np.float32)), "int4", name="w").data)
    with pytest.raises(haagenti.TruncatedError, match="tensor 'w'"):
        Record(bytes(data[:-64]), "w")
    with pytest.raises(haagenti.CorruptError, match="does not begin with HGTR"):
        Record(b"x" * 256)
    data[-70] ^= 1
    with pytest.raises(haagenti.CorruptError, match="tensor 'w': checksum mismatch in chunk 0"):
        haagenti.decode(Record(bytes(data), "w"))


def test_quality_is_its_definition() -> None:
    x, y = normal((300,), np.dtype(np.float32)), normal((300,), np.dtype(np.float32), seed=1)
    q = haagenti.quality(x, y)
    a, b = x.astype(np.float64), y.astype(np.float64)
    assert q.mse == pytest.approx(((a - b) ** 2).mean())
    assert q.snr_db == pytest.approx(10 * np.log10((a @ a) / ((a - b) @ (a - b))))
    assert q.psnr_db == pytest.approx(10 * np.log10(np.abs(a).max() ** 2 / q.mse))
    assert q.cosine == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    assert q.relative_frobenius == pytest.approx(np.linalg.norm(a - b) / np.linalg.norm(a))
    assert q.grade == "poor"
    same = haagenti.quality(x, x)
    assert (same.snr_db, same.cosine, same.mse, same.grade) == (math.inf, 1.0, 0.0, "excellent")


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("where", ["original", "restored"])
def test_quality_of_values_that_are_not_finite_is_not_flattering(bad: float, where: str) -> None:
    x = normal((40,), np.dtype(np.float32))
    broken = x.copy()
    broken[7] = bad
    q = haagenti.quality(broken, x) if where == "original" else haagenti.quality(x, broken)
    assert not math.isfinite(q.max_abs_error)
    assert not q.snr_db > 0
    assert q.grade == "poor"


def test_quality_takes_numbers_only() -> None:
    for other in (np.array(["a", "b"]), np.array([1j, 2j])):
        with pytest.raises(haagenti.InvalidArgumentError, match="real numbers"):
            haagenti.quality(other, other)


GRADES = [(24.0, "excellent"), (23.9, "good"), (18.5, "good"), (14, "acceptable"), (10, "degraded"), (9.9, "poor")]


@pytest.mark.parametrize(("snr_db", "word"), GRADES)
def test_grades(snr_db: float, word: str) -> None:
    noise = 10 ** (-snr_db / 20) * (1 - 1e-9)
    assert haagenti.quality(np.ones(8), np.full(8, 1 + noise)).grade == word


def test_tables_of_the_core_agree_with_the_package() -> None:
    assert [row["name"] for row in _core.encodings()] == ["raw", "int8", "int4", "spectral"]
    for row in _core.encodings():
        name, params = _core.parse_encoding(row["name"])
        assert {p["name"]: p["default"] for p in row["params"]} == params
        canonical = _core.format_encoding(name, params)
        assert _core.format_encoding(*_core.parse_encoding(canonical)) == canonical
    for row in _core.dtypes():
        assert dtypes.bits(row["name"]) == row["bits"]


def decode_legacy_int4(payload: bytes, n: int) -> np.ndarray:
    """The INT4 payload of the older tool: binary16 scales of consecutive groups of 32, then nibbles, low first, offset 8."""
    n_scales = -(-n // 32)
    scales = np.frombuffer(payload, "<f2", n_scales).astype(np.float32)
    packed = np.frombuffer(payload, np.uint8, offset=2 * n_scales)
    q = np.stack([packed & 15, packed >> 4], axis=1).reshape(-1)[:n].astype(np.int8) - 8
    return q * np.repeat(scales, 32)[:n]


@pytest.mark.parametrize("shape", [(7, 9), (33,), (3, 70000), (1200, 700)])
def test_flat_int4_has_the_layout_of_the_older_tool(shape: tuple[int, ...]) -> None:
    record = haagenti.encode(normal(shape, np.dtype(np.float32)), "int4", group_axis="flat")
    codes, scales = (bytes(record.data[s["offset"] : s["offset"] + s["n_bytes"]]) for s in record.view.segments)
    expected = decode_legacy_int4(scales + codes, math.prod(shape))
    assert bits(haagenti.decode(record)) == bits(expected.reshape(shape))
