"""What `haagenti.analyze` measures: known gains of known tensors, classes, samples, and tensors that cannot be measured."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import haagenti
import haagenti.numpy
from haagenti.reporting.analysis.coding_gain import coding_gain, digamma, trigamma
from haagenti.reporting.analysis.energy_curve import energy_shares, gaussian_share
from haagenti.reporting.analysis.results import Analysis, ClassAnalysis, PointSummary, TensorAnalysis
from haagenti.reporting.analysis.sample import take_sample
from haagenti.reporting.analysis.statistics import statistics
from haagenti.reporting.analysis.tensor_class import class_of
from haagenti.reporting.analysis.text import auto_line
from haagenti.sources.base import SourceTensor

STORIES = Path(__file__).parent / "models" / "stories260K"
TRANSFORMS = ("identity", "dct_rows", "dct_2d", "block_dct(8)", "block_dct(16)", "block_dct(32)", "block_dct(64)", "hadamard(64)")


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(7).standard_normal(shape, np.float32)


def position_table(n_positions: int = 256, width: int = 128) -> np.ndarray:
    """Slow sines along the positions, as models learn them."""
    positions, columns = np.arange(n_positions)[:, None], np.arange(width)[None]
    return np.sin(positions / 10 ** (1 + columns / width) + columns / 9).astype(np.float32)


def analyzed(folder: Path, tensors: dict[str, np.ndarray], **options: object) -> Analysis:
    path = folder / "model.safetensors"
    haagenti.numpy.save_file(tensors, path, encoding="plain")
    return haagenti.analyze(path, **options)


def only(analysis: Analysis) -> tuple[ClassAnalysis, TensorAnalysis]:
    (summary,), (tensor,) = analysis.classes, analysis.tensors
    return summary, tensor


# --- known gains ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_no_transform_has_a_coding_gain_on_noise(transform: str) -> None:
    found = coding_gain(noise(256, 256), transform)
    assert found is not None
    assert abs(found.gain_db) < 0.05
    assert abs(found.gain_db) < 4 * found.standard_error_db < 0.05


def test_the_correction_is_needed_where_values_are_few() -> None:
    found = coding_gain(noise(16, 1024), "dct_rows")
    assert found is not None
    assert abs(found.gain_db) < 0.05
    assert 10 / math.log(10) * (math.log(8) - digamma(8)) > 0.25, "what it would be without"


def test_nothing_gains_on_noise_and_auto_takes_the_identity(tmp_path: Path) -> None:
    summary, tensor = only(analyzed(tmp_path, {"up.weight": noise(512, 512)}, retention=[0.5], bits=[3]))
    assert {gain.transform for gain in tensor.gains} >= {"identity", "dct_rows", "dct_2d", "block_dct(8)"}
    for gain in tensor.gains:
        assert abs(gain.measured_gain_db) < 0.05, gain.transform
        assert gain.coding_gain_db is None or abs(gain.coding_gain_db) < 0.05, gain.transform
    assert all(point.taken == {"identity": 1} for point in summary.points)
    curve = dict(zip((0.1, 0.3, 0.5), (tensor.energy["dct_2d"][i] for i in (0, 2, 4)), strict=True))
    for share, energy in curve.items():
        assert energy == pytest.approx(gaussian_share(share), abs=0.005)
    assert tensor.statistics.excess_kurtosis == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize(("length", "expected"), [(8, 8.83), (16, 9.46)])
def test_the_gain_of_a_first_order_process_is_the_one_of_the_textbook(length: int, expected: float) -> None:
    """Jayant & Noll, for the DCT and a correlation of 0.95."""
    rng = np.random.default_rng(1)
    rows = np.empty((20000, length))
    rows[:, 0] = rng.standard_normal(20000)
    for column in range(1, length):
        rows[:, column] = 0.95 * rows[:, column - 1] + math.sqrt(1 - 0.95**2) * rng.standard_normal(20000)
    found = coding_gain(rows.astype(np.float32), "dct_rows")
    assert found is not None
    assert found.gain_db == pytest.approx(expected, abs=0.1)


def test_a_smooth_position_table_gains_much(tmp_path: Path) -> None:
    summary, tensor = only(analyzed(tmp_path, {"wpe.weight": position_table()}, retention=[0.3], bits=[2]))
    assert summary.name == "embedding"
    best = max(tensor.gains, key=lambda gain: gain.measured_gain_db)
    assert best.measured_gain_db > 6
    assert best.transform != "identity"
    assert max(gain.coding_gain_db for gain in tensor.gains if gain.coding_gain_db is not None) > 6
    shared, auto, identity = summary.points
    assert auto.taken == shared.taken != {"identity": 1}
    assert auto.snr_db > identity.snr_db + 6
    assert auto.bits_per_weight <= 2.001
    assert auto.bits_per_weight == pytest.approx(identity.bits_per_weight, abs=0.1)
    assert tensor.energy["dct_2d"][0] > 0.95 > tensor.energy["identity"][0]


def test_the_embedding_of_a_small_llama_gains_more_than_3_db(tmp_path: Path) -> None:
    path = Path(__file__).parents[2] / "shared" / "models" / "llama-babyllama" / "tok105_model5000.bin"
    if not path.exists():
        pytest.skip(f"needs {path.name} of llama-babyllama, which is not part of the repository")
    from models.convert_llama2c import convert_model

    convert_model(path.read_bytes(), tmp_path / "babyllama")
    analysis = haagenti.analyze(tmp_path / "babyllama", retention=[0.5], bits=[])
    (embedding,) = [tensor for tensor in analysis.tensors if tensor.name == "model.embed_tokens.weight"]
    gains = {gain.transform: gain for gain in embedding.gains}
    assert max(gain.measured_gain_db for gain in gains.values()) > 3
    assert gains["dct_2d"].coding_gain_db > 3
    assert embedding.points[0].transform != "identity"


# --- single measures -----------------------------------------------------------------------------------------------------------------


def test_digamma_and_trigamma() -> None:
    euler = 0.5772156649015329
    assert digamma(1) == pytest.approx(-euler, abs=1e-12)
    assert digamma(0.5) == pytest.approx(-euler - 2 * math.log(2), abs=1e-12)
    assert digamma(101.5) == pytest.approx(digamma(100.5) + 1 / 100.5, abs=1e-14)
    assert trigamma(1) == pytest.approx(math.pi**2 / 6, abs=1e-12)
    assert trigamma(50) == pytest.approx(trigamma(49) - 1 / 49**2, abs=1e-14)


def test_energy_curves() -> None:
    assert energy_shares(np.zeros(5), [0.1, 1.0]) == [1.0, 1.0]
    assert energy_shares(np.array([-2.0, 1.0]), [0.5, 1.0]) == [0.8, 1.0]
    sample = np.random.default_rng(0).standard_normal(10**6)
    for share, held in zip((0.1, 0.5, 0.9), energy_shares(sample, [0.1, 0.5, 0.9]), strict=True):
        assert gaussian_share(share) == pytest.approx(held, abs=0.002)
    assert gaussian_share(1.0) == 1.0


def test_the_identity_has_a_coding_gain_where_columns_differ() -> None:
    found = coding_gain(noise(512, 64) * np.repeat([1, 8], 32).astype(np.float32), "identity")
    assert found is not None
    assert found.gain_db == pytest.approx(10 * math.log10((1 + 64) / 2 / 8), abs=0.05)


def test_bands_are_transformed_for_themselves() -> None:
    table = position_table(256, 64)
    shuffled = np.concatenate([table[128:], table[:128]])
    whole, parts = coding_gain(shuffled, "block_dct(128)"), coding_gain(shuffled, "block_dct(128)", [128, 128])
    assert whole == parts, "tiles end with the bands"
    assert coding_gain(table, "dct_2d") != coding_gain(table, "dct_2d", [128, 128])


def test_statistics() -> None:
    values = np.concatenate([np.full(999, 3.0), [3.0 + 1e-3]]) * 1e-30
    found = statistics(values)
    assert found.mean == pytest.approx(3e-30)
    assert found.outlier_share == 0.001
    assert found.max_sigmas == pytest.approx(math.sqrt(999), rel=1e-6)
    assert statistics(np.full((3, 5), 0.1)).std == 0
    assert statistics(np.array([1.0, np.nan, np.inf])).n_not_finite == 2
    huge = statistics(noise(100, 100).astype(np.float64) * 1e150)
    assert huge.excess_kurtosis == pytest.approx(0, abs=0.2)
    laplace = statistics(np.random.default_rng(0).laplace(size=10**6))
    assert laplace.excess_kurtosis == pytest.approx(3, abs=0.3)


# --- classes -------------------------------------------------------------------------------------------------------------------------

CLASSES = {
    "embedding": [
        "model.embed_tokens.weight",
        "transformer.wte.weight",
        "wpe.weight",
        "bert.embeddings.word_embeddings.weight",
        "pos_embed",
    ],
    "attention": [
        "model.layers.3.self_attn.q_proj.weight",
        "model.layers.3.self_attn.o_proj.weight",
        "transformer.h.0.attn.c_attn.weight",
        "h.0.attn.c_proj.weight",
        "bert.encoder.layer.0.attention.self.query.weight",
        "bert.encoder.layer.0.attention.output.dense.weight",
        "blocks.1.attn.qkv.weight",
        "layers.0.attention.wq.weight",
    ],
    "mlp": [
        "model.layers.3.mlp.gate_proj.weight",
        "model.layers.3.mlp.down_proj.weight",
        "transformer.h.0.mlp.c_fc.weight",
        "h.0.mlp.c_proj.weight",
        "bert.encoder.layer.0.intermediate.dense.weight",
        "bert.encoder.layer.0.output.dense.weight",
        "model.layers.0.block_sparse_moe.experts.7.w1.weight",
        "layers.0.feed_forward.w2.weight",
        "model.decoder.layers.0.fc1.weight",
    ],
    "other": ["lm_head.weight", "fc.weight", "linear.weight", "score.weight", "some.projection.weight", "output.weight"],
}


@pytest.mark.parametrize(("expected", "name"), [(kind, name) for kind, names in CLASSES.items() for name in names])
def test_classes_of_matrices(expected: str, name: str) -> None:
    assert class_of(SourceTensor(name, "F32", (64, 32), 0)) == expected


@pytest.mark.parametrize(
    ("expected", "name", "shape"),
    [
        ("norm", "model.layers.0.input_layernorm.weight", (64,)),
        ("norm", "model.norm.weight", (64,)),
        ("norm", "transformer.h.0.ln_1.bias", (64,)),
        ("norm", "bert.encoder.layer.0.attention.output.LayerNorm.weight", (64,)),
        ("norm", "model.layers.0.self_attn.q_norm.weight", (64,)),
        ("norm", "layer1.0.bn1.running_mean", (16,)),
        ("bias", "transformer.h.0.attn.c_attn.bias", (192,)),
        ("bias", "fc.bias", (10,)),
        ("other", "cls_token", (64,)),
        ("convolution", "layer1.0.conv1.weight", (16, 16, 3, 3)),
        ("convolution", "conv1.weight", (64, 3, 7, 7)),
        ("mlp", "model.layers.0.mlp.experts.down_proj", (8, 64, 32)),
    ],
)
def test_classes_of_other_shapes(expected: str, name: str, shape: tuple[int, ...]) -> None:
    assert class_of(SourceTensor(name, "F32", shape, 0)) == expected


# --- samples -------------------------------------------------------------------------------------------------------------------------


def test_a_small_tensor_is_its_own_sample() -> None:
    tensor = noise(4, 3, 5, 5)
    sample = take_sample(tensor)
    assert sample.whole
    assert sample.values is tensor
    assert sample.bands == [(0, 4)]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((4096, 32), (512, 32)), ((4096, 300), (54, 300)), ((3, 100000), (1, 16384)), ((70000,), (1, 16384)), ((16, 64, 512), (32, 512))],
)
def test_samples_are_bands_of_rows(shape: tuple[int, ...], expected: tuple[int, int]) -> None:
    tensor = np.arange(math.prod(shape), dtype=np.float32).reshape(shape)
    sample = take_sample(tensor, 16384)
    assert sample.values.shape == expected
    rows = tensor.reshape(-1, shape[-1])
    found = np.concatenate([rows[begin:end] for begin, end in sample.bands])[:, : expected[1]]
    np.testing.assert_array_equal(sample.values, found)
    assert all(begin % 128 == 0 for begin, _ in sample.bands)


def test_the_sample_of_a_convolution_is_whole_filters() -> None:
    sample = take_sample(noise(512, 64, 3, 3), 131072)
    assert sample.values.shape == (128, 64, 3, 3)


def test_a_sample_says_about_what_the_whole_says(tmp_path: Path) -> None:
    tensors = {"a.wte.weight": np.tile(position_table(256, 64), (8, 1)) + 0.3 * noise(2048, 64)}
    parts = [only(analyzed(tmp_path, tensors, retention=[0.5], bits=[], sample_elements=n))[1] for n in (1 << 17, 1 << 15)]
    whole, sampled = parts
    assert (whole.n_sampled, sampled.n_sampled) == (1 << 17, 1 << 15)
    assert sampled.statistics == whole.statistics, "of all values either way"
    assert sampled.points[0].snr_db == pytest.approx(whole.points[0].snr_db, abs=0.7)
    assert sampled.points[0].signal_energy == pytest.approx(whole.points[0].signal_energy, rel=0.1), "scaled up"


# --- models --------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """A tensor of each kind that is hard to measure, beside ordinary ones."""
    tensors = {
        "layers.0.attn.q_proj.weight": noise(64, 64).astype(np.float16),
        "layers.0.mlp.up.weight": noise(64, 64).astype(ml_dtypes.bfloat16),
        "layers.0.mlp.flat.weight": np.full((32, 32), 0.5, np.float32),
        "layers.0.mlp.zero.weight": np.zeros((32, 32), np.float32),
        "layers.0.mlp.odd.weight": noise(33, 7),
        "layers.0.ln_1.weight": 1 + 0.1 * noise(64),
        "layers.0.mlp.broken.weight": np.where(noise(16, 16) > 2, np.nan, 1).astype(np.float32),
        "layers.0.mlp.empty.weight": np.zeros((0, 4), np.float32),
        "conv.weight": noise(8, 4, 3, 3),
        "one": np.ones(1, np.float32),
        "scalar": np.array(2.5, np.float32),
        "counter": np.arange(5),
        "double.weight": noise(8, 8).astype(np.float64),
    }
    return analyzed(tmp_path_factory.mktemp("mixed"), tensors, retention=[0.5, 1.0], bits=[4])


def test_what_cannot_be_measured_is_said(mixed: Analysis) -> None:
    reasons = {tensor.name: tensor.not_analysed for tensor in mixed.not_analysed}
    n_broken = int((noise(16, 16) > 2).sum())
    assert reasons == {
        "layers.0.mlp.broken.weight": f"{n_broken} of 256 values are NaN or infinite",
        "layers.0.mlp.empty.weight": "no elements",
        "counter": "dtype I64: transforms are for BF16, F16, F32",
        "double.weight": "dtype F64: transforms are for BF16, F16, F32",
    }
    for name, reason in reasons.items():
        assert f"not analysed: {name}: {reason}" in mixed.table()


def test_tiny_and_constant_tensors_are_measured(mixed: Analysis) -> None:
    by_name = {tensor.name: tensor for tensor in mixed.tensors}
    for name in ("layers.0.mlp.flat.weight", "layers.0.mlp.zero.weight", "one", "scalar"):
        tensor = by_name[name]
        assert tensor.statistics.std == 0
        assert tensor.statistics.excess_kurtosis is None
        assert all(point.snr_db is None or point.snr_db > 60 for point in tensor.points), name
        assert all(gain.coding_gain_db is None for gain in tensor.gains)
    vector = by_name["layers.0.ln_1.weight"]
    assert vector.matrix == (1, 64)
    assert all(gain.coding_gain_db is None for gain in vector.gains), "64 values tell nothing about variances"
    assert vector.points[0].bits_per_weight > 16, "the header counts"
    assert by_name["conv.weight"].matrix in ((8, 36), (32, 9))


def test_every_class_has_a_point_a_setting(mixed: Analysis) -> None:
    assert [summary.name for summary in mixed.classes] == ["attention", "mlp", "convolution", "norm", "other"]
    for summary in mixed.classes:
        assert [(p.setting, p.asked) for p in summary.points] == [
            ("retention=0.5", "auto"),
            ("retention=1", "auto"),
            ("bits_per_weight=4", "auto"),
            ("bits_per_weight=4", "identity"),
        ]
        assert sum(summary.points[0].taken.values()) == summary.n_tensors


def test_the_sums_of_a_class_are_those_of_its_tensors(mixed: Analysis) -> None:
    (mlp,) = [summary for summary in mixed.classes if summary.name == "mlp"]
    tensors = [tensor for tensor in mixed.tensors if tensor.tensor_class == "mlp" and not tensor.not_analysed]
    signal, error = (sum(getattr(tensor.points[0], name) for tensor in tensors) for name in ("signal_energy", "error_energy"))
    assert mlp.points[0].snr_db == pytest.approx(10 * math.log10(signal / error))
    bits = sum(tensor.points[0].bits_per_weight * tensor.n_elements for tensor in tensors)
    assert mlp.points[0].bits_per_weight == pytest.approx(bits / mlp.n_elements)


def class_with(*taken: dict[str, int]) -> ClassAnalysis:
    """A class at as many settings."""
    points = [PointSummary(f"retention=0.{i}", "auto", 3.0, 0.9, 7.0, one, (0.1, 0.25)) for i, one in enumerate(taken, 1)]
    return ClassAnalysis("mlp", sum(taken[0].values()), 100, 100, None, None, None, {}, [], points)


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ([{"identity": 3}, {"identity": 3}], "auto takes identity for all 3 tensors at every setting"),
        ([{"dct_rows": 1}], "auto takes dct_rows for the tensor at every setting"),
        ([{"dct_rows": 1}, {"identity": 1}], "auto takes dct_rows or identity, depending on the setting"),
        ([{"identity": 2, "dct_2d": 1}, {"dct_2d": 3}], "auto keeps the identity for 0 to 2 of 3 tensors, depending on the setting"),
        ([{"identity": 2, "dct_2d": 1}], "auto keeps the identity for 2 of 3 tensors"),
    ],
)
def test_what_auto_does_in_a_line(taken: list[dict[str, int]], expected: str) -> None:
    assert auto_line(class_with(*taken)) == f"{expected}; the largest gain it measured is +0.25 dB"


def test_json_and_csv_hold_everything(mixed: Analysis) -> None:
    assert Analysis.from_json(mixed.to_json()) == mixed
    rows = list(csv.DictReader(io.StringIO(mixed.to_csv())))
    assert list(rows[0]) == ["class", "tensor", "quantity", "transform", "at", "value", "unit"]
    keys = ("tensor", "quantity", "transform", "at")
    values = {tuple(row[key] for key in keys): float(row["value"]) for row in rows if row["class"] == "attention"}
    (tensor,) = [tensor for tensor in mixed.tensors if tensor.tensor_class == "attention"]
    assert values[tensor.name, "SNR", "auto", "retention=0.5"] == tensor.points[0].snr_db
    assert values["", "SNR", "auto", "retention=0.5"] == pytest.approx(tensor.points[0].snr_db)
    assert values[tensor.name, "energy", "dct_rows", "0.3"] == tensor.energy["dct_rows"][2]
    assert values[tensor.name, "coding gain", "dct_rows", ""] == tensor.gains[1].coding_gain_db


def test_a_point_is_what_encode_says(tmp_path: Path) -> None:
    weight = noise(64, 128)
    _, tensor = only(analyzed(tmp_path, {"a.weight": weight}, retention=[0.3], bits=[3]))
    for point in tensor.points:
        parameter, value = point.setting.split("=")
        record = haagenti.encode(weight, "spectral", **{parameter: value}, transform=point.asked)
        assert (point.snr_db, point.cosine) == (record.error.snr_db, record.error.cosine)
        assert (point.bits_per_weight, point.transform) == (record.bits_per_weight, record.transform)
        restored = haagenti.quality(weight, haagenti.decode(record))
        assert point.snr_db == pytest.approx(restored.snr_db, abs=1e-6)


def test_the_columns_of_gpt2s_matrices_are_rows(tmp_path: Path) -> None:
    tensors = {"h.0.attn.c_attn.weight": noise(32, 96), "h.0.mlp.c_fc.weight": noise(32, 128)}
    analysis = analyzed(tmp_path, tensors, retention=[0.5], bits=[])
    assert [tensor.matrix for tensor in analysis.tensors] == [(96, 32), (128, 32)]


def test_the_embedded_model_twice_gives_the_same(tmp_path: Path) -> None:
    first, second = (haagenti.analyze(STORIES, retention=[0.5], bits=[]) for _ in range(2))
    assert (first.tensors, first.classes) == (second.tensors, second.classes)
    assert {summary.name: summary.n_tensors for summary in first.classes} == {"embedding": 1, "attention": 20, "mlp": 15, "norm": 11}


def test_progress_is_told_and_may_interrupt(tmp_path: Path) -> None:
    tensors = {f"{name}.weight": noise(32, 32) for name in "abc"}
    told: list[tuple[int, int, str]] = []
    analyzed(tmp_path, tensors, retention=[0.5], bits=[], progress=lambda *args: told.append(args))
    assert told == [(4096 * i, 12288, f"{name}.weight") for i, name in enumerate("abc", 1)]

    def interrupt(done: int, total: int, name: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        analyzed(tmp_path, tensors, retention=[0.5], bits=[], progress=interrupt)


@pytest.mark.parametrize(
    "options",
    [{"retention": [0]}, {"retention": [1.5]}, {"retention": [math.nan]}, {"bits": [65]}, {"bits": [-1]}, {"sample_elements": 0}],
)
def test_arguments_out_of_range_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(haagenti.InvalidArgumentError, match=next(iter(options))):
        haagenti.analyze(STORIES, **options)
