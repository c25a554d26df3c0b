"""How fast are int8 and int4 encoded and decoded on one core, in cache and from DRAM, beside a copy and numpy?

    python benchmarks/int_codes.py

`share_of_copy` compares a decoder with a copy that reads a record's bytes, writes as many as the decoder does, and computes nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial

import ml_dtypes
import numpy as np

import haagenti
import streaming_copy
from haagenti.record import Record
from harness import Candidate, Timing, measure, report

BF16 = np.dtype(ml_dtypes.bfloat16)
SIZES = {"in cache, 512 x 1024": ((512, 1024), 50), "from and to DRAM, 8192 x 16384": ((8192, 16384), 1)}
ENCODINGS = ["int4", "int4(group_size=128)", "int8", "int8(group_size=32)"]


def numpy_decode(record: Record, out: np.ndarray, group: int) -> None:
    """int4 as a numpy user would decode it; the oracle of the verification too."""
    codes, scales = (np.frombuffer(record.data, np.uint8)[s["offset"] : s["offset"] + s["n_bytes"]] for s in record.view.segments)
    packed = codes.reshape(out.shape[0], -1)
    q = np.empty(out.shape, np.int8)
    q[:, 0::2] = packed & 15
    q[:, 1::2] = packed >> 4
    q -= 8
    values = q.reshape(-1, group).astype(np.float32) * scales.view(np.float16).astype(np.float32)[:, None]
    out[...] = values.reshape(out.shape)


def equal_to(out: np.ndarray, expected: np.ndarray) -> None:
    """Raises unless both hold the same bits."""
    if not np.array_equal(out.view(np.uint8), expected.view(np.uint8)):
        raise AssertionError("a decoder's output is wrong")


def decoders(x: np.ndarray, encoding: str, dtype: np.dtype, loops: int) -> Iterator[Candidate]:
    """A copy that reads a record's bytes and writes as many as the decoder does, then the decoder."""
    record = haagenti.encode(x, encoding)
    out = np.zeros(x.shape, dtype)
    expected = haagenti.decode(record, dtype="F32").astype(dtype)
    src, dst = np.array(record.data), streaming_copy.aligned(out.nbytes)
    copy = streaming_copy.load()
    notes: dict[str, object] = {"bytes_per_weight": (record.n_bytes + out.nbytes) / x.size}
    yield Candidate(f"streaming copy of {encoding} to {dtype.name}", lambda: copy(dst, src), x.size / 1e9, None, notes.copy(), loops)
    yield Candidate(
        f"{encoding} -> {dtype.name}",
        lambda: haagenti.decode(record, out=out),
        x.size / 1e9,
        lambda: equal_to(out, expected),
        notes.copy(),
        loops,
    )


def encoders(x: np.ndarray, encoding: str, loops: int) -> Iterator[Candidate]:
    """Both rules for the scales."""
    for scale in ("max", "search"):
        record = haagenti.encode(x, encoding, scale=scale)
        notes: dict[str, object] = {
            "bytes_per_weight": (record.n_bytes + x.nbytes) / x.size,
            "snr_db": record.error.snr_db,
            "bits_per_weight": record.bits_per_weight,
        }
        run = partial(haagenti.encode, x, encoding, scale=scale)
        yield Candidate(f"bf16 -> {encoding}, {scale}", run, x.size / 1e9, None, notes, max(1, loops // 8))


def numpy_peer(x: np.ndarray) -> Iterator[Candidate]:
    """The decoder in numpy."""
    record = haagenti.encode(x, "int4")
    out = np.zeros(x.shape, BF16)
    expected = haagenti.decode(record)
    yield Candidate(
        "int4 -> bf16 in numpy",
        lambda: numpy_decode(record, out, 32),
        x.size / 1e9,
        lambda: equal_to(out, expected),
        {"bytes_per_weight": 2.5625},
    )


def with_share(timings: list[Timing]) -> list[Timing]:
    """Adds to each decoder its rate as a share of the copy before it."""
    for copy, t in itertools.pairwise(timings):
        if copy.name.startswith("streaming copy"):
            t.notes["share_of_copy"] = t.best_rate / copy.best_rate
    return timings


def main() -> None:
    """Measures and reports."""
    haagenti.set_num_threads(1)
    timings = []
    for case, (shape, loops) in SIZES.items():
        x = np.random.default_rng(0).standard_normal(shape, dtype=np.float32).astype(BF16)
        src, dst = np.ones(x.nbytes, np.uint8), np.zeros(x.nbytes, np.uint8)
        memcpy = Candidate("memcpy of the bf16", partial(np.copyto, dst, src), x.size / 1e9, None, {"bytes_per_weight": 4.0}, loops)
        for encoding in ENCODINGS:
            peers = [
                memcpy,
                *decoders(x, encoding, BF16, loops),
                *decoders(x, encoding, np.dtype(np.float32), loops),
                *encoders(x, encoding, loops),
            ]
            if encoding == "int4" and loops > 1:
                peers += numpy_peer(x)
            timings += with_share(measure(f"{encoding}, {case}", peers))
    report("int8 and int4 on one core: encode and decode", "Gw/s", timings, "int_codes")


if __name__ == "__main__":
    main()
