"""Part of codecs.py: what does a call from Python cost at 64 bytes, besides the work of the C library?

Time of the Python call in a tight loop, less that of an empty loop, less that of the same C call in a loop in C: the best of many samples
taken in turn. Packages carry their own libraries: their difference to the C call linked here is only a hint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from timeit import Timer

import numpy as np

import haagenti
from codec_c import CCodec
from codec_peers import WINDOW_BITS, linked, package, peer_versions
from codec_table import Row, print_table, write_csv

DATA = b"weights of layer 1, weights of layer 2, weights of layer 3, weig"
# Levels at which the library itself takes little time, so that the difference is not lost in its noise: 0 of Deflate stores, where 1 takes
# 4 us to clear its tables.
LEVELS = {"zstd": 1, "lz4": 0, "lz4hc": 3, "lz4_block": 0, "brotli": 1, "deflate": 0, "zlib": 0, "gzip": 0}
SAMPLE_S = 4e-4
EMPTY_LOOPS = 20_000
GOALS = {"object": 100.0, "function": 250.0}
COLUMNS = ("algorithm", "call", "ns", "C call ns", "difference ns", "goal ns", "reached", "library")


@dataclass(frozen=True)
class Call:
    """A Python call to time.

    Attributes:
        manner: ``"object"``, ``"function"`` or ``"package"``.
        statement: The call.
        names: What its names mean; local variables of the loop.
        library: Behind it.
        shown: How the table names it, where that is not the statement.
    """

    manner: str
    statement: str
    names: dict[str, object]
    library: str
    shown: str = ""

    def timer(self) -> Timer:
        """Ready to run."""
        given = {f"given_{name}": value for name, value in self.names.items()}
        return Timer(self.statement, setup="\n".join(f"{name} = given_{name}" for name in self.names), globals=given)


def compress_calls(algorithm: str) -> list[Call]:
    """The ways of haagenti to compress."""
    level, library = LEVELS[algorithm], linked(algorithm)
    room = haagenti.compress_bound(len(DATA), algorithm)
    names = {"data": DATA, "out": bytearray(room), "array": np.ones(room, np.uint8), "haagenti": haagenti}
    names["compressor"] = haagenti.Compressor(algorithm, level)
    default = next(row for row in haagenti.algorithms() if row.name == algorithm).words["default"]
    options = f'"{algorithm}"' if level == default else f'"{algorithm}", {level}'
    statements = [
        ("object", "compressor.compress(data)"),
        ("object", "compressor.compress_into(data, out)"),
        ("object", "compressor.compress_into(data, array)"),
        ("function", f"haagenti.compress(data, {options})"),
        ("function", f"haagenti.compress_into(data, out, {options})"),
    ]
    return [Call(manner, statement, names, library) for manner, statement in statements]


def decompress_calls(algorithm: str, packed: bytes) -> list[Call]:
    """The ways of haagenti to decompress."""
    names = {"packed": packed, "out": bytearray(len(DATA)), "array": np.ones(len(DATA), np.uint8), "haagenti": haagenti}
    names["decompressor"] = haagenti.Decompressor(algorithm, len(DATA))
    size = ", size=64" if algorithm == "lz4_block" else ""
    statements = [
        ("object", "decompressor.decompress(packed)"),
        ("object", "decompressor.decompress_into(packed, out)"),
        ("object", "decompressor.decompress_into(packed, array)"),
        ("function", f'haagenti.decompress(packed, "{algorithm}"{size})'),
        ("function", f'haagenti.decompress_into(packed, out, "{algorithm}")'),
    ]
    if algorithm in ("zstd", "lz4", "gzip", "zlib"):
        statements.append(("function", "haagenti.decompress(packed)"))
    return [Call(manner, statement, names, linked(algorithm)) for manner, statement in statements]


def package_statements(algorithm: str) -> list[tuple[str, str, str]]:
    """(package, how it compresses, how it decompresses); m is the package, c and d its objects."""
    found = {
        "zstd": [("zstandard", "c.compress(data)", "d.decompress(packed)")],
        "lz4": [("lz4.frame", "m.compress(data)", "m.decompress(packed)")],
        "lz4_block": [("lz4.block", "m.compress(data, store_size=False)", "m.decompress(packed, 64)")],
        "brotli": [("brotli", "m.compress(data, quality=1)", "m.decompress(packed)")],
    }.get(algorithm, [])
    if algorithm in WINDOW_BITS:
        bits = WINDOW_BITS[algorithm]
        for name in ("zlib", "zlib_ng.zlib_ng", "isal.isal_zlib"):
            found.append((name, f"m.compress(data, {LEVELS[algorithm]}, {bits})", f"m.decompress(packed, {bits})"))
    if algorithm not in ("lz4hc", "lz4_block"):
        found.append(("cramjam", f"m.{algorithm}.compress(data, {LEVELS[algorithm]})", f"m.{algorithm}.decompress(packed)"))
    return found


def package_calls(algorithm: str, way: str, packed: bytes) -> Iterator[Call]:
    """Of the packages that are installed."""
    for name, *statements in package_statements(algorithm):
        m = package(name)
        if m is None:
            continue
        names: dict[str, object] = {"m": m, "data": DATA, "packed": packed}
        if name == "zstandard":
            names |= {"c": m.ZstdCompressor(level=1), "d": m.ZstdDecompressor()}
        statement = statements[way == "decompress"]
        versions = peer_versions()
        library = versions.get(name) or versions[name.split(".")[0]]
        yield Call("package", statement, names, library, f"{name}: {statement}")


def verify(call: Call, way: str, algorithm: str) -> None:
    """Raises unless the call's result is right."""
    result = eval(call.statement, dict(call.names))
    if isinstance(result, int):
        result = bytes(memoryview(call.names["array" if "array" in call.statement else "out"])[:result])  # type: ignore[arg-type]
    restored = haagenti.decompress(result, algorithm, len(DATA)) if way == "compress" else bytes(result)
    if restored != DATA:
        raise AssertionError(f"{call.shown or call.statement}: wrong result")


