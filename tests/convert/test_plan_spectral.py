"""Plans and conversions with transforms: the preset ``spectral``, rules with parentheses, what reports say of the choice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import haagenti
import haagenti.numpy
from haagenti.planning.encodings import expected_record_bytes
from haagenti.planning.rules import parse_rules

MODEL = Path(__file__).parent.parent / "models" / "stories260K"
RNG = np.random.default_rng(3)


def smooth(rows: int, cols: int) -> np.ndarray:
    """A table of sines, as learned positions often are."""
    positions = np.arange(rows)[:, None] / 100.0 ** (np.arange(cols) / cols)
    return np.sin(positions).astype(np.float32)


def test_preset_spectral(tmp_path: Path) -> None:
    report = haagenti.convert(MODEL, tmp_path / "out", preset="spectral")
    rows = {row.name: row for row in report.rows}
    embedding = rows["model.embed_tokens.weight"]
    assert embedding.encoding.startswith('spectral(bits_per_weight=6, coefficients="int8"')
    assert embedding.transform_gain is not None
    assert embedding.transform_gain > 1
    assert 'transform="identity"' not in embedding.encoding
    assert f"best transform measured: {embedding.transform_gain:+.2f} dB" in report.table()
    assert rows["model.layers.0.self_attn.k_proj.weight"].encoding.startswith("int8")  # 32 x 64: its record would be all header
    inspection = haagenti.inspect(tmp_path / "out")
    assert "gain dB" in inspection.table().splitlines()[0]
    assert {row.name: row.transform_gain for row in inspection.rows} == {row.name: row.transform_gain for row in report.rows}
    assert haagenti.verify(tmp_path / "out", against=MODEL).ok


def test_reasons() -> None:
    entries = {entry.name: entry for entry in haagenti.plan(MODEL, preset="spectral").entries}
    assert entries["model.layers.0.mlp.up_proj.weight"].reason.startswith("linear of fewer than 16384 elements: int8 in preset spectral")
    ruled = haagenti.plan(MODEL, rules={".*up_proj.*": "spectral(bits_per_weight=4)"}).entries
    [one] = {entry.encoding for entry in ruled if "up_proj" in entry.name}
    assert one == 'spectral(bits_per_weight=4, coefficients="int4")'


@pytest.mark.parametrize(
    ("text", "regex", "encoding"),
    [
        (".*embed.*=spectral(bits_per_weight=4)", ".*embed.*", 'spectral(bits_per_weight=4, coefficients="int4")'),
        (".*=int4(transform=hadamard(128))", ".*", 'int4(group_size=32, transform="hadamard(128)")'),
        ('(?=x).*=int8(transform="hadamard(64, seed=3)")', "(?=x).*", 'int8(group_size="row", transform="hadamard(64, seed=3)")'),
    ],
)
def test_rules_with_transforms(text: str, regex: str, encoding: str) -> None:
    [rule] = parse_rules([text])
    assert (rule.regex, rule.encoding) == (regex, encoding)


@pytest.mark.parametrize("text", ["int4(transform=hadamard(100))", "int4(transform=dct)", "spectral(retention=0)", "spectral(retention=2)"])
def test_bad_parameters(text: str) -> None:
    with pytest.raises(haagenti.InvalidArgumentError, match="expected"):
        parse_rules([f".*={text}"])


def test_targets_exclude_each_other() -> None:
    for text, params in (("spectral(retention=0.5, energy=0.9)", {}), ("spectral", {"retention": 0.5, "energy": 0.9})):
        with pytest.raises(haagenti.InvalidArgumentError, match="exclude each other"):
            haagenti.encode(smooth(8, 8), text, **params)
    assert haagenti.encode(smooth(64, 64), "spectral(retention=0.5)", energy=0.9).encoding.startswith("spectral(energy=0.9,")


@pytest.mark.parametrize("encoding", ["int4(transform=hadamard(128))", "spectral(transform=hadamard(128))"])
def test_blocks_that_do_not_fit_a_tensor(tmp_path: Path, encoding: str) -> None:
    """A rule for many tensors leaves the transform out where its block does not divide the rows."""
    tensors = {"up.weight": smooth(64, 256), "conv.weight": RNG.standard_normal((64, 32, 3, 3)).astype(np.float32)}
    haagenti.numpy.save_file(tensors, tmp_path / "a.safetensors", encoding="plain")
    entries = {entry.name: entry for entry in haagenti.plan(tmp_path / "a.safetensors", rules={".*": encoding}).entries}
    assert "hadamard(128)" in entries["up.weight"].encoding
    assert "hadamard" not in entries["conv.weight"].encoding
    assert "do not divide the rows of this tensor" in entries["conv.weight"].reason
    report = haagenti.convert(tmp_path / "a.safetensors", tmp_path / "out.hct", rules={".*": encoding})
    assert len(report.rows) == 2


@pytest.mark.parametrize("encoding", ["spectral(bits_per_weight=3)", "spectral", "spectral(retention=0.3, coefficients=f16)"])
def test_expected_bytes(encoding: str) -> None:
    x = RNG.standard_normal((512, 512)).astype(np.float32)
    assert expected_record_bytes(encoding, "F32", x.shape, None) == pytest.approx(haagenti.encode(x, encoding).n_bytes, rel=0.03)


def test_files_have_room_for_what_auto_takes(tmp_path: Path) -> None:
    """The space for a shard's header is reserved before the transforms are chosen."""
    tensors = {f"t{i}.weight": smooth(64, 256) for i in range(40)}
    haagenti.numpy.save_file(tensors, tmp_path / "a.safetensors", encoding="spectral")
    read = haagenti.numpy.load_file(tmp_path / "a.safetensors")
    assert set(read) == set(tensors)
    assert haagenti.quality(tensors["t0.weight"], read["t0.weight"]).snr_db > 20


def test_convolutions_take_the_better_matrix() -> None:
    """Smooth kernels far from each other: rows of single kernels gain, rows of whole filters do not."""
    bumps = np.outer([1.0, 2.0, 1.0], [1.0, 2.0, 1.0]).astype(np.float32)
    x = RNG.standard_normal((64, 32, 1, 1)).astype(np.float32) * bumps
    x += 0.01 * RNG.standard_normal(x.shape).astype(np.float32)
    chosen = haagenti.encode(x, "spectral", bits_per_weight=2.0)
    filters = haagenti.encode(x, "spectral", bits_per_weight=2.0, matrix="first")
    kernels = haagenti.encode(x, "spectral", bits_per_weight=2.0, matrix="kernels")
    assert kernels.matrix.row_length == 9
    assert chosen.error is not None
    assert filters.error is not None
    assert kernels.error is not None
    assert chosen.error.snr_db == max(filters.error.snr_db, kernels.error.snr_db)
    np.testing.assert_array_equal(haagenti.decode(chosen).shape, x.shape)
