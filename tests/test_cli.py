"""The commands: what they print and where, and the code that they end with."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import haagenti
import haagenti.numpy
from haagenti.cli import exit_codes
from haagenti.cli.run import DEBUG_VARIABLE, run

MODELS = Path(__file__).parent / "models"
STORIES = MODELS / "stories260K"
STORIES_TEXT = MODELS / "tinystories_eval.txt"

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded model as int4."""
    out = tmp_path_factory.mktemp("cli") / "int4"
    haagenti.convert(STORIES, out, preset="int4")
    return out


@pytest.fixture
def damaged(converted: Path, tmp_path: Path) -> Path:
    """A copy of it with one bit of the first record's data flipped."""
    out = tmp_path / "damaged"
    shutil.copytree(converted, out)
    weights = out / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[8 + int.from_bytes(data[:8], "little") + 4096] ^= 1
    weights.chmod(0o644)
    weights.write_bytes(data)
    return out


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def run_process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from haagenti.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **environment})


# --- the program ---------------------------------------------------------------------------------------------------------------------


def test_version_and_help_and_no_arguments(capsys: Captured) -> None:
    assert run(["--version"]) == 0
    assert re.fullmatch(r"haagenti \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(command in text for command in ("convert", "inspect", "verify", "eval", "generate", "doctor", "demo"))
    assert run([]) == 2


def test_help_loads_no_torch() -> None:
    code = (
        "import sys; from haagenti.cli.run import run; run(['--help']); run(['convert', '--help']);"
        "print([name for name in ('torch', 'transformers', 'matplotlib') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["convert"],
        ["convert", str(STORIES)],
        ["convert", str(STORIES), "out", "--preset", "int5"],
        ["convert", str(STORIES), "out", "--rule", "no-equals-sign"],
        ["convert", str(STORIES), "out", "--rule", "(=int4"],
        ["convert", str(STORIES), "out", "--rule", ".*=int3"],
        ["convert", str(STORIES), "out", "--rule", ".*=int4(group_size=33)"],
        ["convert", str(STORIES), "out", "--min-snr", "high"],
        ["inspect"],
        ["eval", str(STORIES), str(STORIES)],
        ["eval", str(STORIES), str(STORIES), "--text", "x", "--window", "1"],
        ["generate", str(STORIES), "Once", "--max-new-tokens", "0"],
        ["generate", str(STORIES), "Once", "--temperature", "-1"],
        ["generate", str(STORIES), "Once", "--seed", "7"],
        ["verify", str(STORIES), "--key", "state_dict"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Usage" in captured.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["inspect", "missing"],
        ["verify", "missing"],
        ["convert", "missing", "out"],
        ["generate", "missing", "Once"],
        ["eval", "a", "b", "--text", "c"],
    ],
)
def test_errors_are_one_line_on_stderr_and_end_with_1(
    arguments: list[str], capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(lines(captured.err)) == 1
    assert captured.err.startswith("haagenti: ")


def test_the_code_reaches_the_shell() -> None:
    assert run_process("--version").returncode == 0
    assert run_process("inspect", "missing").returncode == 1
    assert run_process("inspect").returncode == 2
    debugged = run_process("inspect", "missing", HAAGENTI_DEBUG="1")
    assert (debugged.returncode, "Traceback" in debugged.stderr) == (1, True)


def test_debug_shows_where(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(["--debug", "inspect", "missing"]) == 1
    assert "Traceback" in capsys.readouterr().err
    monkeypatch.setenv(DEBUG_VARIABLE, "1")
    assert run(["inspect", "missing"]) == 1
    assert "Traceback" in capsys.readouterr().err
    monkeypatch.setenv(DEBUG_VARIABLE, "0")
    assert run(["inspect", "missing"]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_every_error_has_its_code_and_line() -> None:
    from haagenti.conversion import QualityGateError
    from haagenti.errors import CorruptError, InvalidArgumentError, TruncatedError

    expected = {
        KeyboardInterrupt(): (130, "interrupted"),
        exit_codes.Terminated(signal.SIGTERM): (143, "ended by SIGTERM"),
        QualityGateError("low"): (3, "low"),
        CorruptError("bad\nbytes"): (4, "bad bytes"),
        TruncatedError("short"): (4, "short"),
        InvalidArgumentError("wrong"): (1, "wrong"),
        FileNotFoundError(2, "No such file or directory", "x"): (1, "[Errno 2] No such file or directory: 'x'"),
        ModuleNotFoundError("No module named 'torch'", name="torch"): (
            1,
            'this needs the package torch, which is not installed: pip install "haagenti[torch]"',
        ),
        ModuleNotFoundError("no", name="transformers.models"): (
            1,
            'this needs the package transformers, which is not installed: pip install "haagenti[hf]"',
        ),
        ZeroDivisionError("oops"): (1, "unexpected ZeroDivisionError: oops (HAAGENTI_DEBUG=1 shows where)"),
    }
    for error, (code, line) in expected.items():
        assert (int(exit_codes.exit_code(error)), exit_codes.error_line(error)) == (code, line)


def test_a_missing_extra_names_the_way_to_it() -> None:
    code = "import sys; sys.modules['torch'] = None; from haagenti.cli.run import run; sys.exit(run(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "generate", str(STORIES), "Once"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert 'pip install "haagenti[' in done.stderr
    assert len(lines(done.stderr)) == 1


def test_a_reader_that_stops_is_no_error() -> None:
    command = f"{sys.executable} -c 'from haagenti.cli import main; main()' inspect {STORIES} | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""


def test_a_reader_that_stops_before_a_full_pipe_is_no_error() -> None:
    program = (
        "import sys, typer; from haagenti.cli import app, run;"
        "app.app.command('flood')(lambda: [typer.echo('x' * 99) for _ in range(20000)] and None);"
        "sys.exit(run.run(['flood']))"
    )
    command = f'{sys.executable} -c "{program}" | head -n 1; echo ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["x" * 99, "0"]
    assert done.stderr == ""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_conversion_and_leaves_nothing(ending: signal.Signals, tmp_path: Path) -> None:
    if signal.getsignal(ending) == signal.SIG_IGN:
        pytest.skip("the signal is ignored here, as under nohup, and stays so in what is started")
    program = (
        "import os, sys, haagenti; from haagenti.cli import run; real = haagenti.convert\n"
        "def convert(*arguments, progress, **options):\n"
        "    return real(*arguments, progress=lambda *_: os.kill(os.getpid(), int(sys.argv[1])), **options)\n"
        "haagenti.convert = convert\n"
        "sys.exit(run.run(sys.argv[2:]))"
    )
    command = [sys.executable, "-c", program, str(int(ending)), "convert", str(STORIES), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    line = "interrupted" if ending == signal.SIGINT else f"ended by {ending.name}"
    assert (done.returncode, done.stderr) == (128 + ending, f"haagenti: {line}\n")
    assert list(tmp_path.iterdir()) == []


def test_running_a_command_leaves_the_signal_handlers_alone(capsys: Captured) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert run(["--version"]) == 0
    assert signal.getsignal(signal.SIGTERM) == before


def test_the_package_runs_as_a_program() -> None:
    done = subprocess.run([sys.executable, "-m", "haagenti.cli", "--version"], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, f"haagenti {haagenti.__version__}\n")


# --- convert, inspect, verify --------------------------------------------------------------------------------------------------------


def test_convert_prints_a_report_and_writes_a_directory(capsys: Captured, tmp_path: Path) -> None:
    assert run(["convert", str(STORIES), str(tmp_path / "out"), "--preset", "int8"]) == 0
    captured = capsys.readouterr()
    assert "model.layers.0.self_attn.q_proj.weight" in captured.out
    assert (tmp_path / "out" / "model.safetensors").is_file()


def test_convert_json_is_json_alone_on_stdout(capsys: Captured, tmp_path: Path) -> None:
    assert run(["convert", str(STORIES), str(tmp_path / "out"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert any(row["encoding"].startswith("int4") for row in report["rows"])


def test_dry_run_prints_the_plan_and_writes_nothing(capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["convert", str(STORIES), "out", "--dry-run"]) == 0
    assert "model.layers.4.mlp.down_proj.weight" in capsys.readouterr().out
    assert run(["convert", str(STORIES), "--dry-run", "--json", "--rule", ".*q_proj.*=int8", "--rule", ".*proj.*=raw"]) == 0
    plan = haagenti.Plan.from_json(capsys.readouterr().out)
    encodings = {entry.name: entry.encoding for entry in plan.entries}
    assert encodings["model.layers.0.self_attn.q_proj.weight"].startswith("int8")
    assert encodings["model.layers.0.self_attn.k_proj.weight"].startswith("raw")
    assert list(tmp_path.iterdir()) == []


def test_convert_does_not_overwrite_without_force(capsys: Captured, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "keep").write_text("mine")
    assert run(["convert", str(STORIES), str(out)]) == 1
    assert "--force" in capsys.readouterr().err or "force" in capsys.readouterr().err
    assert (out / "keep").read_text() == "mine"
    assert run(["convert", str(STORIES), str(tmp_path / "new")]) == 0
    assert run(["convert", str(STORIES), str(tmp_path / "new"), "--preset", "lossless", "--force"]) == 0
    assert haagenti.inspect(tmp_path / "new").totals.snr_db is None


def test_the_quality_gate_ends_with_3_and_no_output(capsys: Captured, tmp_path: Path) -> None:
    assert run(["convert", str(STORIES), str(tmp_path / "out"), "--min-snr", "60"]) == 3
    assert len(lines(capsys.readouterr().err)) == 1
    assert list(tmp_path.iterdir()) == []
    assert run(["convert", str(STORIES), str(tmp_path / "out"), "--min-snr", "5"]) == 0


def test_inspect_lists_every_tensor(converted: Path, capsys: Captured) -> None:
    assert run(["inspect", str(converted)]) == 0
    text = capsys.readouterr().out
    assert run(["inspect", str(converted), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert len(data["rows"]) >= 47
    assert all(row["name"] in text for row in data["rows"])


def test_verify_of_a_sound_directory(converted: Path, capsys: Captured) -> None:
    assert run(["verify", str(converted)]) == 0
    assert "every checksum" in capsys.readouterr().out
    assert run(["verify", str(converted), "--against", str(STORIES)]) == 0
    assert "equal bit by bit" in capsys.readouterr().out


def test_damage_ends_with_4(damaged: Path, capsys: Captured, tmp_path: Path) -> None:
    assert run(["verify", str(damaged)]) == 4
    assert "checksum" in capsys.readouterr().err
    assert run(["convert", str(damaged), str(tmp_path / "back"), "--preset", "dense"]) == 4
    assert not (tmp_path / "back").exists()
    assert run(["generate", str(damaged), "Once", "--max-new-tokens", "2"]) == 4
    assert capsys.readouterr().out == ""


def test_verify_against_another_model_ends_with_4(converted: Path, tmp_path: Path, capsys: Captured) -> None:
    assert run(["convert", str(converted), str(tmp_path / "dense"), "--preset", "dense"]) == 0
    assert run(["verify", str(converted), "--against", str(tmp_path / "dense")]) == 4
    assert "the record states" in capsys.readouterr().err


def test_verify_finds_a_nested_original_by_its_key(tmp_path: Path, capsys: Captured) -> None:
    import torch

    source, packed = tmp_path / "model.pt", tmp_path / "model.hct"
    weight = torch.randn(64, 256, generator=torch.Generator().manual_seed(0))
    torch.save({"ema": {"up.weight": weight}, "model": {"up.weight": weight + 1}}, source)
    assert run(["convert", str(source), str(packed), "--key", "ema", "--preset", "int8"]) == 0
    capsys.readouterr()
    assert run(["verify", str(packed), "--against", str(source), "--key", "ema"]) == 0
    assert "0 are equal bit by bit, 1 differ" in capsys.readouterr().out
    assert run(["verify", str(packed), "--against", str(source), "--key", "model"]) == 4
    captured = capsys.readouterr()
    assert "1 problem in 1 tensors" in captured.out
    assert run(["verify", str(packed), "--against", str(source), "--key", "model", "--json"]) == 4
    report = json.loads(capsys.readouterr().out)
    assert (report["ok"], len(report["failures"])) == (False, 1)


def test_verify_prints_the_first_problems_and_counts_the_rest(tmp_path: Path, capsys: Captured) -> None:
    ones = {f"t{i}": np.ones(4, np.float32) for i in range(25)}
    haagenti.numpy.save_file(ones, tmp_path / "ones.hct", encoding="raw")
    haagenti.numpy.save_file({name: 2 * x for name, x in ones.items()}, tmp_path / "twos.hct", encoding="raw")
    assert run(["verify", str(tmp_path / "ones.hct"), "--against", str(tmp_path / "twos.hct")]) == 4
    captured = capsys.readouterr()
    problems = lines(captured.err)
    assert len(problems) == 21
    assert problems[-1] == "haagenti: ... and 5 more"
    assert "25 problems" in captured.out


def test_convert_names_tensors_that_fell_back_to_lossless(tmp_path: Path, capsys: Captured) -> None:
    good, bad = np.random.default_rng(0).standard_normal((2, 64, 256)).astype(np.float32)
    bad[0, 0] = np.nan
    source = tmp_path / "a.safetensors"
    haagenti.numpy.save_file({"good.weight": good, "bad.weight": bad}, source, encoding="plain")
    assert run(["convert", str(source), str(tmp_path / "a.hct")]) == 0
    last = lines(capsys.readouterr().out)[-1]
    assert last.startswith("1 tensor fell back to lossless: bad.weight (")
    assert run(["convert", str(STORIES), str(tmp_path / "out"), "--preset", "lossless"]) == 0


# --- eval, generate ----------------------------------------------------------------------------------------------------------


def test_eval_compares_two_directories(converted: Path, capsys: Captured, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("Once upon a time\n\nLily\n")
    arguments = ["eval", str(STORIES), str(converted), "--text", str(STORIES_TEXT), "--windows", "4"]
    assert run([*arguments, "--prompts", str(prompts)]) == 0
    text = capsys.readouterr().out
    assert "perplexity, compressed" in text
    assert text.count("new tokens agree") == 2
    assert run([*arguments, "--json", "--window", "32"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["n_windows"], report["n_positions"]) == (4, 128)
    assert 0 < report["kl"]["mean"] < 1


def test_generate_writes_text_to_stdout_and_speed_to_stderr(converted: Path, capsys: Captured) -> None:
    arguments = ["generate", str(converted), "Once upon a time", "--max-new-tokens", "8"]
    assert run(arguments) == 0
    greedy = capsys.readouterr()
    assert greedy.out.startswith("Once upon a time, there was")
    assert re.search(r"8 new tokens, greedy: [\d.]+ tokens/s", greedy.err)
    assert run([*arguments, "--run-compressed"]) == 0
    assert capsys.readouterr().out.startswith("Once upon a time, there")
    sampled = []
    for _ in range(2):
        assert run([*arguments, "--temperature", "1", "--seed", "7"]) == 0
        sampled.append(capsys.readouterr())
    assert sampled[0].out == sampled[1].out
    assert "temperature 1.0, seed 7" in sampled[0].err


def test_generate_stops_where_the_model_ends(capsys: Captured) -> None:
    assert run(["generate", str(STORIES), "Once upon a time", "--max-new-tokens", "1"]) == 0
    assert "1 new token, greedy: no speed from one token (prompt of 5 tokens" in capsys.readouterr().err
    assert run(["generate", str(STORIES), "word " * 600]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.search(r"prompt: \d+ tokens leave no room for 128 new ones: .* reads at most 512 tokens", captured.err)


def test_a_file_is_no_model_directory(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "one.hct").write_bytes(b"")
    assert run(["generate", str(tmp_path / "one.hct"), "Once"]) == 1
    assert "expected a model directory, found a file" in capsys.readouterr().err


def test_a_directory_without_config_is_named(converted: Path, tmp_path: Path, capsys: Captured) -> None:
    shutil.copytree(converted, tmp_path / "out")
    (tmp_path / "out" / "config.json").unlink()
    assert run(["generate", str(tmp_path / "out"), "Once"]) == 1
    error = capsys.readouterr().err
    assert "unexpected" not in error
    assert "config.json" in error


def test_prompts_must_be_utf8(converted: Path, tmp_path: Path, capsys: Captured) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_bytes(b"caf\xe9\n")
    arguments = ["eval", str(STORIES), str(converted), "--text", str(STORIES_TEXT), "--prompts", str(prompts)]
    assert run(arguments) == 1
    assert "is not UTF-8: byte 3 is 0xe9" in capsys.readouterr().err
