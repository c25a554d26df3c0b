"""Conversion: nothing is lost, fallbacks, the quality gate, edited plans, the report."""

from __future__ import annotations

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from checkpoints import (
    OUTPUTS,
    assert_equal,
    contents,
    every_dtype,
    save_model,
    tiny_llama,
    weights,
)

import haagenti
from haagenti import InvalidArgumentError, QualityGateError
from haagenti.files.safetensors_file import SafetensorsReader, SafetensorsWriter, TensorSpec, header_size
from haagenti.planning import Plan
from haagenti.sources import open_source

UP = "model.layers.0.mlp.up_proj.weight"


class TestRoundTrips:
    """Back and forth."""

    @pytest.mark.parametrize("out", OUTPUTS)
    def test_lossless_and_back(self, tmp_path: Path, out: str) -> None:
        tensors = every_dtype() | tiny_llama()
        source = save_model(tmp_path / "m", tensors)
        haagenti.convert(source, tmp_path / out, preset="lossless")
        assert_equal(contents(tmp_path / out), tensors)
        haagenti.convert(tmp_path / out, tmp_path / "dense", preset="dense")
        assert_equal(contents(tmp_path / "dense"), tensors)
        assert not SafetensorsReader(tmp_path / "dense" / "model.safetensors").metadata.keys() - {"format"}

    @pytest.mark.parametrize("out", OUTPUTS)
    def test_elements_of_four_bits(self, tmp_path: Path, out: str) -> None:
        codes = np.random.default_rng(0).integers(0, 4, 64 * 48).astype(np.uint8)  # two elements a byte
        source = tmp_path / "a.safetensors"
        with SafetensorsWriter(source, header_size=header_size([TensorSpec("w", "F4", (64, 96))])) as writer:
            writer.append("w", codes, dtype="F4", shape=(64, 96))
        report = haagenti.convert(source, tmp_path / out, preset="int4")
        assert report.rows[0].encoding == 'raw(codec="zstd")'
        assert contents(tmp_path / out)["w"].tobytes() == codes.tobytes()
        assert haagenti.verify(tmp_path / out, source).ok

    @pytest.mark.parametrize("preset", ["int8", "int4"])
    @pytest.mark.parametrize("out", OUTPUTS)
    def test_lossy_decodes_as_its_records(self, llama: Path, tmp_path: Path, preset: str, out: str) -> None:
        report = haagenti.convert(llama, tmp_path / out, preset=preset)
        haagenti.convert(tmp_path / out, tmp_path / "dense", preset="dense")
        dense = contents(tmp_path / "dense")
        assert_equal(dense, contents(tmp_path / out))
        for row in report.rows:
            original = tiny_llama()[row.name]
            restored = dense[row.name].view(original.dtype).reshape(original.shape)
            if row.error is None:
                assert restored.tobytes() == original.tobytes()
            else:
                assert row.error.snr_db == pytest.approx(haagenti.quality(original, restored).snr_db, abs=1e-4)

    def test_conv1d(self, tmp_path: Path) -> None:
        tensors = {"h.0.mlp.c_fc.weight": weights((96, 384)), "h.0.attn.c_attn.weight": weights((96, 288), seed=1)}
        save_model(tmp_path / "m", tensors, config={"model_type": "gpt2"})
        haagenti.convert(tmp_path / "m", tmp_path / "out")
        with open_source(tmp_path / "out") as source:
            record = source.record("h.0.mlp.c_fc.weight")
        assert record is not None
        assert (record.matrix.perm, record.matrix.n_rows, record.matrix.row_length, record.shape) == ((1, 0), 384, 96, (96, 384))
        assert haagenti.quality(tensors["h.0.mlp.c_fc.weight"], haagenti.decode(record)).snr_db > 20
        assert haagenti.verify(tmp_path / "out", tmp_path / "m").ok

    def test_same_bytes_every_time(self, sharded: Path, llama: Path, tmp_path: Path) -> None:
        haagenti.convert(sharded, tmp_path / "a")
        haagenti.convert(llama, tmp_path / "b")
        one, two = (SafetensorsReader(tmp_path / name / "model.safetensors") for name in "ab")
        assert {name: bytes(one.raw(name)) for name in one.names()} == {name: bytes(two.raw(name)) for name in two.names()}


class TestFallbacks:
    """Tensors that cannot be stored as planned."""

    @pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
    @pytest.mark.parametrize("out", OUTPUTS)
    def test_values_that_lossy_encodings_cannot_hold(self, tmp_path: Path, value: float, out: str) -> None:
        tensors = tiny_llama(np.float32)
        tensors[UP][3, 5] = value
        report = haagenti.convert(save_model(tmp_path / "m", tensors), tmp_path / out)
        row = next(row for row in report.rows if row.name == UP)
        assert row.encoding == 'raw(codec="zstd")'
        assert row.fallback
        assert row.fallback in report.table()
        assert contents(tmp_path / out)[UP].tobytes() == tensors[UP].tobytes()
        assert haagenti.verify(tmp_path / out, tmp_path / "m").ok

    def test_what_does_not_compress_is_plain(self, tmp_path: Path) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (256, 256)).astype(np.uint8)
        report = haagenti.convert(save_model(tmp_path / "m", {"noise.weight": noise}), tmp_path / "out", preset="lossless")
        assert report.rows[0].encoding == "plain"
        assert "is not smaller than 65536" in report.rows[0].fallback
        assert "quantization_config" not in json.loads((tmp_path / "out" / "config.json").read_text())

    def test_vectors_are_plain_in_a_directory(self, llama: Path, tmp_path: Path) -> None:
        rules = {r".*bias": "int8"}
        rows = {row.name: row for row in haagenti.convert(llama, tmp_path / "out", rules=rules).rows}
        bias = rows["model.layers.0.self_attn.q_proj.bias"]
        assert bias.encoding == "plain"


