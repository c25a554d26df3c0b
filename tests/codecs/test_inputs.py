"""What functions take: every buffer and numpy array, without a copy."""

from __future__ import annotations

import array
import mmap

import ml_dtypes
import numpy as np
import pytest
from codec_cases import THERE_AND_BACK, sample

import haagenti
from haagenti.streaming import Decoder, Encoder

TEXT = sample("text", 5000)
PACKED = haagenti.compress(TEXT)


@pytest.mark.parametrize("through", THERE_AND_BACK)
def test_buffers(through: str, tmp_path) -> None:
    call = THERE_AND_BACK[through]
    for data in (TEXT, bytearray(TEXT), memoryview(TEXT), memoryview(bytearray(TEXT))[100:200], memoryview(TEXT).cast("B", [50, 100])):
        assert call(data) == bytes(data)
    numbers = array.array("d", range(100))
    assert call(numbers) == numbers.tobytes()
    path = tmp_path / "file"
    path.write_bytes(TEXT)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert call(mapped) == TEXT


def test_compressed_buffers(tmp_path) -> None:
    path = tmp_path / "file"
    path.write_bytes(PACKED)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        everything = (
            bytearray(PACKED),
            memoryview(PACKED),
            np.frombuffer(PACKED, np.uint8),
            np.frombuffer(PACKED, np.uint8).view("S1"),
            mapped,
        )
        for packed in everything:
            assert haagenti.decompress(packed) == TEXT
            assert haagenti.Decompressor().decompress(packed) == TEXT
            assert Decoder("zstd").write(packed) == TEXT


class Subclass(bytes):
    """bytes of another type."""


def test_subclass_of_bytes() -> None:
    assert haagenti.decompress(Subclass(haagenti.compress(Subclass(TEXT)))) == TEXT


@pytest.mark.parametrize("through", THERE_AND_BACK)
@pytest.mark.parametrize(
    "dtype",
    [
        "?",
        "u1",
        "<i2",
        ">i4",
        "u8",
        "f2",
        "f4",
        "f8",
        "c8",
        "c16",
        "S7",
        "U3",
        "M8[ns]",
        "m8[s]",
        "V5",
        [("a", "<f4"), ("b", "u1", (2,))],
        "g",
    ],
)
def test_numpy_dtypes(through: str, dtype: object) -> None:
    values = np.zeros(60, dtype)
    values.view(np.uint8)[:] = np.frombuffer(TEXT, np.uint8, values.nbytes) if np.dtype(dtype) != bool else 1
    for shaped in (values, values.reshape(3, 20), values.reshape(3, 4, 5)[1:], values[:0], values[0:1].reshape(())):
        assert THERE_AND_BACK[through](shaped) == shaped.tobytes()
    values.flags.writeable = False
    assert THERE_AND_BACK[through](values) == values.tobytes()


@pytest.mark.parametrize("through", THERE_AND_BACK)
@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "int4"])
def test_ml_dtypes(through: str, dtype: str) -> None:
    values = np.arange(60).astype(getattr(ml_dtypes, dtype))
    for shaped in (values, values.reshape(3, 20), values[:0], values[3:4].reshape(())):
        assert THERE_AND_BACK[through](shaped) == shaped.tobytes()
    with pytest.raises(haagenti.InvalidArgumentError, match="contiguous"):
        THERE_AND_BACK[through](values[::2])


@pytest.mark.parametrize("through", THERE_AND_BACK)
def test_not_contiguous(through: str) -> None:
    matrix = np.arange(120, dtype=np.float32).reshape(10, 12)
    for view in (matrix.T, matrix[:, 1:], matrix[::2], matrix[::-1], np.asfortranarray(matrix), matrix.astype("M8[s]").T):
        with pytest.raises(haagenti.InvalidArgumentError, match=r"^(data|chunk) .*ndarray.*contiguous"):
            THERE_AND_BACK[through](view)
    with pytest.raises(haagenti.InvalidArgumentError, match="contiguous"):
        THERE_AND_BACK[through](memoryview(TEXT)[::2])


@pytest.mark.parametrize("through", THERE_AND_BACK)
def test_arrays_of_objects(through: str) -> None:
    for values in (np.array([None, "x"]), np.array([(1, None)], dtype=[("n", "i4"), ("o", object)])):
        with pytest.raises(haagenti.InvalidArgumentError, match="Python objects"):
            THERE_AND_BACK[through](values)


@pytest.mark.parametrize("through", THERE_AND_BACK)
@pytest.mark.parametrize("wrong", ["text", 5, 1.5, None, [1, 2], {"a": 1}, object(), range(5)])
def test_what_has_no_bytes(through: str, wrong: object) -> None:
    with pytest.raises(TypeError, match=f"{type(wrong).__name__}.*expected bytes"):
        THERE_AND_BACK[through](wrong)
    with pytest.raises(TypeError, match=type(wrong).__name__):
        haagenti.decompress(wrong)
    with pytest.raises(TypeError, match=type(wrong).__name__):
        Decoder("zstd").write(wrong)


def test_a_released_view_is_refused() -> None:
    view = memoryview(TEXT)
    view.release()
    with pytest.raises((TypeError, ValueError)):
        haagenti.compress(view)


def test_input_may_change_between_chunks() -> None:
    encoder, chunk = Encoder("zstd"), bytearray(100)
    written = b""
    for n in range(50):
        chunk[:] = bytes([n]) * 100
        written += encoder.write(chunk)
    assert haagenti.decompress(written + encoder.finish()) == b"".join(bytes([n]) * 100 for n in range(50))
    chunk.append(1)  # nothing holds the buffer any more


def test_memoryviews_of_objects_are_refused() -> None:
    for objects in (np.zeros(3, object), np.zeros(3, [("o", object), ("x", "i8")])):
        for data in (objects, memoryview(objects)):
            with pytest.raises(haagenti.InvalidArgumentError, match="Python objects"):
                haagenti.compress(data)
            with pytest.raises(haagenti.InvalidArgumentError, match="Python objects"):
                haagenti.decompress_into(haagenti.compress(b"x"), data)
    named = np.zeros(3, [("O", "f8"), ("x", "i8")])
    assert haagenti.decompress(haagenti.compress(named)) == haagenti.decompress(haagenti.compress(memoryview(named))) == named.tobytes()


def test_a_released_view_says_so() -> None:
    view = memoryview(b"abc")
    view.release()
    with pytest.raises(ValueError, match="released"):
        haagenti.compress(view)
