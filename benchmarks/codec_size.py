"""Part of codecs.py: from which size on is a call from Python as fast as the C library called directly?

The C calls and haagenti use the same libraries. Contexts are reused on both sides, results go into warm memory; the loop around small
inputs is in C for the C calls and in Python for the others.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from itertools import repeat
from time import perf_counter

import numpy as np

import haagenti
from codec_c import CCodec
from codec_data import bf16, corpus_stream
from codec_peers import linked
from codec_table import Row, print_table, write_csv
from harness import REPEATS, Candidate, Timing, measure

LEVELS = {"zstd": 3, "lz4": 0, "lz4hc": 3, "lz4_block": 0, "brotli": 1, "deflate": 6, "zlib": 6, "gzip": 6}
KIB = 1 << 10
SIZES = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, KIB**2, 4 * KIB**2, 16 * KIB**2, 64 * KIB**2]
WEIGHT_SIZES = [64 * KIB, KIB**2, 16 * KIB**2]
SAMPLE_S = 2e-3  # least time of a sample
GOAL, GOAL_FROM = 0.98, 64 * KIB
WAYS = ("compress", "decompress")


def size_text(n: int) -> str:
    """As 64 KiB."""
    return f"{n} B" if n < KIB else f"{n // KIB} KiB" if n < KIB**2 else f"{n // KIB**2} MiB"


def repeated(function: Callable[..., object], arguments: tuple, loops: int) -> Callable[[], None]:
    """A function that calls another that many times."""

    def run() -> None:
        for _ in repeat(None, loops):
            function(*arguments)

    return run


def loops_for(call: Callable[[], object]) -> int:
    """How many calls make a sample."""
    call()
    start = perf_counter()
    call()
    return max(1, int(SAMPLE_S / (perf_counter() - start + 1e-9)))


def expect(got: np.ndarray | bytes, expected: np.ndarray) -> None:
    """Raises unless both hold the same bytes."""
    if not np.array_equal(np.frombuffer(got, np.uint8), expected):
        raise AssertionError("a round trip changed the data")


def candidates(algorithm: str, way: str, data: np.ndarray) -> list[Candidate]:
    """The C call, then haagenti's two manners. Each reads what haagenti compressed, and is verified."""
    level = LEVELS[algorithm]
    c = CCodec(algorithm, level)
    compressor, decompressor = haagenti.Compressor(algorithm, level), haagenti.Decompressor(algorithm)
    packed = np.frombuffer(compressor.compress(data), np.uint8)
    src = data if way == "compress" else packed
    room = haagenti.compress_bound(data.nbytes, algorithm) if way == "compress" else data.nbytes
    out = np.ones(room, np.uint8)  # the same memory for all: where it lies changes the time of a copy
    own = compressor if way == "compress" else decompressor
    into, as_bytes = getattr(own, f"{way}_into"), getattr(own, way)
    size = (data.nbytes,) if algorithm == "lz4_block" else ()
    told = size if way == "decompress" else ()
    loops = loops_for(partial(into, src, out))

    def verify_c() -> None:
        out[:] = 0
        n, _ = c.runner(way, src, out)()
        expect(decompressor.decompress(out[:n], *size) if way == "compress" else out, data)

    def verify_into() -> None:
        out[:] = 0
        n = into(src, out)
        expect(decompressor.decompress(out[:n], *size) if way == "compress" else out, data)

    def verify_bytes() -> None:
        expect(decompressor.decompress(as_bytes(src), *size) if way == "compress" else as_bytes(src, *told), data)

    n_c = c.runner("compress", data, np.ones(haagenti.compress_bound(data.nbytes, algorithm), np.uint8))()[0]
    amount = data.nbytes * loops / 1e6
    return [  # as many calls in a sample of each
        Candidate("C", c.runner(way, src, out, loops), amount, verify_c, {"packed_bytes": n_c, "calls": loops}),
        Candidate("into", repeated(into, (src, out), loops), amount, verify_into, {"packed_bytes": packed.nbytes, "calls": loops}),
        Candidate("bytes", repeated(as_bytes, (src, *told), loops), amount, verify_bytes, {"packed_bytes": packed.nbytes, "calls": loops}),
        *other_libraries(algorithm, way, data, packed),
    ]


