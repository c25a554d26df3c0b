"""The encoding ``spectral``: bounds of a conforming coder, stress inputs, what it measures and states.

Not responsible for: the bytes (tests/cpp/sparse_test.cpp), plans (tests/convert), products (tests/test_torch_ops.py).
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import haagenti
from haagenti import _core

RNG = np.random.default_rng(11)
TRANSFORMS = ("identity", "dct_rows", "dct_2d", "block_dct(8)", "block_dct(128)", "hadamard", "auto")


def noise(shape: tuple[int, ...]) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def stress() -> dict[str, np.ndarray]:
    """The inputs of the older draft specification on which a transform may fail."""
    spike = np.zeros((8, 8), np.float32)
    spike[3, 5] = 100
    mixed = np.array([[1e10, 1e-10, -1e10, 1], [1, -1, 1e5, 0], [1e-5, 1e5, 3, 1e-20], [7, -7, 0, 1e10]], np.float32)
    return {
        "huge": np.full((8, 8), 1e15, np.float32) * np.sign(noise((8, 8))),
        "tiny": np.full((8, 8), 1e-30, np.float32) * np.sign(noise((8, 8))),
        "mixed": mixed,
        "wide": noise((2, 32)),
        "tall": noise((32, 2)),
        "checkerboard": ((np.indices((8, 8)).sum(0) % 2) * 2 - 1).astype(np.float32),
        "spike": spike,
        "zeros": np.zeros((4, 4), np.float32),
        "identity": np.eye(4, dtype=np.float32),
        "constant": np.full((4, 4), 42, np.float32),
    }


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize(("retention", "cosine"), [(0.7, 0.990), (0.8, 0.995), (0.9, 0.998)])
def test_bounds_of_a_conforming_coder(transform: str, retention: float, cosine: float) -> None:
    for shape in ((256, 512), (100, 72), (1, 4096), (4096,)):
        x = noise(shape)
        record = haagenti.encode(x, "spectral", retention=retention, coefficients="f32", transform=transform)
        quality = haagenti.quality(x, haagenti.decode(record))
        assert quality.cosine >= cosine, (shape, record.encoding)
        assert record.error is not None
        assert record.error.cosine == pytest.approx(quality.cosine, abs=1e-6)


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("name", sorted(stress()))
def test_stress_inputs_round_trip(name: str, transform: str) -> None:
    x = stress()[name]
    if transform == "hadamard" and x.shape[1] % 2:
        pytest.skip("rows of odd length have no Hadamard block")
    record = haagenti.encode(x, "spectral", retention=1.0, coefficients="f32", transform=transform)
    assert record.fallback is None
    np.testing.assert_allclose(haagenti.decode(record), x, rtol=2e-6, atol=2e-6 * float(np.abs(x).max(initial=0)))


@pytest.mark.parametrize(
    ("name", "retention", "cosine"),
    [("gaussian", 0.70, 0.9999), ("low_rank", 0.30, 0.90), ("identity", 0.50, 1.0), ("sequential", 0.50, 1.0)],
)
def test_normative_vectors(name: str, retention: float, cosine: float) -> None:
    i = np.arange(64)
    signs = (-1.0) ** np.arange(8)
    x = {
        "gaussian": (0.5 * np.sin(0.1 * i) * np.cos(0.073 * i)).reshape(8, 8),
        "low_rank": np.outer(2.0 ** -np.arange(8), signs),
        "identity": np.eye(4),
        "sequential": np.arange(1.0, 17).reshape(4, 4),
    }[name].astype(np.float32)
    record = haagenti.encode(x, "spectral", retention=retention, coefficients="f32", transform="dct_2d")
    assert haagenti.quality(x, haagenti.decode(record)).cosine >= cosine - 1e-3 * (name == "identity")


@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("coefficients", ["int4", "int8", "f16", "f32"])
def test_types(dtype: type, coefficients: str) -> None:
    x = noise((130, 300)).astype(dtype)
    record = haagenti.encode(x, "spectral", coefficients=coefficients)
    y = haagenti.decode(record)
    assert (y.dtype, y.shape) == (x.dtype, x.shape)
    assert record.error is not None
    assert haagenti.quality(x, y).snr_db == pytest.approx(record.error.snr_db, abs=1e-3)
    np.testing.assert_array_equal(haagenti.decode(record, dtype="F32").astype(dtype), y)


@pytest.mark.parametrize("bits", [1.5, 3.0, 4.4])
@pytest.mark.parametrize("coefficients", ["int4", "int8"])
def test_bits_are_kept_with_everything_counted(bits: float, coefficients: str) -> None:
    record = haagenti.encode(noise((512, 640)), "spectral", bits_per_weight=bits, coefficients=coefficients)
    assert bits - 0.01 <= record.bits_per_weight <= bits
    assert record.bits_per_weight == 8 * record.n_bytes / record.n_elements


@pytest.mark.parametrize("energy", [0.5, 0.9, 0.999])
def test_energy_is_kept(energy: float) -> None:
    x = noise((256, 256))
    y = haagenti.decode(haagenti.encode(x, "spectral", energy=energy, coefficients="f32", transform="dct_2d"))
    kept = 1 - np.square(x - y, dtype=np.float64).sum() / np.square(x, dtype=np.float64).sum()
    assert energy - 1e-6 <= kept <= energy + 1e-4


@pytest.mark.parametrize("n", [100, 4096, 20000, 65536, 200_000])
@pytest.mark.parametrize("energy", [0.1, 0.5, 0.9, 0.999])
def test_energy_keeps_the_fewest_values(n: int, energy: float) -> None:
    x = noise((n,))
    y = haagenti.decode(haagenti.encode(x, "spectral", energy=energy, coefficients="f32", transform="identity"))
    falling = np.cumsum(np.sort(np.square(x, dtype=np.float64))[::-1])
    fewest = int(np.searchsorted(falling, float(np.float32(energy)) * falling[-1])) + 1
    assert int((y != 0).sum()) == fewest


def test_noise_gains_nothing_and_the_identity_is_taken() -> None:
    x = noise((1024, 1024))
    record = haagenti.encode(x, "spectral")
    assert record.transform == "identity"
    assert record.transform_gain is not None
    assert abs(record.transform_gain) < 0.1
    rows = _core.measure_transforms(x.reshape(-1).view(np.uint8), "F32", x.shape, (0, 1), 1024, 1024, "spectral(retention=0.7)")
    assert {row["transform"] for row in rows} >= {"identity", "dct_rows", "block_dct(128)", "hadamard(1024)"}
    for row in rows:
        assert abs(row["gain_db"]) < 0.1, row


def test_smooth_tables_gain_and_the_record_says_so() -> None:
    positions = np.arange(512)[:, None] / 100.0 ** (np.arange(128) / 128)
    x = np.sin(positions).astype(np.float32)
    record = haagenti.encode(x, "spectral", bits_per_weight=3)
    plain = haagenti.encode(x, "spectral", bits_per_weight=3, transform="identity")
    assert record.transform != "identity"
    assert record.transform in record.encoding
    assert record.transform_gain is not None
    assert record.transform_gain > 6
    assert record.error is not None
    assert plain.error is not None
    assert record.error.snr_db - plain.error.snr_db > 6
    assert plain.transform_gain is None


@pytest.mark.parametrize("encoding", ["int4", "int4(group_size=128)", "int8(group_size=32)"])
def test_hadamard_rescues_outliers(encoding: str) -> None:
    x = noise((256, 512))
    x[:, 100] *= 50
    plain, spread = (haagenti.encode(x, encoding, transform=transform).error for transform in ("identity", "hadamard(128)"))
    measured = haagenti.encode(x, encoding, transform="auto")
    assert plain is not None
    assert spread is not None
    assert measured.error is not None
    assert measured.transform_gain is not None
    assert measured.transform_gain > 1
    assert max(spread.snr_db, measured.error.snr_db) > plain.snr_db + 1


def test_a_mean_is_never_lost() -> None:
    x = 3 + 0.01 * noise((4096,))
    y = haagenti.decode(haagenti.encode(x, "spectral", retention=0.05, transform="identity"))
    assert abs(float(y.mean()) - float(x.mean())) < 1e-3
    assert haagenti.quality(x, y).cosine > 0.9999


def test_zeros_stay_zeros() -> None:
    """A small mean is not worth the exact zeros that taking it off would undo."""
    x = np.where(RNG.random((256, 256)) < 0.05, np.abs(noise((256, 256))), 0).astype(np.float32)
    record = haagenti.encode(x, "spectral", energy=1, coefficients="f32", transform="identity")
    np.testing.assert_array_equal(haagenti.decode(record), x)
    assert record.bits_per_weight < 2.5


def test_auto_samples_all_of_a_matrix() -> None:
    """Rows at the beginning that are unlike the others decide nothing."""
    x = (np.random.default_rng(5).standard_t(2.2, (2048, 4096)) * 0.02).astype(np.float32)
    x[:64] = 0
    record = haagenti.encode(x, "int4(transform=auto, scale=max)")
    assert record.transform != "identity"
    assert record.transform_gain is not None
    assert record.transform_gain > 1


def test_auto_takes_what_can_be_stored() -> None:
    """One row far too small for a binary16 scale: a transform across the rows can hold it, the identity cannot."""
    x = noise((512, 1024)) * np.float32(0.02)
    x[300] *= np.float32(1e-8)
    record = haagenti.encode(x, "int4", transform="auto")
    assert record.fallback is None
    assert record.transform != "identity"
    assert haagenti.quality(x, haagenti.decode(record)).snr_db > 18


def test_unsuitable_values_stay_exact() -> None:
    x = noise((64, 64))
    x[3, 4] = np.nan
    record = haagenti.encode(x, "spectral")
    assert record.encoding.startswith("raw")
    assert "row 3, column 4" in (record.fallback or "")
    assert "NaN" in (record.fallback or "")
    np.testing.assert_array_equal(haagenti.decode(record), x)


@pytest.mark.parametrize("shape", [(), (0,), (0, 8), (8, 0), (1,), (1, 1), (3, 5, 7), (2, 3, 4, 5)])
@pytest.mark.parametrize("transform", TRANSFORMS)
def test_any_shape(shape: tuple[int, ...], transform: str) -> None:
    x = noise(shape)
    record = haagenti.encode(x, "spectral", retention=1, coefficients="f32", transform=transform)
    np.testing.assert_allclose(haagenti.decode(record), x, rtol=1e-5, atol=1e-5)
