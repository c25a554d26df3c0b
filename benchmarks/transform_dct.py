"""The cosine transforms of `transforms.py`: haagenti, scipy, FFTW, torch and numpy, in planes and in lines.

Not responsible for what a case is compared with in words (`transforms.py`), nor for timing (`transform_common.py`).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator

import numpy as np
import scipy.fft

import haagenti.transform
from harness import Candidate, Timing
from transform_common import OWN, REPEATS, Goal, aligned_like, copy_candidate, expect_close, measure_case

PLANES = [8, 16, 32, 64, 128, 256, 576, 1000, 4096]
LINES = [64, 256, 1000, 4096, 4099, 1 << 20]
QUICK_PLANES, QUICK_LINES = [8, 64, 576], [64, 1000, 4099]
MATMUL_LIMIT = 576
IN_CACHE = 256  # sizes up to it are measured on 512 KiB of planes or lines, which a second-level cache holds; others on 4 MiB or more
TIMES_SCIPY = {64: 8.0, 128: 8.0, 576: 5.0, 4096: 5.0}
PLANNING_S = 30.0


def cosine_matrix(n: int) -> np.ndarray:
    """(n, n) float64: row k holds the k-th basis function of the orthonormal DCT-II."""
    k, j = np.ogrid[:n, :n]
    matrix = np.cos(np.pi * k * (2 * j + 1) / (2 * n)) * np.sqrt(2 / n)
    matrix[0] = np.sqrt(1 / n)
    return matrix


def fftw_candidate(x: np.ndarray, kind: int, n_axes: int, check: Callable[[np.ndarray], None], quick: bool) -> Candidate | None:
    """FFTW's planned transform and one product with the factors that make it orthonormal."""
    if importlib.util.find_spec("pyfftw") is None:
        return None
    import pyfftw

    src, dst = pyfftw.empty_aligned(x.shape, np.float32), pyfftw.empty_aligned(x.shape, np.float32)
    axes = tuple(range(x.ndim - n_axes, x.ndim))
    direction = "FFTW_REDFT10" if kind == 2 else "FFTW_REDFT01"
    effort = "FFTW_ESTIMATE" if quick else "FFTW_MEASURE"
    plan = pyfftw.FFTW(src, dst, axes, (direction,) * n_axes, (effort, "FFTW_DESTROY_INPUT"), 1, PLANNING_S)
    factors = np.ones((1,) * n_axes, np.float32)
    for axis in range(-n_axes, 0):
        n = x.shape[axis]
        line = np.full(n, np.sqrt(1 / (2 * n)), np.float32)
        line[0] *= np.sqrt(0.5) if kind == 2 else np.sqrt(2)
        factors = factors * line.reshape((n,) + (1,) * (-axis - 1))

    def run() -> None:
        if kind == 2:
            np.copyto(src, x)
            plan.execute()
            np.multiply(dst, factors, out=dst)
        else:
            np.multiply(x, factors, out=src)
            plan.execute()

    return Candidate("fftw", run, x.size / 1e6, lambda: check(dst))


def matmul_candidates(x: np.ndarray, kind: int, n_axes: int, check: Callable[[np.ndarray], None]) -> Iterator[Candidate]:
    """Products with the matrix of the transform."""
    n = x.shape[-1]
    matrix = cosine_matrix(n).astype(np.float32)
    if kind == 3:
        matrix = np.ascontiguousarray(matrix.T)
    right = np.ascontiguousarray(matrix.T)
    tmp, out = np.empty_like(x), np.empty_like(x)

    def with_numpy() -> None:
        np.matmul(x, right, out=out if n_axes == 1 else tmp)
        if n_axes == 2:
            np.matmul(matrix, tmp, out=out)

    yield Candidate("numpy matmul", with_numpy, x.size / 1e6, lambda: check(out))
    if importlib.util.find_spec("torch") is None:
        print("no torch: it is not installed")
        return
    import torch

    torch.set_num_threads(1)
    tx, tl, tr = torch.from_numpy(x), torch.from_numpy(matrix), torch.from_numpy(right)
    t_tmp, t_out = torch.empty_like(tx), torch.empty_like(tx)

    def with_torch() -> None:
        torch.matmul(tx, tr, out=t_out if n_axes == 1 else t_tmp)
        if n_axes == 2:
            torch.matmul(tl, t_tmp, out=t_out)

    yield Candidate("torch matmul", with_torch, x.size / 1e6, lambda: check(t_out.numpy()))


def candidates(x: np.ndarray, kind: int, n_axes: int, quick: bool) -> list[Candidate]:
    """Everybody for an array of planes (n_axes 2) or lines (1)."""
    axes = tuple(range(-n_axes, 0))
    expected = scipy.fft.dctn(x[:1].astype(np.float64), kind, axes=axes, norm="ortho")

    def check(found: np.ndarray) -> None:
        expect_close(found[:1], expected, 1e-4)

    out = aligned_like(np.zeros_like(x))
    own = haagenti.transform.dctn if n_axes == 2 else haagenti.transform.dct
    where = {"axes": axes} if n_axes == 2 else {"axis": -1}
    results: list[np.ndarray] = []

    def with_scipy() -> None:
        results[:] = [scipy.fft.dctn(x, kind, axes=axes, norm="ortho", workers=1)]

    found = [
        Candidate(OWN, lambda: own(x, type=kind, norm="ortho", out=out, **where), x.size / 1e6, lambda: check(out)),
        Candidate("scipy", with_scipy, x.size / 1e6, lambda: check(results[0])),
    ]
    fftw = fftw_candidate(x, kind, n_axes, check, quick)
    if fftw is not None:
        found.append(fftw)
    if x.shape[-1] <= MATMUL_LIMIT:
        found += matmul_candidates(x, kind, n_axes, check)
    return [*found, copy_candidate(x.nbytes, x.size)]


def _cases(sizes: list[int], n_axes: int, what: str, quick: bool) -> list[Timing]:
    if importlib.util.find_spec("pyfftw") is None:
        print("no FFTW: pyfftw is not installed")
    timings = []
    for n in sizes:
        in_cache = quick or n <= IN_CACHE
        batch = max(1, ((1 << 17) if in_cache else (1 << 20)) // n**n_axes)
        x = aligned_like(np.random.default_rng(n).standard_normal((batch, *(n,) * n_axes), dtype=np.float32))
        for kind in (2, 3):
            least = TIMES_SCIPY.get(n) if n_axes == 2 else None
            goals: list[Goal] = [("scipy", f">= {least:g}x scipy", least)] if least else []
            size = f"{n}x{n}" if n_axes == 2 else str(n)
            notes = {"kind": f"{what} {kind}", "size": n, "n_elements": x.size}
            case = f"DCT-{'I' * kind} {size}, batch {batch}"
            timings += measure_case(case, candidates(x, kind, n_axes, quick), notes, x.nbytes, goals, 3 if quick else REPEATS)
    return timings


def planes(quick: bool) -> list[Timing]:
    """Along both axes of (batch, n, n)."""
    return _cases(QUICK_PLANES if quick else PLANES, 2, "planes", quick)


def lines(quick: bool) -> list[Timing]:
    """Along the last axis of (batch, n)."""
    return _cases(QUICK_LINES if quick else LINES, 1, "lines", quick)