def other_libraries(algorithm: str, way: str, data: np.ndarray, packed: np.ndarray) -> list[Candidate]:
    """What zlib and ISA-L make of gzip: haagenti may choose among the libraries."""
    found = []
    for name, level in ((f"{algorithm} by zlib", LEVELS[algorithm]), (f"{algorithm} by ISA-L", 1)):
        with contextlib.suppress(LookupError):
            c = CCodec(name, level)
            src = data if way == "compress" else packed
            out = np.ones(2 * data.nbytes + KIB, np.uint8)
            loops = loops_for(c.runner(way, src, out))
            n, _ = c.runner(way, src, out, 1)()
            expect(haagenti.decompress(out[:n], algorithm) if way == "compress" else out[:n], data)
            notes = {"packed_bytes": n if way == "compress" else packed.nbytes, "calls": loops}
            found.append(Candidate(f"C {name.split()[-1]}", c.runner(way, src, out, loops), data.nbytes * loops / 1e6, None, notes))
    return found


def row_of(kind: str, algorithm: str, way: str, n: int, t: Timing, c: Timing) -> Row:
    """A row of the CSV; share: how fast it is, the C call being 1."""
    about: Row = {"data": kind, "algorithm": algorithm, "level": LEVELS[algorithm], "way": way, "bytes": n, "name": t.name}
    speeds: Row = {"best_MB/s": t.best_rate, "median_MB/s": t.median_rate}
    shares: Row = {"share": t.best_rate / c.best_rate, "median_share": t.median_rate / c.median_rate}
    return {**about, **speeds, **shares, **t.notes, "library": linked(algorithm)}


def matrix(rows: list[Row], title: str) -> None:
    """Prints a line an algorithm and manner, a column a size."""
    lines: dict[tuple, Row] = {}
    for row in rows:
        if row["name"] != "C":
            name = {"algorithm": f"{row['algorithm']} {row['level']}", "manner": row["name"]}
            line = lines.setdefault((row["algorithm"], row["name"]), name)
            line[size_text(row["bytes"])] = f"{row['share']:.2f}"
    sizes = dict.fromkeys(size_text(row["bytes"]) for row in rows)
    print_table(title, ["algorithm", "manner", *sizes], list(lines.values()))


def print_misses(rows: list[Row]) -> None:
    """Prints what is below the goal, and where the C call did not do the same work."""
    large = [row for row in rows if row["name"] == "into" and row["bytes"] >= GOAL_FROM]
    missed = [row for row in large if row["share"] < GOAL]
    reached = f"{len(large) - len(missed)} of {len(large)} cases reach {GOAL} of the C call's speed"
    print(f"\ninto, from {size_text(GOAL_FROM)} up: {reached} (best times)")
    if missed:
        print_table(f"below {GOAL}", ["data", "algorithm", "way", "bytes", "share", "median_share", "best_MB/s"], missed)
    by_case: dict[tuple, dict] = {}
    for row in rows:
        by_case.setdefault((row["data"], row["algorithm"], row["bytes"]), {})[row["name"]] = row["packed_bytes"]
    different = [f"{case}: C {sizes['C']}, haagenti {sizes['into']}" for case, sizes in by_case.items() if sizes["C"] != sizes["into"]]
    if different:
        print("compressed sizes that differ:", *different, sep="\n  ")


def run(quick: bool, full: bool) -> None:
    """Measures, prints and writes the CSV."""
    del full
    sizes = [n for n in SIZES if not quick or n <= KIB**2]
    corpus, model = corpus_stream(max(sizes)), bf16(max(WEIGHT_SIZES))
    everything: list[Row] = []
    for kind, data, chosen in (("corpus", corpus, sizes), ("bf16", model, [n for n in WEIGHT_SIZES if n in sizes])):
        for way in WAYS:
            rows = []
            for algorithm in LEVELS:
                for n in (n for n in chosen if n <= data.nbytes):
                    c, *own = measure(f"{algorithm} {n}", candidates(algorithm, way, data[:n]), 3 if quick else REPEATS)
                    rows += [row_of(kind, algorithm, way, n, t, c) for t in (c, *own)]
            matrix(rows, f"{kind}, {way}: speed of haagenti, that of the C call being 1 (best of each)")
            everything += rows
    print_misses(everything)
    write_csv("codecs_size", everything)
