"""The Hadamard transforms of `transforms.py`: haagenti, torch and numpy, in cache and from DRAM.

Not responsible for timing (`transform_common.py`). The products with Sylvester's matrix get a part of an array that lies in DRAM: their
rate does not depend on how many rows there are.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from functools import partial

import ml_dtypes
import numpy as np
import scipy.linalg

import haagenti.transform
from harness import Candidate, Timing
from transform_common import OWN, REPEATS, Goal, aligned_like, copy_candidate, expect_close, measure_case

BLOCKS = [256, 1024, 4096, 16384]
QUICK_BLOCKS = [256, 4096]
IN_CACHE = 1 << 18  # 1 MiB of f32: the call is a small part of the time, and a second-level cache holds it
IN_DRAM = 1 << 26  # 256 MiB of f32
MATMUL_LIMIT = 4096
MATMUL_ELEMENTS = 1 << 21
GOALS = {("cache", 4096): 6000.0, ("DRAM", 4096): 3300.0}
BF16 = np.dtype(ml_dtypes.bfloat16)
Apply = Callable[..., object]


def sylvester(block: int) -> np.ndarray:
    """(block, block) f32, orthonormal."""
    return (scipy.linalg.hadamard(block, dtype=np.int8) / np.sqrt(block)).astype(np.float32)


def check_own(block: int, dtype: np.dtype, **arguments: object) -> None:
    """Checks one block of haagenti's against the definition: twice the same, and the matrix where that is not too large."""
    x = np.random.default_rng(1).standard_normal((2, block)).astype(dtype)
    once = haagenti.transform.hadamard(x, block=block, **arguments)
    tolerance = 1e-4 if dtype == np.float32 else 0.05
    if block <= MATMUL_LIMIT and "seed" not in arguments:
        expect_close(once, x.astype(np.float64) @ sylvester(block).astype(np.float64), tolerance)
    expect_close(haagenti.transform.hadamard(once, block=block, inverse=True, **arguments), x.astype(np.float64), tolerance)


def own_candidates(x: np.ndarray, block: int) -> Iterator[Candidate]:
    """In place, with signs, and into another array. Applied again and again: an orthonormal transform neither grows nor shrinks x."""
    apply: Apply = partial(haagenti.transform.hadamard, block=block)
    dtype, amount = x.dtype, x.size / 1e6
    out = aligned_like(np.zeros_like(x))
    yield Candidate(OWN, lambda: apply(x, out=x), amount, lambda: check_own(block, dtype))
    yield Candidate(f"{OWN}, signs", lambda: apply(x, seed=1, out=x), amount, lambda: check_own(block, dtype, seed=1))
    yield Candidate(f"{OWN}, inverse", lambda: apply(x, seed=1, inverse=True, out=x), amount, lambda: check_own(block, dtype, seed=1))
    yield Candidate(f"{OWN}, apart", lambda: apply(x, out=out), amount, lambda: check_own(block, dtype))


def peers(x: np.ndarray, block: int) -> Iterator[Candidate]:
    """Products with the matrix, and numpy's pass over the array in place that only changes its signs."""
    if x.dtype == np.float32:
        yield Candidate("negation in place", lambda: np.negative(x, out=x), x.size / 1e6)
    if block > MATMUL_LIMIT or x.dtype != np.float32:
        return
    part = x.reshape(-1, block)[: max(1, MATMUL_ELEMENTS // block)].copy()
    matrix, out = sylvester(block), np.empty_like(part)

    def check(found: np.ndarray) -> None:
        expect_close(found[:2], haagenti.transform.hadamard(part[:2], block=block).astype(np.float64), 1e-4)

    yield Candidate("numpy matmul", lambda: np.matmul(part, matrix, out=out), part.size / 1e6, lambda: check(out))
    if importlib.util.find_spec("torch") is None:
        print("no torch: it is not installed")
        return
    import torch

    torch.set_num_threads(1)
    t_part, t_matrix = torch.from_numpy(part), torch.from_numpy(matrix)
    t_out = torch.empty_like(t_part)
    yield Candidate("torch matmul", lambda: torch.matmul(t_part, t_matrix, out=t_out), part.size / 1e6, lambda: check(t_out.numpy()))


def case(where: str, n: int, block: int, dtype: np.dtype, repeats: int) -> list[Timing]:
    """One block size in one place."""
    x = aligned_like(np.random.default_rng(block).standard_normal((n // block, block), dtype=np.float32).astype(dtype))
    least = GOALS.get((where, block)) if dtype == np.float32 else None
    goals: list[Goal] = [("", f">= {least:.0f} Melem/s", least)] if least else []
    notes = {"kind": f"{where} {dtype.name}", "size": block, "n_elements": n}
    everybody = [*own_candidates(x, block), *peers(x, block), copy_candidate(x.nbytes, n)]
    return measure_case(f"Hadamard {block}, {where}, {dtype.name}", everybody, notes, x.nbytes, goals, repeats)


def blocks(quick: bool) -> list[Timing]:
    """All blocks, in cache and from DRAM, and bf16 at 4096."""
    repeats, in_dram = (3, 1 << 22) if quick else (REPEATS, IN_DRAM)
    timings = []
    for where, n in (("cache", IN_CACHE), ("DRAM", in_dram)):
        for block in QUICK_BLOCKS if quick else BLOCKS:
            timings += case(where, n, block, np.dtype(np.float32), repeats)
        timings += case(where, n, 4096, BF16, repeats)
    return timings
