"""Buffers that are written: what may be one, and what may not."""

from __future__ import annotations

import array

import ml_dtypes
import numpy as np
import pytest
from codec_cases import sample

import haagenti

TEXT = sample("text", 5000)
PACKED = haagenti.compress(TEXT)


def test_outputs() -> None:
    for out in (
        bytearray(5000),
        memoryview(bytearray(5000)),
        np.zeros(5000, np.uint8),
        np.zeros((50, 100), "i1"),
        array.array("b", bytes(5000)),
    ):
        assert haagenti.decompress_into(PACKED, out) == 5000
        assert bytes(memoryview(out).cast("B") if not isinstance(out, np.ndarray) else out.tobytes()) == TEXT
    for dtype in (ml_dtypes.bfloat16, "M8[s]", "f4"):
        out = np.zeros(5000 // np.dtype(dtype).itemsize, dtype)
        assert haagenti.decompress_into(PACKED, out) == 5000
        assert out.tobytes() == TEXT


def test_outputs_that_cannot_be_written() -> None:
    frozen = np.zeros(5000, np.uint8)
    frozen.flags.writeable = False
    foreign = np.zeros(2500, ml_dtypes.bfloat16)
    foreign.flags.writeable = False
    for out in (bytes(5000), memoryview(bytes(5000)), frozen, foreign):
        with pytest.raises(haagenti.InvalidArgumentError, match=r"out .*written"):
            haagenti.decompress_into(PACKED, out)
        with pytest.raises(haagenti.InvalidArgumentError, match=r"out .*written"):
            haagenti.compress_into(TEXT, out)
    with pytest.raises(haagenti.InvalidArgumentError, match=r"out .*contiguous"):
        haagenti.decompress_into(PACKED, np.zeros(10_000, np.uint8)[::2])
    with pytest.raises(TypeError, match="out is of type list"):
        haagenti.decompress_into(PACKED, [0] * 5000)


def test_overlap() -> None:
    room = bytearray(20_000)
    room[: len(PACKED)] = PACKED
    view = memoryview(room)
    for start in (0, 1, len(PACKED) - 1):
        with pytest.raises(haagenti.InvalidArgumentError, match="shares memory"):
            haagenti.decompress_into(view[: len(PACKED)], view[start:])
    assert haagenti.decompress_into(view[: len(PACKED)], view[len(PACKED) :]) == 5000
    with pytest.raises(haagenti.InvalidArgumentError, match="shares memory"):
        haagenti.compress_into(view[:100], view[99:])
