"""Part of codecs.py: how much faster are two threads than one, inside one call and as Python threads that share an object?

`two halves` is what the machine gives at best: two Python threads, each with an object of one thread and half of the data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import haagenti
from codec_data import bf16, corpus_stream
from codec_peers import linked, package, peer_versions
from codec_table import Row, print_table, write_csv
from harness import REPEATS, Candidate, Timing, measure

MIB = 1 << 20
COMPRESS = {"lz4": 0, "lz4hc": 3, "gzip": 6, "deflate": 6, "zlib": 6, "zstd": 3}
DECOMPRESS = {"lz4": 0, "gzip": 6, "zstd": 3}
SHARED = {"lz4": 0, "gzip": 6, "zstd": 3}
FRAME = 4 * MIB  # of the zstd frames that are decompressed side by side
N_PYTHON_THREADS = 8
COLUMNS = ("algorithm", "way", "name", "best MB/s", "median MB/s", "speed-up", "median speed-up", "ratio")

Into = Callable[[np.ndarray, np.ndarray], int]


def equal(got: np.ndarray, expected: np.ndarray) -> None:
    """Raises unless both hold the same bytes."""
    if not np.array_equal(got, expected):
        raise AssertionError("a round trip changed the data")


def halves(pool: ThreadPoolExecutor, calls: list[Into], parts: list[np.ndarray], outs: list[np.ndarray]) -> Callable[[], list[int]]:
    """A function that does each part in a Python thread of its own."""
    return lambda: list(pool.map(lambda call, part, out: call(part, out), calls, parts, outs))


def compressing(pool: ThreadPoolExecutor, algorithm: str, data: np.ndarray) -> Iterator[Candidate]:
    """One thread, two threads, two halves."""
    level, middle = COMPRESS[algorithm], data.nbytes // 2
    out = np.ones(haagenti.compress_bound(data.nbytes, algorithm), np.uint8)
    restored = np.ones(data.nbytes, np.uint8)
    for threads in (1, 2):
        compress = haagenti.Compressor(algorithm, level, threads=threads).compress_into
        n = compress(data, out)
        haagenti.decompress_into(out[:n], restored, algorithm)
        equal(restored, data)
        notes: dict[str, object] = {"ratio": data.nbytes / n}
        yield Candidate(f"threads={threads}", lambda call=compress: call(data, out), data.nbytes / 1e6, None, notes)
    calls = [haagenti.Compressor(algorithm, level).compress_into for _ in range(2)]
    outs = [np.ones(haagenti.compress_bound(data.nbytes - middle, algorithm), np.uint8) for _ in range(2)]
    yield Candidate("two halves", halves(pool, calls, [data[:middle], data[middle:]], outs), data.nbytes / 1e6)


def zstandard_peer(data: np.ndarray) -> Iterator[Candidate]:
    """python-zstandard with two threads; it returns bytes of its own."""
    m = package("zstandard")
    if m is not None:
        for threads in (0, 2):  # 0: no worker threads
            compressor = m.ZstdCompressor(level=COMPRESS["zstd"], threads=threads)
            packed = compressor.compress(data)
            equal(np.frombuffer(haagenti.decompress(packed, "zstd"), np.uint8), data)
            name = f"python-zstandard, threads={threads}"
            notes: dict[str, object] = {"ratio": data.nbytes / len(packed), "library": peer_versions()["zstandard"]}
            yield Candidate(name, lambda c=compressor: c.compress(data), data.nbytes / 1e6, None, notes)


def in_parts(algorithm: str, data: np.ndarray) -> np.ndarray:
    """Compressed so that parts can be decoded side by side."""
    if algorithm != "zstd":
        return np.frombuffer(haagenti.compress(data, algorithm, DECOMPRESS[algorithm], threads=2), np.uint8)
    frames = (haagenti.compress(data[at : at + FRAME], "zstd", DECOMPRESS["zstd"]) for at in range(0, data.nbytes, FRAME))
    return np.frombuffer(b"".join(frames), np.uint8)


def decompressing(pool: ThreadPoolExecutor, algorithm: str, data: np.ndarray) -> Iterator[Candidate]:
    """One thread, two threads, two halves."""
    packed, middle = in_parts(algorithm, data), data.nbytes // 2
    notes: dict[str, object] = {"ratio": data.nbytes / packed.nbytes}
    out = np.ones(data.nbytes, np.uint8)
    for threads in (1, 2):
        decompress = haagenti.Decompressor(algorithm, threads=threads).decompress_into
        out[:] = 0
        decompress(packed, out)
        equal(out, data)
        yield Candidate(f"threads={threads}", lambda call=decompress: call(packed, out), data.nbytes / 1e6, None, notes.copy())
    calls = [haagenti.Decompressor(algorithm).decompress_into for _ in range(2)]
    parts = [in_parts(algorithm, half) for half in (data[:middle], data[middle:])]
    yield Candidate("two halves", halves(pool, calls, parts, [out[:middle], out[middle:]]), data.nbytes / 1e6, None, notes.copy())


def sharing(pool: ThreadPoolExecutor, algorithm: str, way: str, buffers: list[np.ndarray]) -> Iterator[Candidate]:
    """One object: one Python thread does all buffers, then eight do."""
    compressor, decompressor = haagenti.Compressor(algorithm, SHARED[algorithm]), haagenti.Decompressor(algorithm)
    packed = [np.frombuffer(compressor.compress(buffer), np.uint8) for buffer in buffers]
    amount = sum(buffer.nbytes for buffer in buffers) / 1e6
    if way == "compress":
        call, sources = compressor.compress_into, buffers
        outs = [np.ones(haagenti.compress_bound(buffer.nbytes, algorithm), np.uint8) for buffer in buffers]
    else:
        call, sources = decompressor.decompress_into, packed
        outs = [np.ones(buffer.nbytes, np.uint8) for buffer in buffers]

    def verify(sizes: list[int]) -> None:
        for buffer, out, n in zip(buffers, outs, sizes, strict=True):
            equal(np.frombuffer(decompressor.decompress(out[:n]), np.uint8) if way == "compress" else out[:n], buffer)

    def clear() -> None:
        for out in outs:
            out[:] = 0

    def one() -> list[int]:
        return list(map(call, sources, outs))

    def many() -> list[int]:
        return list(pool.map(call, sources, outs))

    for name, run in (("one Python thread", one), (f"{N_PYTHON_THREADS} Python threads, one object", many)):
        clear()
        verify(run())
        yield Candidate(name, run, amount)


def rows_of(kind: str, algorithm: str, way: str, timings: list[Timing]) -> Iterator[Row]:
    """Rows with the speed-up over one thread of the same package."""
    first = timings[0]
    for t in timings:
        if t.name.endswith("threads=0"):
            first = t
        about: Row = {"data": kind, "algorithm": algorithm, "way": way, "name": t.name}
        gain: Row = {
            "best MB/s": t.best_rate,
            "median MB/s": t.median_rate,
            "speed-up": first.best_s / t.best_s,
            "median speed-up": first.median_s / t.median_s,
        }
        yield {**about, **gain, "library": linked(algorithm), **t.notes}


def measure_all(pool: ThreadPoolExecutor, kind: str, data: np.ndarray, repeats: int) -> Iterator[Row]:
    """Rows of everything on one kind of data."""
    for algorithm in COMPRESS:
        peers = zstandard_peer(data) if algorithm == "zstd" else ()
        timings = measure(algorithm, [*compressing(pool, algorithm, data), *peers], repeats)
        yield from rows_of(kind, algorithm, "compress", timings)
    for algorithm in DECOMPRESS:
        yield from rows_of(kind, algorithm, "decompress", measure(algorithm, decompressing(pool, algorithm, data), repeats))
    buffers = [data[at : at + MIB] for at in range(0, data.nbytes, MIB)]
    for algorithm in SHARED:
        for way in ("compress", "decompress"):
            timings = measure(algorithm, sharing(pool, algorithm, way, buffers), repeats)
            yield from rows_of(kind, algorithm, f"{way} {len(buffers)} buffers", timings)


def run(quick: bool, full: bool) -> None:
    """Measures, prints and writes the CSV."""
    del full
    n_bytes, repeats = (16 if quick else 64) * MIB, 3 if quick else REPEATS
    everything: list[Row] = []
    with ThreadPoolExecutor(N_PYTHON_THREADS) as pool:
        for kind, make in (("corpus", corpus_stream), ("bf16", bf16)):
            rows = list(measure_all(pool, kind, make(n_bytes), repeats))
            print_table(f"{kind}, {n_bytes // MIB} MiB: speed-up over one thread", COLUMNS, rows)
            everything += rows
    write_csv("codecs_threads", everything)
