"""How fast are the cosine and Hadamard transforms on one core, by size, beside scipy, FFTW, torch, numpy and a copy?

    python benchmarks/transforms.py [--part dct2d|dct1d|hadamard|picture]... [--quick]

Every result is verified before it is timed; candidates take turns in one process; arrays are warm. `GB/s` counts the bytes of the array
once read and once written; `share_of_copy` compares that with a streaming copy of the same bytes in the same turn.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

import haagenti
import transform_dct
import transform_hadamard
import transform_plot
from harness import Timing, report

PARTS = {"dct2d": transform_dct.planes, "dct1d": transform_dct.lines, "hadamard": transform_hadamard.blocks}
QUESTIONS = {
    "dct2d": "DCT-II and DCT-III of planes, f32, one core",
    "dct1d": "DCT-II and DCT-III of lines, f32, one core",
    "hadamard": "Walsh-Hadamard transform of blocks, one core",
}


def pin() -> None:
    """Starts this program anew on one processor: BLAS libraries choose their number of threads while they are imported."""
    mine = os.sched_getaffinity(0)
    if len(mine) > 1:
        os.sched_setaffinity(0, {min(mine)})
        os.execv(sys.executable, [sys.executable, *sys.argv])


def verdicts(timings: list[Timing]) -> None:
    """Prints each goal and whether it was reached."""
    stated = [t for t in timings if t.notes.get("goal")]
    if stated:
        print("\ngoals")
    for t in stated:
        print(f"  {t.case:28}  {t.notes['goal']:24}  found {t.notes['found']:8}  {'reached' if t.notes['reached'] else 'NOT reached'}")


def main() -> None:
    """Measures and reports the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", action="append", choices=[*PARTS, "picture"], help="may be given several times; without it all")
    parser.add_argument("--quick", action="store_true", help="fewer sizes and repeats, smaller arrays: to see that it runs")
    arguments = parser.parse_args()
    pin()
    haagenti.set_num_threads(1)
    if os.getloadavg()[0] > 0.5:
        print("OTHER WORK is running on this machine: rates are too low")
    chosen = arguments.part or [*PARTS, "picture"]
    for part in chosen:
        if part == "picture":
            continue
        start = time.perf_counter()
        timings = PARTS[part](arguments.quick)
        report(QUESTIONS[part], "Melem/s", timings, f"transforms_{part}{'_quick' if arguments.quick else ''}")
        verdicts(timings)
        print(f"{part} took {time.perf_counter() - start:.0f} s\n")
    if "picture" in chosen and not arguments.quick:
        transform_plot.draw_all()


if __name__ == "__main__":
    main()
