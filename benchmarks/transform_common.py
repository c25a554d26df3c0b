"""What the parts of `transforms.py` share: loops of a sample, shares of a copy, and goals.

Not responsible for the transforms.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np

import streaming_copy
from harness import Candidate, Timing, measure

REPEATS = 9
SAMPLE_S = 0.004
COPY = "streaming copy"
OWN = "haagenti"
Goal = tuple[str, str, float]  # peer ("" for Melem/s), text, least value


def loops_for(run: Callable[[], object]) -> int:
    """Runs that fill a sample; the second of two runs is timed, so that memory and caches are warm."""
    run()
    start = time.perf_counter()
    run()
    return max(1, int(SAMPLE_S / max(1e-7, time.perf_counter() - start)))


def aligned_like(x: np.ndarray) -> np.ndarray:
    """A copy of x that starts at a multiple of 64 bytes, as arrays that haagenti makes do."""
    copy = streaming_copy.aligned(x.nbytes).view(x.dtype).reshape(x.shape)
    copy[...] = x
    return copy


def copy_candidate(n_bytes: int, n_elements: int) -> Candidate:
    """Reads and writes as many bytes as a transform does, past the caches."""
    copy = streaming_copy.load()
    rounded = max(4096, n_bytes // 4096 * 4096)
    src, dst = streaming_copy.aligned(rounded), streaming_copy.aligned(rounded)
    return Candidate(COPY, lambda: copy(dst, src), n_elements * rounded / n_bytes / 1e6)


def measure_case(
    case: str, candidates: list[Candidate], notes: Mapping[str, object], n_bytes: int, goals: list[Goal], repeats: int
) -> list[Timing]:
    """Times a case and adds to each row: the notes, GB/s, the share of the copy, and to haagenti's row what it reached of its goals."""
    for candidate in candidates:
        candidate.loops = loops_for(candidate.run)
        candidate.notes = {**notes}
    timings = measure(case, candidates, repeats)
    rates = {t.name: t.best_rate for t in timings}
    for t, candidate in zip(timings, candidates, strict=True):
        t.notes["GB/s"] = 2 * n_bytes / (candidate.notes["n_elements"] / 1e6) * t.best_rate / 1e9  # type: ignore[operator]
        if COPY in rates:
            t.notes["share_of_copy"] = t.best_rate / rates[COPY]
        if t.name == OWN:
            _judge(t, rates, goals)
    return timings


def _judge(t: Timing, rates: Mapping[str, float], goals: list[Goal]) -> None:
    for peer, text, least in goals:
        if peer and peer not in rates:
            continue
        found = t.best_rate / rates[peer] if peer else t.best_rate
        t.notes.update({"goal": text, "found": f"{found:.1f}x" if peer else f"{found:.0f}", "reached": found >= least})


def expect_close(found: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    """Raises unless all differences are below tolerance times the expected array's root mean square."""
    difference = np.abs(np.asarray(found, np.float64) - expected).max()
    limit = tolerance * np.sqrt(np.mean(np.square(expected)))
    if not difference <= limit:
        raise AssertionError(f"a result is wrong: expected differences up to {limit:.3g}, found {difference:.3g}")
