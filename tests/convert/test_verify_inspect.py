"""Verification finds every kind of damage and every difference; inspection states what is stored."""

from __future__ import annotations

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from checkpoints import OUTPUTS, every_dtype, save_model, save_shard, tiny_llama, weights

import haagenti
from haagenti import IoError
from haagenti.files.safetensors_file import SafetensorsReader
from haagenti.sources import open_source

UP = "model.layers.0.mlp.up_proj.weight"


def weight_file(path: Path) -> Path:
    return path / "model.safetensors" if path.is_dir() else path


def flip(path: Path, place: int) -> None:
    content = bytearray(weight_file(path).read_bytes())
    content[place] ^= 0x10
    weight_file(path).write_bytes(content)


def place_of(path: Path, name: str) -> int:
    """Offset of a record in its file."""
    if path.suffix == ".hct":
        return haagenti._core.HctReader(str(path)).span(name)[0]
    return SafetensorsReader(weight_file(path)).info(name).offset


@pytest.mark.parametrize("out", OUTPUTS)
@pytest.mark.parametrize("preset", ["lossless", "int8", "int4"])
def test_whole(tmp_path: Path, out: str, preset: str) -> None:
    tensors = every_dtype() | tiny_llama()
    source = save_model(tmp_path / "m", tensors)
    haagenti.convert(source, tmp_path / out, preset=preset)
    alone = haagenti.verify(tmp_path / out)
    assert alone.ok
    assert (alone.n_tensors, alone.n_records + alone.n_plain, alone.n_equal, alone.n_lossy) == (len(tensors), len(tensors), 0, 0)
    calls: list[tuple[int, int, str]] = []
    compared = haagenti.verify(tmp_path / out, source, lambda *call: calls.append(call))
    assert compared.ok
    assert compared.failures == []
    assert compared.n_equal + compared.n_lossy == len(tensors)
    assert (compared.n_lossy > 0) == (preset != "lossless")
    assert calls[-1][0] == calls[-1][1] == sum(array.nbytes for array in tensors.values())
    assert json.loads(compared.to_json())["ok"] is True


