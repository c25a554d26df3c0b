"""``haagenti analyze``: its options, what it prints and writes, and the code that it ends with."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import haagenti
import haagenti.numpy
from haagenti.cli import analyze
from haagenti.cli.analyze import spread
from haagenti.cli.run import run
from haagenti.reporting.analysis import Analysis, measure
from haagenti.reporting.analysis.sample import DEFAULT_ELEMENTS

STORIES = Path(__file__).parent / "models" / "stories260K"
PNG = b"\x89PNG\r\n\x1a\n"

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a matrix, a vector and numbers that cannot be measured."""
    path = tmp_path_factory.mktemp("analyze") / "small.safetensors"
    weight = np.random.default_rng(0).standard_normal((64, 64), np.float32)
    tensors = {"layers.0.mlp.up.weight": weight, "layers.0.norm.weight": weight[0], "positions": np.arange(4)}
    haagenti.numpy.save_file(tensors, path, encoding="plain")
    return path


def test_the_embedded_model_is_analysed(capsys: Captured, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.json", "a.csv", "a.png")]
    options = ["--retention", ".3", ".7", "--bits", "3", "--json", str(files[0]), "--csv", str(files[1]), "--plot", str(files[2])]
    assert run(["analyze", str(STORIES), *options]) == 0
    captured = capsys.readouterr()
    for heading in ("EMBEDDING: 1 tensor,", "ATTENTION: 20 tensors,", "MLP: 15 tensors,", "NORM: 11 tensors,"):
        assert heading in captured.out
    assert len(re.findall(r"^auto (takes|keeps) ", captured.out, re.MULTILINE)) == 4
    assert "i.i.d. Gaussian" in captured.out
    assert re.search(r"^3 bits +identity +\d", captured.out, re.MULTILINE)
    assert max(map(len, captured.out.splitlines())) <= 160
    assert [line for line in captured.err.splitlines() if line.startswith("written")] == [f"written: {path}" for path in files]
    analysis = Analysis.from_json(files[0].read_bytes())
    assert [point.setting for point in analysis.classes[0].points] == ["retention=0.3", "retention=0.7"] + ["bits_per_weight=3"] * 2
    assert files[1].read_text().startswith("class,tensor,quantity,transform,at,value,unit\nembedding,,elements,,,32768,\n")
    assert files[2].read_bytes().startswith(PNG)


def test_the_defaults_are_those_of_the_function() -> None:
    assert tuple(analyze.DEFAULT_RETENTION) == measure.RETENTION
    assert tuple(analyze.DEFAULT_BITS) == measure.BITS
    assert analyze.DEFAULT_SAMPLE == DEFAULT_ELEMENTS


def test_nothing_is_written_unasked(small: Path, capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["analyze", str(small), "--retention", "0.5", "--bits", "4"]) == 0
    assert list(tmp_path.iterdir()) == []
    assert "not analysed: positions: dtype I64" in capsys.readouterr().out


def test_a_model_without_anything_to_measure_has_a_report_and_a_picture(capsys: Captured, tmp_path: Path) -> None:
    haagenti.numpy.save_file({"n": np.arange(3)}, tmp_path / "n.safetensors", encoding="plain")
    assert run(["analyze", str(tmp_path / "n.safetensors"), "--plot", str(tmp_path / "n.png"), "--json", str(tmp_path / "n.json")]) == 0
    assert "0 tensors in 0 classes" in capsys.readouterr().out
    assert (tmp_path / "n.png").read_bytes().startswith(PNG)
    assert json.loads((tmp_path / "n.json").read_text())["classes"] == []


def test_a_converted_model_is_analysed(small: Path, capsys: Captured, tmp_path: Path) -> None:
    haagenti.convert(small, tmp_path / "small.hct", preset="int8")
    assert run(["analyze", str(tmp_path / "small.hct"), "--retention", "0.5", "--bits", "4"]) == 0
    assert "MLP: 1 tensor, 4096 weights" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options",
    [
        ["--retention", "0"],
        ["--retention", "0.5", "1.5"],
        ["--retention", "nan"],
        ["--retention", "most"],
        ["--bits", "65"],
        ["--sample", "1"],
        ["--plot", "a.txt"],
        ["--plot", "missing/a.png"],
        ["--json", "missing/a.json"],
    ],
)
def test_wrong_usage_ends_with_2(
    options: list[str], small: Path, capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["analyze", str(small), *options]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Usage" in captured.err
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_model_ends_with_1(capsys: Captured, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "missing", tmp_path / "notes.txt", tmp_path / "folder"):
        assert run(["analyze", str(path)]) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("haagenti: ")
        assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["m", "--bits", "3", "4"], ["m", "--bits", "3", "--bits", "4"]),
        (["--bits", "3", "4", "--", "5"], ["--bits", "3", "--bits", "4", "--", "5"]),
        (["--retention", ".3", "m"], ["--retention", ".3", "m"]),
        (["--sample", "9999", "4"], ["--sample", "9999", "4"]),
        (["--bits=3", "4"], ["--bits=3", "--bits", "4"]),
        (["--bits"], ["--bits"]),
        ([], []),
    ],
)
def test_numbers_spread_over_an_option(given: list[str], expected: list[str]) -> None:
    assert spread(given) == expected
