"""Runs the candidates of a benchmark side by side: verifies each, interleaves their repeats, prints a table and writes a CSV.

Not responsible for what is measured: each benchmark is one file that asks one question in its first line.
"""

from __future__ import annotations

import csv
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import haagenti
from haagenti import _core

RESULTS = Path(__file__).parent / "results"
REPEATS = 9


@dataclass
class Candidate:
    """One thing to time.

    Attributes:
        name: Shown in the table.
        run: Does the work once.
        amount: Units of work that one run does.
        verify: Raises when a run's result is wrong; called once, before anything is timed.
        notes: Further columns.
        loops: Runs in one sample; for work that takes microseconds.
    """

    name: str
    run: Callable[[], object]
    amount: float
    verify: Callable[[], None] | None = None
    notes: dict[str, object] = field(default_factory=dict)
    loops: int = 1


@dataclass(frozen=True)
class Timing:
    """Seconds of one run of a candidate over all repeats, and its rate at the minimum and the median."""

    case: str
    name: str
    best_s: float
    median_s: float
    best_rate: float
    median_rate: float
    notes: dict[str, object]


def measure(case: str, candidates: Iterable[Candidate], repeats: int = REPEATS) -> list[Timing]:
    """Times candidates in turn, A B A B, after verifying each and one warm-up.

    Args:
        case: What the candidates have in common (a size, a dtype).
        candidates: In the order of the table; the first is what ratios refer to.
        repeats: Samples of each.
    """
    chosen = list(candidates)
    for candidate in chosen:
        candidate.run()
        if candidate.verify is not None:
            candidate.verify()
    samples: list[list[float]] = [[] for _ in chosen]
    for _ in range(repeats):
        for candidate, times in zip(chosen, samples, strict=True):
            start = time.perf_counter()
            for _ in range(candidate.loops):
                candidate.run()
            times.append((time.perf_counter() - start) / candidate.loops)
    return [_timing(case, candidate, times) for candidate, times in zip(chosen, samples, strict=True)]


def _timing(case: str, candidate: Candidate, times: list[float]) -> Timing:
    best, median = min(times), statistics.median(times)
    return Timing(case, candidate.name, best, median, candidate.amount / best, candidate.amount / median, candidate.notes)


def machine() -> dict[str, str]:
    """What a number depends on: processor, instruction set, compiler, versions, commit."""
    info = _core.cpu_features()
    return {
        "machine": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "threads": str(haagenti.get_num_threads()),
        "simd": str(info["simd_target"]),
        "compiler": str(info["compiler"]),
        "python": platform.python_version(),
        "haagenti": haagenti.__version__,
        "commit": _commit(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def _commit() -> str:
    """Of the checkout this file is in; with a + when it has uncommitted changes."""
    folder = Path(__file__).parent
    run = ["git", "-C", str(folder)]
    head = subprocess.run([*run, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    dirty = subprocess.run([*run, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=False).stdout.strip()
    return (head or "unknown") + ("+" if dirty else "")


def report(question: str, unit: str, timings: list[Timing], csv_name: str) -> Path:
    """Prints a table and writes the CSV.

    Args:
        question: What the benchmark asks.
        unit: Of the rates, such as ``"Gw/s"``; amounts are given in it.
        timings: All cases.
        csv_name: File name under ``benchmarks/results``, without suffix.

    Returns:
        The path of the CSV.
    """
    about = machine()
    print(question)
    print("  " + ", ".join(f"{key} {value}" for key, value in about.items()))
    width = max(len(t.name) for t in timings)
    case = ""
    for t in timings:
        if t.case != case:
            case, first = t.case, t.best_rate
            print(f"\n{case}")
        notes = "  ".join(f"{key} {_short(value)}" for key, value in t.notes.items())
        print(f"  {t.name:{width}}  best {t.best_rate:9.3f}  median {t.median_rate:9.3f} {unit}  {t.best_rate / first:6.2f}x  {notes}")
    return _write_csv(timings, unit, about, csv_name)


def _short(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _write_csv(timings: list[Timing], unit: str, about: dict[str, str], csv_name: str) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{csv_name}.csv"
    notes = list(dict.fromkeys(key for t in timings for key in t.notes))
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["case", "name", "best_s", "median_s", f"best_{unit}", f"median_{unit}", *notes, *about])
        for t in timings:
            cells = [t.case, t.name, f"{t.best_s:.6g}", f"{t.median_s:.6g}", f"{t.best_rate:.5g}", f"{t.median_rate:.5g}"]
            writer.writerow([*cells, *(t.notes.get(key, "") for key in notes), *about.values()])
    print(f"\nwrote {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}", file=sys.stderr)
    return path