@pytest.mark.parametrize("out", OUTPUTS)
def test_every_segment_is_checked(llama: Path, tmp_path: Path, out: str) -> None:
    haagenti.convert(llama, tmp_path / out)
    start = place_of(tmp_path / out, UP)
    with open_source(tmp_path / out) as source:
        record = source.record(UP)
    assert record is not None
    for i, segment in enumerate(record.view.segments):
        flip(tmp_path / out, start + segment["offset"] + segment["n_bytes"] // 2)
        report = haagenti.verify(tmp_path / out)
        assert not report.ok
        assert len(report.failures) == 1
        assert UP in report.failures[0]
        assert f"chunk 0 of segment {i}" in report.failures[0]
        flip(tmp_path / out, start + segment["offset"] + segment["n_bytes"] // 2)
    assert haagenti.verify(tmp_path / out).ok


@pytest.mark.parametrize("out", OUTPUTS)
def test_damaged_record_header(llama: Path, tmp_path: Path, out: str) -> None:
    haagenti.convert(llama, tmp_path / out)
    start = place_of(tmp_path / out, UP)
    for offset in (0, 4, 24, 64, 120, 130):
        flip(tmp_path / out, start + offset)
        report = haagenti.verify(tmp_path / out)
        assert not report.ok
        assert UP in report.failures[0]
        flip(tmp_path / out, start + offset)


@pytest.mark.parametrize("out", OUTPUTS)
def test_truncated(llama: Path, tmp_path: Path, out: str) -> None:
    haagenti.convert(llama, tmp_path / out)
    content = weight_file(tmp_path / out).read_bytes()
    for n in (0, 7, 100, len(content) // 2, len(content) - 1):
        weight_file(tmp_path / out).write_bytes(content[:n])
        report = haagenti.verify(tmp_path / out)
        assert not report.ok
        assert weight_file(tmp_path / out).name in report.failures[0]


@pytest.mark.parametrize("field", ["dtype", "shape", "encoding"])
def test_lying_metadata(llama: Path, tmp_path: Path, field: str) -> None:
    """The file's metadata says something else than the record."""
    haagenti.convert(llama, tmp_path / "out")
    file = tmp_path / "out" / "model.safetensors"
    old, new = {"dtype": (b"BF16", b"BF17"), "shape": (b"[160,96]", b"[96,160]"), "encoding": (b"int4(", b"int8(")}[field]
    before, name, after = file.read_bytes().partition(UP.encode())  # its first mention is in the metadata
    file.write_bytes(before + name + after.replace(old, new, 1))
    report = haagenti.verify(tmp_path / "out")
    assert not report.ok
    assert UP in report.failures[0]
    assert field in report.failures[0]


class TestAgainst:
    """Differences from the original."""

    def failures(self, llama: Path, tmp_path: Path, changed: dict[str, np.ndarray], preset: str = "int4") -> list[str]:
        haagenti.convert(llama, tmp_path / "out", preset=preset)
        return haagenti.verify(tmp_path / "out", save_model(tmp_path / "changed", changed)).failures

    @pytest.mark.parametrize("preset", ["lossless", "int4"])
    def test_one_value(self, llama: Path, tmp_path: Path, preset: str) -> None:
        changed = tiny_llama()
        changed[UP][5, 7] *= 1.5
        (failure,) = self.failures(llama, tmp_path, changed, preset)
        assert UP in failure
        assert ("byte 974 differs" if preset == "lossless" else "the record states") in failure  # (5 * 96 + 7) * 2

    def test_plain_tensor(self, llama: Path, tmp_path: Path) -> None:
        changed = tiny_llama()
        changed["model.norm.weight"][3] = 2
        (failure,) = self.failures(llama, tmp_path, changed)
        assert "'model.norm.weight': plain loses nothing" in failure

    def test_names(self, llama: Path, tmp_path: Path) -> None:
        changed = tiny_llama()
        changed["extra"] = changed.pop("model.norm.weight")
        assert self.failures(llama, tmp_path, changed) == [
            "tensor 'extra': is in the original and missing here",
            "tensor 'model.norm.weight': is not in the original",
        ]

    def test_shape_and_dtype(self, llama: Path, tmp_path: Path) -> None:
        changed = tiny_llama()
        changed[UP] = changed[UP].T
        changed["lm_head.weight"] = changed["lm_head.weight"].astype(np.float32)
        failures = self.failures(llama, tmp_path, changed)
        assert sorted(failures) == [
            "tensor 'lm_head.weight': dtype: expected F32, found BF16",
            f"tensor {UP!r}: shape: expected (96, 160), found (160, 96)",
        ]

    def test_key(self, tmp_path: Path) -> None:
        torch = pytest.importorskip("torch")
        torch.save({"state_dict": {"a.weight": torch.tensor(weights((128, 128)))}, "epoch": 3}, tmp_path / "a.pt")
        haagenti.convert(tmp_path / "a.pt", tmp_path / "a.hct", key="state_dict")
        assert haagenti.verify(tmp_path / "a.hct", tmp_path / "a.pt", key="state_dict").ok
        assert not haagenti.verify(tmp_path / "a.hct", tmp_path / "a.pt").ok

    def test_missing_paths(self, llama: Path, tmp_path: Path) -> None:
        haagenti.convert(llama, tmp_path / "out")
        with pytest.raises(IoError):
            haagenti.verify(tmp_path / "nowhere")
        with pytest.raises(IoError):
            haagenti.verify(tmp_path / "out", tmp_path / "nowhere")


@pytest.mark.parametrize("out", OUTPUTS)
def test_inspect(llama: Path, tmp_path: Path, out: str) -> None:
    report = haagenti.convert(llama, tmp_path / out)
    inspection = haagenti.inspect(tmp_path / out)
    written = {row.name: row for row in report.rows}
    assert {row.name for row in inspection.rows} == set(written)
    for row in inspection.rows:
        assert (row.dtype, row.shape, row.source_bytes) == (
            written[row.name].dtype,
            written[row.name].shape,
            written[row.name].source_bytes,
        )
        assert row.error == written[row.name].error
        assert (row.encoding, row.n_bytes) == (written[row.name].encoding, written[row.name].n_bytes)
    totals = inspection.totals
    assert totals.n_elements == sum(array.size for array in tiny_llama().values())
    assert totals.stored_bytes == report.stored_bytes == weight_file(tmp_path / out).stat().st_size
    assert totals.bits_per_weight == report.bits_per_weight
    assert totals.linear_bits_per_weight == report.linear_bits_per_weight
    assert totals.snr_db == pytest.approx(report.snr_db)
    content = json.loads(inspection.to_json())
    assert content["totals"]["n_tensors"] == len(written)
    assert content["rows"][0]["bits_per_weight"] > 0
    assert UP in inspection.table()
    assert UP in inspection._repr_html_()


def test_inspect_plain_files(tmp_path: Path) -> None:
    save_shard(
        tmp_path / "a.safetensors", {"w": weights((4, 4), ml_dtypes.bfloat16), "empty": np.zeros((0, 3), np.float32)}, {"author": "me"}
    )
    inspection = haagenti.inspect(tmp_path / "a.safetensors")
    assert {row.name: (row.encoding, row.bits_per_weight) for row in inspection.rows} == {"w": ("plain", 16.0), "empty": ("plain", 0.0)}
    assert inspection.metadata == {"author": "me"}
    assert inspection.totals.encodings == {"plain": 2}
    assert inspection.totals.snr_db is None


def test_control_characters_of_names_are_escaped(tmp_path: Path) -> None:
    save_shard(tmp_path / "a.safetensors", {"evil\x1b[2J\n.weight": weights((64, 64))})
    report = haagenti.convert(tmp_path / "a.safetensors", tmp_path / "out.hct")
    listed = haagenti.inspect(tmp_path / "out.hct")
    for text in (report.table(), report._repr_html_(), listed.table(), haagenti.plan(tmp_path / "out.hct").table()):
        assert "\x1b" not in text
        assert "evil\\x1b[2J\\n.weight" in text


def test_failures_are_in_order(tmp_path: Path) -> None:
    one, other = ({f"{kind}{i}": weights((4, 4)) for i in range(20)} for kind in "ab")
    failures = haagenti.verify(save_model(tmp_path / "one", one), save_model(tmp_path / "other", other)).failures
    assert failures[:20] == sorted(failures[:20])
    assert failures[20:] == sorted(failures[20:])
