"""How fast is a checkpoint converted, and how much memory does that take, beside a plain copy of its files?

    python benchmarks/convert.py [--layers 14] [--keep FOLDER]

The checkpoint is synthetic: one bf16 shard of 20 MB matrices shaped like a Llama's, 2 GB at 14 layers. Each conversion runs in a process of
its own; its anonymous memory (RssAnon: without mapped pages of files) is sampled every millisecond.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import Candidate, measure, report
from synthetic import WIDTH, write_llama

PRESETS = ("lossless", "int8", "int4")
LARGEST = 2 * WIDTH * WIDTH  # bytes of the largest tensor

CHILD = """
import json, re, sys, threading, time
import haagenti
def anonymous():
    return int(re.search(r"RssAnon:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) * 1024
peak, done = 0, False
def watch():
    global peak
    while not done:
        peak = max(peak, anonymous())
        time.sleep(0.001)
thread = threading.Thread(target=watch)
thread.start()
start = time.perf_counter()
report = haagenti.convert(sys.argv[1], sys.argv[2], preset=sys.argv[3], force=True)
seconds = time.perf_counter() - start
done = True
thread.join()
print(json.dumps({"seconds": seconds, "peak": peak}))
"""


def convert(source: Path, target: Path, preset: str) -> dict[str, float]:
    """Converts in a fresh process; returns seconds and peak bytes of anonymous memory."""
    run = subprocess.run([sys.executable, "-c", CHILD, str(source), str(target), preset], check=True, capture_output=True, text=True)
    return dict(json.loads(run.stdout))


def candidate(source: Path, folder: Path, preset: str, gigabytes: float) -> Candidate:
    """One preset; its notes are filled in while it runs."""
    target = folder / preset
    notes: dict[str, object] = {}

    def run() -> None:
        result = convert(source, target, preset)
        notes["peak_anonymous_mb"] = max(float(str(notes.get("peak_anonymous_mb", 0))), result["peak"] / 1e6)
        size = sum(path.stat().st_size for path in target.glob("*.safetensors"))
        notes["share_of_bytes"] = size / (gigabytes * 1e9)

    def verify() -> None:
        import haagenti

        outcome = haagenti.verify(target, against=source)
        if not outcome.ok:
            raise AssertionError(outcome.failures[0])
        bound = 1.5 * LARGEST / 1e6 + 250
        if float(str(notes["peak_anonymous_mb"])) > bound:
            raise AssertionError(f"peak of {notes['peak_anonymous_mb']} MB, expected at most {bound:.0f} MB")

    return Candidate(f"convert --preset {preset}", run, gigabytes, verify, notes)


def main() -> None:
    """Makes the checkpoint, converts it with every preset, and reports."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=14, help="143 MB each")
    parser.add_argument("--keep", type=Path, help="folder to work in, not removed")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        source = folder / "source"
        if not source.exists():
            write_llama(source, arguments.layers)
        shard = source / "model.safetensors"
        gigabytes = shard.stat().st_size / 1e9
        copy = Candidate("copy of the shard", lambda: shutil.copyfile(shard, folder / "copy"), gigabytes)
        candidates = [copy, *(candidate(source, folder, preset, gigabytes) for preset in PRESETS)]
        case = f"one shard of {gigabytes:.2f} GB, tensors of {LARGEST / 1e6:.1f} MB"
        report("converting a checkpoint", "GB/s", measure(case, candidates, arguments.repeats), "convert")


if __name__ == "__main__":
    main()