class TestQualityGate:
    """min_snr."""

    @pytest.mark.parametrize("out", OUTPUTS)
    def test_below(self, llama: Path, tmp_path: Path, out: str) -> None:
        with pytest.raises(QualityGateError, match=r"tensor 'model\..*': expected an SNR of at least 30 dB, found 2\d\.\d\d dB with int4"):
            haagenti.convert(llama, tmp_path / out, min_snr=30)
        assert {path.name for path in tmp_path.iterdir()} == {"llama"}

    def test_above(self, llama: Path, tmp_path: Path) -> None:
        assert haagenti.convert(llama, tmp_path / "out", min_snr=15).snr_db > 15  # type: ignore[operator]
        haagenti.convert(llama, tmp_path / "lossless", preset="lossless", min_snr=1000)

    def test_tensors_of_zeros_lose_nothing(self, tmp_path: Path) -> None:
        report = haagenti.convert(save_model(tmp_path / "m", {"a.weight": np.zeros((128, 128), np.float32)}), tmp_path / "out", min_snr=90)
        assert report.rows[0].snr_db == float("inf")
        assert json.loads(report.to_json())["rows"][0]["snr_db"] is None


class TestPlans:
    """Converting with a plan."""

    def test_edited(self, llama: Path, tmp_path: Path) -> None:
        plan = haagenti.plan(llama, preset="lossless")
        content = json.loads(plan.to_json())
        for entry in content["entries"]:
            if entry["name"] == UP:
                entry["encoding"] = "int4(group_size=128)"
        report = haagenti.convert(llama, tmp_path / "out", Plan.from_json(json.dumps(content)))
        assert {row.name: row.encoding for row in report.rows}[UP] == "int4(group_size=128)"
        assert report.preset == "lossless"

    def test_of_another_checkpoint(self, llama: Path, tmp_path: Path) -> None:
        other = save_model(tmp_path / "other", tiny_llama(np.float32))
        smaller = save_model(tmp_path / "smaller", {"model.norm.weight": np.ones(96, ml_dtypes.bfloat16)})
        with pytest.raises(InvalidArgumentError, match="dtype: the source has 'BF16', the plan 'F32'"):
            haagenti.convert(llama, tmp_path / "out", haagenti.plan(other))
        with pytest.raises(InvalidArgumentError, match="no entry for tensor"):
            haagenti.convert(llama, tmp_path / "out", haagenti.plan(smaller))
        with pytest.raises(InvalidArgumentError, match="the source has no tensor"):
            haagenti.convert(smaller, tmp_path / "out", haagenti.plan(llama))
        with pytest.raises(InvalidArgumentError, match="a plan is given"):
            haagenti.convert(llama, tmp_path / "out", haagenti.plan(llama), rules={".*": "raw"})
        assert not (tmp_path / "out").exists()


class TestReport:
    """What convert returns."""

    def test_sizes(self, llama: Path, tmp_path: Path) -> None:
        report = haagenti.convert(llama, tmp_path / "out", rules={"never": "raw"})
        stored = {t.name: t.stored_bytes for t in open_source(tmp_path / "out").tensors()}
        assert {row.name: row.n_bytes for row in report.rows} == stored
        assert report.source_bytes == sum(array.nbytes for array in tiny_llama().values())
        assert report.stored_bytes == (tmp_path / "out" / "model.safetensors").stat().st_size
        linear = [row for row in report.rows if "proj.weight" in row.name]
        assert report.linear_bits_per_weight == pytest.approx(
            8 * sum(r.n_bytes for r in linear) / sum(tiny_llama()[r.name].size for r in linear)
        )
        assert report.bits_per_weight == pytest.approx(8 * report.stored_bytes / sum(array.size for array in tiny_llama().values()))
        assert report.seconds > 0

    def test_forms(self, llama: Path, tmp_path: Path) -> None:
        (llama / "pytorch_model.bin").write_bytes(b"1234")
        report = haagenti.convert(llama, tmp_path / "out", rules={"nev<er": "raw"})
        content = json.loads(report.to_json())
        assert [row["name"] for row in content["rows"]] == list({t.name: 0 for t in open_source(llama).tensors()})
        assert content["totals"]["bits_per_weight"] == report.bits_per_weight
        assert content["left_out"][0]["path"] == "pytorch_model.bin"
        table, html = report.table(), report._repr_html_()
        for text in (UP, "int4(group_size=32)", "left out: pytorch_model.bin (4 B): weights in another format"):
            assert text in table
            assert text in html
        assert "rule without effect: nev<er" in table
        assert "nev&lt;er" in html

    def test_progress(self, sharded: Path, tmp_path: Path) -> None:
        calls: list[tuple[int, int, str]] = []
        haagenti.convert(sharded, tmp_path / "out", progress=lambda *call: calls.append(call))
        total = sum(array.nbytes for array in tiny_llama().values())
        assert [name for _, _, name in calls] == [t.name for t in open_source(sharded).tensors()]
        assert [done for done, _, _ in calls] == sorted(done for done, _, _ in calls)
        assert calls[-1][:2] == (total, total)