def best_times(calls: list[Call], c: Callable[[], tuple[int, float]], repeats: int) -> tuple[list[float], float]:
    """Best seconds of each call, an empty loop taken off, and of the C call."""
    empty = Timer("pass")
    timers = [call.timer() for call in calls]
    loops = [max(100, int(SAMPLE_S * 500 / timer.timeit(500))) for timer in timers]
    best, best_c, best_empty = [float("inf")] * len(calls), float("inf"), float("inf")
    for _ in range(repeats):
        best_c = min(best_c, c()[1])
        best_empty = min(best_empty, empty.timeit(EMPTY_LOOPS) / EMPTY_LOOPS)
        best = [min(old, timer.timeit(n) / n) for old, timer, n in zip(best, timers, loops, strict=True)]
    return [seconds - best_empty for seconds in best], best_c


def measure_way(algorithm: str, way: str, repeats: int) -> Iterator[Row]:
    """A row a call."""
    packed = haagenti.compress(DATA, algorithm, LEVELS[algorithm])
    src = np.frombuffer(DATA if way == "compress" else packed, np.uint8)
    room = np.ones(haagenti.compress_bound(len(DATA), algorithm) if way == "compress" else len(DATA), np.uint8)
    own = compress_calls(algorithm) if way == "compress" else decompress_calls(algorithm, packed)
    calls = [*own, *package_calls(algorithm, way, packed)]
    for call in calls:
        verify(call, way, algorithm)
    c = CCodec(algorithm, LEVELS[algorithm])
    loops = max(100, int(SAMPLE_S / c.runner(way, src, room, 500)()[1]))
    seconds, c_seconds = best_times(calls, c.runner(way, src, room, loops), repeats)
    for call, time in zip(calls, seconds, strict=True):
        difference, goal = 1e9 * (time - c_seconds), GOALS.get(call.manner)
        reached = "" if goal is None else "yes" if difference <= goal else "NO"
        about: Row = {"algorithm": algorithm, "level": LEVELS[algorithm], "way": way, "manner": call.manner}
        times: Row = {
            "call": call.shown or call.statement,
            "ns": 1e9 * time,
            "C call ns": 1e9 * c_seconds,
            "difference ns": difference,
            "goal ns": goal,
            "reached": reached,
        }
        yield {**about, **times, "library": call.library}


def run(quick: bool, full: bool) -> None:
    """Measures, prints and writes the CSV."""
    del full
    everything: list[Row] = []
    for way in ("compress", "decompress"):
        rows = [row for algorithm in LEVELS for row in measure_way(algorithm, way, 15 if quick else 150)]
        print_table(f"{way} {len(DATA)} bytes: best time of a call, and what it takes longer than the C call", COLUMNS, rows)
        everything += rows
    for manner, goal in GOALS.items():
        judged = [row for row in everything if row["manner"] == manner]
        print(f"{manner}: {sum(row['reached'] == 'yes' for row in judged)} of {len(judged)} calls within {goal:.0f} ns of the C call")
    write_csv("codecs_overhead", everything)
