"""The algorithms, inputs and levels that the tests of this folder go through, and ways to compress the same bytes.

Not responsible for: what is expected of them.
"""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Iterator

import ml_dtypes
import numpy as np

import haagenti
from haagenti.streaming import Decoder, Encoder

TABLE = {row.name: row for row in haagenti.algorithms()}
NAMES = list(TABLE)
STREAMING = [row.name for row in TABLE.values() if row.streaming]
THREADED = [row.name for row in TABLE.values() if row.threads]
WITH_DICTIONARY = [row.name for row in TABLE.values() if row.dictionary]
WITH_CHECKSUM = [row.name for row in TABLE.values() if row.checksum != "never"]
DETECTED = ["zstd", "lz4", "lz4hc", "zlib", "gzip"]
WITH_FRAMES = ["zstd", "lz4", "lz4hc", "gzip"]  # one frame or member may follow another

# Levels that are quick enough for 1 MB.
CHEAP_HIGH = {"zstd": 9, "lz4": None, "lz4hc": 9, "lz4_block": 9, "brotli": 6, "deflate": 7, "zlib": 7, "gzip": 7}

KINDS = ("random", "text", "zeros", "bf16")


@functools.cache
def sample(kind: str, n_bytes: int) -> bytes:
    """The first n_bytes of a kind of data, always the same."""
    rng = np.random.default_rng(20)
    if kind == "random":
        return rng.bytes(n_bytes)
    if kind == "text":
        words = [b"layer", b"weight", b"attention", b"projection", b"of", b"the", b"model", b"norm", b"bias", b"and"]
        order = rng.integers(0, len(words), n_bytes // 2 + 1)
        return b" ".join(words[i] for i in order)[:n_bytes]
    if kind == "zeros":
        return bytes(n_bytes)
    values = rng.normal(0, 0.02, n_bytes // 2 + 1).astype(ml_dtypes.bfloat16)
    return values.tobytes()[:n_bytes]


def levels(name: str) -> list[int]:
    """The lowest sensible level, the default and a high one that is still quick; no level twice."""
    row = TABLE[name]
    high = CHEAP_HIGH[name]
    lowest = max(row.levels[0], -5)
    wanted = {lowest, row.words["default"], row.levels[-1] if high is None else min(high, row.levels[-1])}
    return sorted(wanted)


def most_threads(name: str) -> list[int]:
    """Numbers of threads to compress with."""
    return [1, 2] if TABLE[name].threads else [1]


def unpack(packed: bytes, name: str, data: bytes, **options: object) -> bytes:
    """Decompresses what should be data, giving its size where the format needs that."""
    if name == "lz4_block":
        options["size"] = len(data)
    return haagenti.decompress(packed, name, **options)


def chunks_of(data: bytes, n_bytes: int) -> Iterator[memoryview]:
    """The data in chunks, the last perhaps shorter."""
    view = memoryview(data)
    for start in range(0, len(view), n_bytes):
        yield view[start : start + n_bytes]


def encode_stream(data: bytes, name: str, chunk: int, **options: object) -> bytes:
    """Compresses with an Encoder, chunk by chunk."""
    encoder = Encoder(name, **options)
    written = [encoder.write(part) for part in chunks_of(data, chunk)]
    return b"".join(written) + encoder.finish()


def decode_stream(packed: bytes, name: str, chunk: int, **options: object) -> bytes:
    """Decompresses with a Decoder, chunk by chunk."""
    decoder = Decoder(name, **options)
    written = [decoder.write(part) for part in chunks_of(packed, chunk)]
    return b"".join(written) + decoder.finish()


def run_python(code: str, *, limit_mib: int | None = None, timeout: int = 120) -> str:
    """What a fresh interpreter prints when it runs code, with at most that much address space; fails unless it ends well."""
    if limit_mib is not None:
        code = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({limit_mib} << 20, {limit_mib} << 20))\n{code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _compressed_into(data: object) -> bytes:
    out = bytearray(100_000)
    return bytes(out[: haagenti.compress_into(data, out, "gzip")])


def _compressed_as_stream(data: object) -> bytes:
    encoder = Encoder("zlib")
    return encoder.write(data) + encoder.finish()


# Ways for data to go through the library and come back.
THERE_AND_BACK = {
    "compress": lambda data: haagenti.decompress(haagenti.compress(data)),
    "Compressor": lambda data: haagenti.decompress(haagenti.Compressor("lz4").compress(data)),
    "compress_into": lambda data: haagenti.decompress(_compressed_into(data)),
    "Encoder": lambda data: haagenti.decompress(_compressed_as_stream(data), "zlib"),
}
