"""Arrays that the tests of `safe_open` share, and how they compare."""

from __future__ import annotations

import warnings

import ml_dtypes
import numpy as np

RNG = np.random.default_rng(7)
ARRAYS = {
    "vector": RNG.normal(size=11).astype(np.float32),
    "matrix": RNG.normal(size=(6, 5)).astype(np.float32),
    "cube": RNG.integers(-9, 9, size=(3, 4, 5)).astype(np.int64),
    "four": RNG.normal(size=(2, 3, 2, 3)).astype(np.float16),
    "flags": RNG.integers(0, 2, size=(4, 3)).astype(bool),
    "scalar": np.array(1.5, np.float64),
    "empty": np.zeros((0, 3), np.int8),
    "hollow": np.zeros((2, 0, 3), np.float32),
}
WIDE = {
    "w8": RNG.normal(size=(48, 70)).astype(np.float32),
    "w4": RNG.normal(size=(40, 96)).astype(ml_dtypes.bfloat16),
    "lossless": np.repeat(np.arange(64, dtype=np.int32), 40).reshape(64, 40),
    "plain": RNG.normal(size=(4, 4)).astype(np.float32),
    "bias": RNG.normal(size=5).astype(ml_dtypes.bfloat16),
}
ODD = [  # (array and how it is cut, matrix)
    ("matrix transposed", "transposed"),
    ("matrix flat", "flat"),
    ("cube first", "first"),
    ("four last", "last"),
    ("four first", "first"),
]


def assert_same(found, expected) -> None:
    assert found.dtype == expected.dtype
    assert tuple(found.shape) == tuple(expected.shape)
    if isinstance(expected, np.ndarray):
        assert found.tobytes() == expected.tobytes()
    else:
        assert bool((found == expected).all())


def outcome(act):
    """What a call gives: ("value", v) or ("error", class)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return "value", act()
    except Exception as error:  # noqa: BLE001 (the kind is what is compared)
        return "error", error
