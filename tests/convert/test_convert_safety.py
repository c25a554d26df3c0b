"""The output appears whole or not at all, nothing is overwritten, and memory stays bounded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import ml_dtypes
import pytest
from checkpoints import (
    OUTPUTS,
    assert_equal,
    contents,
    files_under,
    save_model,
    weights,
)

import haagenti
from haagenti import InvalidArgumentError, IoError

SLOW_CONVERSION = """
import haagenti, sys, time

def progress(done, total, name):
    print(name, flush=True)
    time.sleep(30)

haagenti.convert(sys.argv[1], sys.argv[2], progress=progress)
"""

# Prints RssAnon in bytes before the conversion and at its peak, sampled every millisecond.
WATCHED_CONVERSION = """
import haagenti.conversion, re, sys, threading

def rss_anon():
    return int(re.search(r"RssAnon:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) * 1024

def watch():
    global peak
    while not done.wait(0.001):
        peak = max(peak, rss_anon())

base = peak = rss_anon()
done = threading.Event()
thread = threading.Thread(target=watch)
thread.start()
haagenti.convert(sys.argv[1], sys.argv[2], preset=sys.argv[3])
done.set()
thread.join()
print(base, peak)
"""


class TestNothingHalfWritten:
    """The output appears whole or not at all."""

    @pytest.mark.parametrize("out", OUTPUTS)
    def test_needs_force(self, llama: Path, tmp_path: Path, out: str) -> None:
        haagenti.convert(llama, tmp_path / out, preset="int8")
        before = contents(tmp_path / out)
        with pytest.raises(IoError, match=out):
            haagenti.convert(llama, tmp_path / out)
        assert_equal(contents(tmp_path / out), before)
        haagenti.convert(llama, tmp_path / out, force=True)
        assert any((contents(tmp_path / out)[name] != array).any() for name, array in before.items())
        assert files_under(tmp_path) & {out} == {out}
        assert {path.name for path in tmp_path.iterdir()} == {"llama", out}

    def test_empty_directory_needs_no_force(self, llama: Path, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        haagenti.convert(llama, tmp_path / "out")
        assert haagenti.verify(tmp_path / "out", llama).ok

    def test_force_replaces_only_models(self, llama: Path, tmp_path: Path) -> None:
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "thesis.txt").write_text("years of work")
        (tmp_path / "file").write_text("x")
        (tmp_path / "link").symlink_to(tmp_path / "home")
        for name in ("home", "file", "link"):
            with pytest.raises(IoError, match="is not a model directory"):
                haagenti.convert(llama, tmp_path / name, force=True)
        assert (tmp_path / "home" / "thesis.txt").read_text() == "years of work"

    def test_source_is_never_replaced(self, llama: Path, tmp_path: Path) -> None:
        before = contents(llama)
        (tmp_path / "link").symlink_to(llama)
        for dst in (llama, llama / "sub", tmp_path, tmp_path / "link", llama / ".." / "llama"):
            with pytest.raises(InvalidArgumentError, match="source"):
                haagenti.convert(llama, dst, force=True)
        with pytest.raises(InvalidArgumentError, match="source"):
            haagenti.convert(llama / "model.safetensors", llama / "model.safetensors", force=True)
        assert_equal(contents(llama), before)

    @pytest.mark.parametrize("name", ["a.bin", "a.gguf", "a.pt"])
    def test_formats_that_are_not_written(self, llama: Path, tmp_path: Path, name: str) -> None:
        with pytest.raises(InvalidArgumentError, match=r"files are not written; expected \.hct, \.safetensors or a directory"):
            haagenti.convert(llama, tmp_path / name)

    @pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
    @pytest.mark.parametrize("out", OUTPUTS)
    @pytest.mark.parametrize("old", [False, True], ids=["new", "replacing"])
    def test_interrupted(self, llama: Path, tmp_path: Path, error: type[BaseException], out: str, old: bool) -> None:
        if old:
            haagenti.convert(llama, tmp_path / out, preset="int8")
        before = contents(tmp_path / out) if old else {}

        def stop(done: int, total: int, name: str) -> None:
            if done > total / 2:
                raise error

        with pytest.raises(error):
            haagenti.convert(llama, tmp_path / out, force=old, progress=stop, max_shard_bytes=20_000)
        assert {path.name for path in tmp_path.iterdir()} == ({"llama", out} if old else {"llama"})
        assert_equal(contents(tmp_path / out) if old else {}, before)

    def test_what_a_killed_run_left_is_no_obstacle(self, llama: Path, tmp_path: Path) -> None:
        (tmp_path / f".out.partial-{os.getpid()}").mkdir()
        haagenti.convert(llama, tmp_path / "out")
        haagenti.convert(llama, tmp_path / "out", force=True)
        assert {path.name for path in tmp_path.iterdir()} == {"llama", "out", f".out.partial-{os.getpid()}"}

    @pytest.mark.parametrize("stranger", ["thesis.txt", "data/results.csv", ".git/HEAD", "train.py", "sub"])
    def test_force_keeps_other_files(self, llama: Path, tmp_path: Path, stranger: str) -> None:
        haagenti.convert(llama, tmp_path / "out")
        place = tmp_path / "out" / stranger
        if stranger == "sub":
            place.mkdir()
        else:
            place.parent.mkdir(exist_ok=True)
            place.write_text("years of work")
        with pytest.raises(IoError, match=f"holds files that are not of a model: '{stranger}'; it is not replaced"):
            haagenti.convert(llama, tmp_path / "out", force=True)
        assert place.exists()

    def test_force_replaces_what_the_source_has(self, llama: Path, tmp_path: Path) -> None:
        for name in ("notes.csv", "sub/a.dat", "tokenizer.json", "LICENSE", "merges.txt", "modeling_x.py", "chat_template.jinja"):
            (llama / name).parent.mkdir(exist_ok=True)
            (llama / name).write_text(name)
        haagenti.convert(llama, tmp_path / "out", max_shard_bytes=30_000)
        haagenti.convert(llama, tmp_path / "out", force=True)
        assert haagenti.verify(tmp_path / "out", llama).ok

    @pytest.mark.parametrize("out", OUTPUTS)
    def test_one_wording(self, llama: Path, tmp_path: Path, out: str) -> None:
        haagenti.convert(llama, tmp_path / out)
        with pytest.raises(IoError, match=rf"{out}: exists already; it is replaced only when forced \(force=True, --force\)"):
            haagenti.convert(llama, tmp_path / out)

    @pytest.mark.parametrize("out", OUTPUTS[1:])
    def test_places_for_files(self, llama: Path, tmp_path: Path, out: str) -> None:
        with pytest.raises(IoError, match=rf"nowhere/{out}: cannot be created: there is no folder"):
            haagenti.convert(llama, tmp_path / "nowhere" / out)
        (tmp_path / out).mkdir()
        with pytest.raises(IoError, match=rf"{out}: is a directory"):
            haagenti.convert(llama, tmp_path / out, force=True)

    def test_parent_is_a_file(self, llama: Path, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(IoError, match="file/out: cannot be created"):
            haagenti.convert(llama, tmp_path / "file" / "out")

    def test_upper_case_extensions(self, llama: Path, tmp_path: Path) -> None:
        haagenti.convert(llama, tmp_path / "A.HCT")
        haagenti.convert(tmp_path / "A.HCT", tmp_path / "B.SAFETENSORS")
        assert (tmp_path / "B.SAFETENSORS").is_file()
        assert haagenti.verify(tmp_path / "B.SAFETENSORS", tmp_path / "A.HCT").ok
        with pytest.raises(InvalidArgumentError, match="files are not written"):
            haagenti.convert(llama, tmp_path / "a.BIN")

    def test_damaged_source(self, llama: Path, tmp_path: Path) -> None:
        haagenti.convert(llama, tmp_path / "packed.hct", preset="lossless")
        content = bytearray((tmp_path / "packed.hct").read_bytes())
        content[len(content) // 2] ^= 1
        (tmp_path / "packed.hct").write_bytes(content)
        with pytest.raises(haagenti.CorruptError):
            haagenti.convert(tmp_path / "packed.hct", tmp_path / "out", preset="dense")
        assert not (tmp_path / "out").exists()

    def test_ctrl_c(self, llama: Path, tmp_path: Path) -> None:
        if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
            pytest.skip("SIGINT is ignored here, as in a background job, and stays so in what is started")
        """A real signal to a real process."""
        process = subprocess.Popen(
            [sys.executable, "-c", SLOW_CONVERSION, str(llama), str(tmp_path / "out")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(Path(haagenti.__file__).parents[1])},
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline()
        assert any(path.name.startswith(".out.partial-") for path in tmp_path.iterdir())
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
        assert "KeyboardInterrupt" in stderr
        assert {path.name for path in tmp_path.iterdir()} == {"llama"}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("preset", ["int4", "lossless"])
def test_memory(tmp_path: Path, preset: str) -> None:
    """Anonymous memory stays below 1.5 times the largest tensor plus 250 MB, whatever the size of the checkpoint."""
    n_tensors, shape = 16, (2560, 4096)  # 20 MiB each in bf16, 320 MiB in all
    block = weights(shape, ml_dtypes.bfloat16)
    save_model(tmp_path / "m", {f"model.layers.{i}.mlp.up_proj.weight": block for i in range(n_tensors)})
    arguments = [str(tmp_path / "m"), str(tmp_path / "out"), preset]
    env = os.environ | {"PYTHONPATH": str(Path(haagenti.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", WATCHED_CONVERSION, *arguments], capture_output=True, text=True, env=env, check=True)
    base, peak = map(int, done.stdout.split())
    assert peak < 1.5 * block.nbytes + 250e6
    assert peak - base < 1.5 * block.nbytes + 64e6  # and it does not grow with the number of tensors
