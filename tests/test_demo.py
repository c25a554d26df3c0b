"""The demo: numbers that make sense, a table, a picture, a story."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers

from haagenti.cli.demo.measure import PRESETS, Point, measure
from haagenti.cli.demo.plot import draw
from haagenti.cli.demo.table import markdown_table
from haagenti.cli.run import run

MODELS = Path(__file__).parent / "models"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def demo_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the demo leaves, on a few windows and without shared data."""
    out = tmp_path_factory.mktemp("demo") / "out"
    text = MODELS / "tinystories_eval.txt"
    assert run(["demo", str(MODELS / "stories260K"), str(text), str(out), "--windows", "10", "--shared", str(out / "none")]) == 0
    return out


def test_the_numbers_of_the_demo_are_in_order(demo_directory: Path) -> None:
    points = {point["variant"]: point for point in json.loads((demo_directory / "results.json").read_text())["points"]}
    assert list(points) == ["original", "lossless", "int8", "int4"]
    original, lossless, int8, int4 = points.values()
    assert original["n_bytes"] > lossless["n_bytes"] > int8["n_bytes"] > int4["n_bytes"]
    assert 4 < int4["linear_bits_per_weight"] < 6 < 8 < int8["linear_bits_per_weight"] < 10
    assert lossless["perplexity"] == original["perplexity"]
    assert lossless["kl_mean"] == lossless["kl_p99"] == 0
    assert lossless["snr_db"] is None
    assert lossless["top1"] == 1
    assert 0 < int8["kl_mean"] < int4["kl_mean"] < 0.5
    assert int8["linear_snr_db"] > 35 > int4["linear_snr_db"] > 18
    assert int8["perplexity"] == pytest.approx(original["perplexity"], rel=0.005)


def test_the_demo_leaves_a_picture_and_models(demo_directory: Path) -> None:
    assert (demo_directory / "tradeoff.png").read_bytes().startswith(PNG)
    for variant in ("lossless", "int8", "int4"):
        assert (demo_directory / f"stories260K-{variant}" / "config.json").is_file()


def test_the_demo_can_run_again_in_the_same_place(demo_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(MODELS / "stories260K"), str(MODELS / "tinystories_eval.txt"), str(demo_directory), "--windows", "1"]
    assert run(["demo", *arguments, "--shared", "none"]) == 0
    captured = capsys.readouterr()
    assert "| stories260K int4 " in captured.out
    assert "bits/weight" in captured.out, "inspect"
    assert "every checksum" in captured.out, "verify"
    assert "differ as much as they state" in captured.out, "verify --against"
    assert "self-test: all" in captured.out, "doctor"
    assert "Once upon a time" in captured.out
    assert "only stories260K is shown" in captured.err


def example_points() -> list[Point]:
    return [
        Point(model, variant, 10**6, bits, bits, snr, snr, 5.0 + kl, kl, 3 * kl, 1 - kl, "60 documents", 0.1)
        for model in ("a", "b")
        for variant, bits, snr, kl in (("original", 16.0, None, 0.0), ("int8", 8.5, 45.0, 0.001), ("int4", 4.6, 21.0, 0.05))
    ]


def test_the_table_is_markdown_with_equal_columns() -> None:
    table = markdown_table(example_points()).split("\n\n")[0].splitlines()
    assert len(table) == 2 + 6
    assert len({len(line) for line in table}) == 1
    assert len({line.count("|") for line in table}) == 1
    assert "exact" in table[2]


def test_the_picture_has_a_row_for_each_model(tmp_path: Path) -> None:
    draw(example_points(), tmp_path / "two.png")
    draw(example_points()[:3], tmp_path / "one.png")
    heights = [int.from_bytes((tmp_path / name).read_bytes()[20:24], "big") for name in ("one.png", "two.png")]
    assert heights[1] > 1.7 * heights[0]


def test_the_error_of_linear_weights_that_are_no_linear_layers_is_shown(tmp_path: Path) -> None:
    """GPT-2's are Conv1D."""
    torch.manual_seed(0)
    model = tmp_path / "gpt2"
    config = transformers.GPT2Config(vocab_size=512, n_positions=512, n_embd=64, n_layer=2, n_head=4, bos_token_id=1, eos_token_id=2)
    transformers.GPT2LMHeadModel(config).save_pretrained(model)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(MODELS / "stories260K" / name, model / name)
    text = tmp_path / "text.txt"
    text.write_text("Once upon a time there was a very little dog. " * 8)
    points = measure(model, text, tmp_path / "out", PRESETS, max_windows=2)
    snr = {point.variant: point.linear_snr_db for point in points}
    assert snr["original"] is snr["lossless"] is None
    assert snr["int8"] > 35 > snr["int4"] > 15
