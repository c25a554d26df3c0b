"""``haagenti doctor`` and the progress that long commands show."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from haagenti.cli import progress, selftest
from haagenti.cli.doctor import gpu_names
from haagenti.cli.run import run

Captured = pytest.CaptureFixture[str]


def test_doctor_shows_the_machine_and_tests_every_encoding(capsys: Captured) -> None:
    assert run(["doctor"]) == 0
    text = capsys.readouterr().out
    for name in ("haagenti", "CUDA", "numpy", "torch", "transformers", "zstd", "self-test: all"):
        assert name in text
    assert "FAIL" not in text
    assert not any(line.startswith("version ") for line in text.splitlines()), "the first line has it"
    assert all(encoding in text for encoding in selftest.CHECKSUMS)


def test_doctor_ends_with_4_when_a_checksum_is_wrong(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "CHECKSUMS", dict.fromkeys(selftest.CHECKSUMS, "0" * 16))
    assert run(["doctor"]) == 4
    captured = capsys.readouterr()
    assert "FAIL" in captured.out
    assert "self-test" in captured.err


def test_gpu_names_come_from_the_kernel_driver(tmp_path: Path) -> None:
    assert gpu_names(tmp_path) == []
    (tmp_path / "0000:01:00.0").mkdir()
    (tmp_path / "0000:01:00.0" / "information").write_text("Model: \t\t NVIDIA H200\nIRQ:   \t 7\n")
    assert gpu_names(tmp_path) == ["NVIDIA H200"]


# --- progress ------------------------------------------------------------------------------------------------------------------------


def test_piped_progress_is_plain_lines_now_and_then(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    with progress.show_progress("convert") as show:
        show(1_500_000, 3_000_000, "a.weight")
    assert capsys.readouterr().err == "convert: 50 % (1.5 MB of 3.0 MB) a.weight\n"
    with progress.show_progress("eval", "windows") as show:
        show(1, 2, "")
    assert capsys.readouterr().err == "eval: 50 % (1 of 2 windows)\n"
    monkeypatch.setattr(progress, "LINE_SECONDS", 60.0)
    with progress.show_progress("eval", "windows") as show:
        show(1, 2, "windows")
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress.show_progress("convert") as show:
        show(1, 2, "[a].weight")
    assert "convert" in capsys.readouterr().err


@pytest.mark.filterwarnings("error")
def test_a_notebook_gets_tqdm(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(progress, "_in_notebook", lambda: True)
    with progress.show_progress("eval", "windows") as show:
        show(1, 2, "")
        show(2, 2, "")
    assert "2/2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_345_678, "12.3 MB"), (2 * 10**15, "2000.0 TB")]
)
def test_amounts(amount: int, text: str) -> None:
    assert progress.format_bytes(amount) == text
