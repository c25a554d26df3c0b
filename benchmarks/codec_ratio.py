"""Part of codecs.py: how small and how fast is every algorithm at several levels, beside other packages at the same level?

Not responsible for the picture (`codec_plot.py`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from time import perf_counter

import numpy as np

import codec_plot
import haagenti
from codec_data import Dataset, datasets
from codec_peers import Method, haagenti_methods, peers
from codec_table import Row, print_table, write_csv
from harness import REPEATS, Candidate, measure

LEVELS = {
    "zstd": (-5, 1, 3, 9, 19),
    "lz4": (-7, 0),
    "lz4hc": (3, 9, 12),
    "lz4_block": (0,),
    "brotli": (1, 5, 9, 11),
    "gzip": (1, 6, 9, 12),
    "zlib": (6,),
    "deflate": (6,),
}
SPARE = 1 << 10  # cramjam writes frames that may be larger than other libraries' bound
QUICK_MOST = 6
FEW_REPEATS_S = 0.3  # a pass that takes longer is repeated less often,
ONCE_S = 3.0  # from here on it is not repeated,
ONE_PEER_S = 10.0  # and from here on there is one peer
HEADINGS = {
    **{key: key for key in ("algorithm", "level", "name", "ratio")},
    "compress_MB/s": "compress MB/s",
    "compress_median_MB/s": "median",
    "compress_ours_over_it": "ours/it",
    "decompress_MB/s": "decompress MB/s",
    "decompress_median_MB/s": "median",
    "decompress_ours_over_it": "ours/it",
    "samples": "samples",
}


class Work:
    """A method on all files of a dataset. Results go into the same warm memory, one after another."""

    def __init__(self, method: Method, files: Sequence[np.ndarray], algorithm: str) -> None:
        self.method, self.files = method, files
        largest = max(file.nbytes for file in files)
        self.room = np.ones(haagenti.compress_bound(largest, algorithm) + largest // 8 + SPARE, np.uint8)
        self.restored = np.ones(largest, np.uint8)
        self.packed: list[np.ndarray] = []

    def compress(self) -> None:
        """Once over all files."""
        for file in self.files:
            self.method.compress(file, self.room)

    def decompress(self) -> None:
        """Once over all results of `prepare`."""
        for file, packed in zip(self.files, self.packed, strict=True):
            self.method.decompress(packed, self.restored[: file.nbytes])

    def prepare(self) -> tuple[float, float]:
        """Compresses and decompresses once and checks that nothing changed. Returns the seconds of both."""
        packing = unpacking = 0.0
        for file in self.files:
            start = perf_counter()
            packed = self.method.compress(file, self.room)
            packing += perf_counter() - start
            self.packed.append(_result(packed, self.room).copy())
            self.restored[:] = 0
            start = perf_counter()
            restored = self.method.decompress(self.packed[-1], self.restored[: file.nbytes])
            unpacking += perf_counter() - start
            if not np.array_equal(_result(restored, self.restored), file):
                raise AssertionError(f"{self.method.name}: a round trip changed the data")
        return packing, unpacking


def _result(result: int | bytes, room: np.ndarray) -> np.ndarray:
    return room[:result] if isinstance(result, int) else np.frombuffer(result, np.uint8)


def prepared(algorithm: str, level: int, files: Sequence[np.ndarray]) -> Iterator[tuple[Work, float, float]]:
    """Works that were verified, with the seconds that each way took; haagenti's first."""
    into, as_bytes = haagenti_methods(algorithm, level)
    work = Work(into, files, algorithm)
    seconds = work.prepare()
    yield work, *seconds
    others = itertools.islice(peers(algorithm, level), 1) if seconds[0] > ONE_PEER_S else (as_bytes, *peers(algorithm, level))
    for method in others:
        other = Work(method, files, algorithm)
        yield other, *other.prepare()


def n_repeats(slowest: float, repeats: int) -> int:
    """Fewer for what takes long; 0 when the first pass has to do."""
    if slowest > ONCE_S:
        return 0
    return min(repeats, 3) if slowest > FEW_REPEATS_S else repeats


def rates(works: Sequence[Work], way: str, first: Sequence[float], megabytes: float, repeats: int) -> Iterator[tuple[float, float, int]]:
    """Best and median MB/s of each work, and the number of samples."""
    samples = n_repeats(max(first), repeats)
    if samples == 0:
        yield from ((megabytes / seconds, megabytes / seconds, 1) for seconds in first)
        return
    for t in measure(way, [Candidate(work.method.name, getattr(work, way), megabytes) for work in works], samples):
        yield t.best_rate, t.median_rate, samples


def measure_level(dataset: Dataset, algorithm: str, level: int, repeats: int) -> list[Row]:
    """One row a method."""
    works, to_pack, to_unpack = zip(*prepared(algorithm, level, dataset.files), strict=True)
    megabytes = dataset.n_bytes / 1e6
    packings = list(rates(works, "compress", to_pack, megabytes, repeats))
    unpackings = list(rates(works, "decompress", to_unpack, megabytes, repeats))
    rows: list[Row] = []
    for work, (packing, packing_median, samples), (unpacking, unpacking_median, _) in zip(works, packings, unpackings, strict=True):
        rows.append(
            {
                "data": dataset.name,
                "algorithm": algorithm,
                "level": level,
                "name": work.method.name,
                "ratio": dataset.n_bytes / sum(packed.nbytes for packed in work.packed),
                "compress_MB/s": packing,
                "compress_median_MB/s": packing_median,
                "compress_ours_over_it": packings[0][0] / packing,
                "decompress_MB/s": unpacking,
                "decompress_median_MB/s": unpacking_median,
                "decompress_ours_over_it": unpackings[0][0] / unpacking,
                "samples": samples,
                "library": work.method.library,
            }
        )
    return rows


def run(quick: bool, full: bool) -> None:
    """Measures, prints, writes the CSV and the pictures."""
    most = (1 if quick else 1 << 10 if full else 2) << 20
    everything: list[Row] = []
    for dataset in datasets(most, (2 if quick else 16) << 20):
        rows = []
        for algorithm, level in ((name, level) for name in LEVELS for level in LEVELS[name] if not quick or level <= QUICK_MOST):
            rows += measure_level(dataset, algorithm, level, 3 if quick else REPEATS)
        size = f"{len(dataset.files)} files, {dataset.n_bytes / 1e6:.1f} MB"
        print_table(f"{dataset.name}: {size}; ours/it: how many times as fast haagenti into is", HEADINGS, rows)
        everything += rows
    write_csv("codecs_ratio", everything)
    codec_plot.draw_all(everything)
