"""The ways to compress that are compared: haagenti's, and those of the packages people use, at the same level.

Not responsible for timing. A package that is not installed is left out.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from types import ModuleType

import numpy as np

import haagenti

# A call takes data and warm memory for the result. It returns the bytes written there, or a bytes object of its own.
Call = Callable[[np.ndarray, np.ndarray], "int | bytes"]
ISAL_LEVELS = {1: 1, 6: 2, 9: 3}  # ISA-L has 0 to 3
RAW, ZLIB, GZIP = -15, 15, 31  # the window bits by which zlib names the formats
WINDOW_BITS = {"deflate": RAW, "zlib": ZLIB, "gzip": GZIP}


@dataclass(frozen=True)
class Method:
    """A package doing one algorithm at one level.

    Attributes:
        name: Of the package and the manner.
        library: The C library that does the work there, with its version.
        compress: See `Call`.
        decompress: See `Call`; the memory has exactly the size of the result.
    """

    name: str
    library: str
    compress: Call
    decompress: Call


@cache
def package(name: str) -> ModuleType | None:
    """None, with a message, when it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        print(f"{name} is left out: {error}", file=sys.stderr)
        return None


@cache
def linked(algorithm: str) -> str:
    """Libraries behind an algorithm of haagenti, with versions."""
    row = next(row for row in haagenti.algorithms() if row.name == algorithm)
    pairs = zip(row.library.split(", "), row.library_version.split(", "), strict=False)
    return ", ".join(f"{library} {version}" for library, version in pairs)


def peer_versions() -> dict[str, str]:
    """The library behind each package, as it says itself."""
    found = {}
    for name, describe in _DESCRIPTIONS.items():
        module = package(name)
        if module is not None:
            found[name] = describe(module)
    return found


_DESCRIPTIONS: dict[str, Callable[[ModuleType], str]] = {
    "zstandard": lambda m: "zstd " + ".".join(map(str, m.ZSTD_VERSION)),
    "lz4": lambda m: f"lz4 {m.library_version_string()}",
    "brotli": lambda m: f"brotli {m.__version__}",
    "cramjam": lambda m: f"cramjam {m.__version__}",
    "isal": lambda m: f"ISA-L {m.ISAL_VERSION}",
    "zlib_ng.zlib_ng": lambda m: f"zlib-ng {m.ZLIBNG_RUNTIME_VERSION}",
    "zlib": lambda m: f"zlib {m.ZLIB_RUNTIME_VERSION}",
}


def haagenti_methods(algorithm: str, level: int) -> Iterator[Method]:
    """One-shot functions: into warm memory, and returning bytes. Told the size before they decompress, as others are."""
    library = linked(algorithm)
    yield Method(
        "haagenti into",
        library,
        lambda data, out: haagenti.compress_into(data, out, algorithm, level),
        lambda data, out: haagenti.decompress_into(data, out, algorithm),
    )
    yield Method(
        "haagenti bytes",
        library,
        lambda data, out: haagenti.compress(data, algorithm, level),
        lambda data, out: haagenti.decompress(data, algorithm, size=out.nbytes),
    )


def peers(algorithm: str, level: int) -> Iterator[Method]:
    """Those that are installed and know the level."""
    if algorithm == "zstd":
        yield from _zstandard(level)
    elif algorithm in ("lz4", "lz4hc"):
        yield from _lz4_frame(level)
    elif algorithm == "lz4_block":
        yield from _lz4_block(level)
    elif algorithm == "brotli":
        yield from _brotli(level)
    elif level <= 9:
        yield from _zlib_like(algorithm, level)
    yield from _cramjam(algorithm, level)


def _zstandard(level: int) -> Iterator[Method]:
    m = package("zstandard")
    if m is not None:
        compressor, decompressor = m.ZstdCompressor(level=level), m.ZstdDecompressor()
        call = lambda data, out: compressor.compress(data)  # noqa: E731
        yield Method("python-zstandard", peer_versions()["zstandard"], call, lambda data, out: decompressor.decompress(data))


def _lz4_frame(level: int) -> Iterator[Method]:
    m = package("lz4.frame")
    if m is not None:
        compress = partial(m.compress, compression_level=level, block_linked=False, block_size=m.BLOCKSIZE_MAX4MB)
        yield Method("lz4.frame", peer_versions()["lz4"], lambda data, out: compress(data), lambda data, out: m.decompress(data))


def _lz4_block(level: int) -> Iterator[Method]:
    m = package("lz4.block")
    if m is not None and level == 0:
        yield Method(
            "lz4.block",
            peer_versions()["lz4"],
            lambda data, out: m.compress(data, store_size=False),
            lambda data, out: m.decompress(data, uncompressed_size=out.nbytes),
        )


def _brotli(level: int) -> Iterator[Method]:
    m = package("brotli")
    if m is not None:
        compress = partial(m.compress, quality=level)
        yield Method("brotli", peer_versions()["brotli"], lambda data, out: compress(data), lambda data, out: m.decompress(data))


def _zlib_like(algorithm: str, level: int) -> Iterator[Method]:
    """zlib, and two packages with its interface. Each is told the size before it decompresses."""
    wbits = WINDOW_BITS[algorithm]
    for title, module in (("zlib", "zlib"), ("zlib_ng", "zlib_ng.zlib_ng"), ("isal", "isal.isal_zlib")):
        m = package(module)
        own_level = ISAL_LEVELS.get(level) if title == "isal" else level
        if m is None or own_level is None:
            continue
        name = f"isal {own_level}" if title == "isal" else title
        compress, decompress = partial(m.compress, level=own_level, wbits=wbits), partial(m.decompress, wbits=wbits)
        library = peer_versions()["isal" if title == "isal" else module]
        yield Method(name, library, lambda data, out, c=compress: c(data), lambda data, out, d=decompress: d(data, bufsize=out.nbytes))


def _cramjam(algorithm: str, level: int) -> Iterator[Method]:
    """Into warm memory, which it can do too."""
    m = package("cramjam")
    if m is None or algorithm == "lz4_block" or level < 0 or level > {"deflate": 9, "zlib": 9, "gzip": 9}.get(algorithm, 22):
        return
    module = getattr(m, "lz4" if algorithm == "lz4hc" else algorithm)
    yield Method(
        "cramjam into",
        peer_versions()["cramjam"],
        lambda data, out: int(module.compress_into(data, out, level)),
        lambda data, out: int(module.decompress_into(data, out)),
    )
