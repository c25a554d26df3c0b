"""Makes haagenti's algorithms compressions of fsspec: ``fsspec.open(path, compression="haagenti.zstd")``.

Importing this module registers ``"haagenti."`` followed by the name of each algorithm that has streams. The names that fsspec has
(``"gzip"``, ``"zstd"``) stay as they are; so does every file suffix that it knows, and only the others are inferred as haagenti's.

Not responsible for: how compressed files are read and written (`haagenti.open`).

Example:
    >>> import fsspec
    >>> with fsspec.open("memory://weights.zst", "wb", compression="haagenti.zstd") as file:
    ...     n = file.write(b"weights" * 1000)
    >>> with fsspec.open("memory://weights.zst", "rb", compression="haagenti.zstd") as file:
    ...     file.read() == b"weights" * 1000
    True
"""

from __future__ import annotations

import functools
import io
from typing import Any

import fsspec.utils
from fsspec.compression import available_compressions, register_compression

from haagenti._core import Encoder
from haagenti.byte_codecs import algorithms
from haagenti.compressed_file import names
from haagenti.compressed_file.reader import BUFFER_SIZE, FIRST_SIZE, DecodedFile
from haagenti.compressed_file.sinks import Direct
from haagenti.compressed_file.writer import CompressedWriter

__all__ = ["register"]


def register() -> list[str]:
    """Registers what is not registered yet; importing the module has done so.

    Returns:
        The names that were added.

    Example:
        >>> register()
        []
    """
    added = []
    for algorithm in algorithms():
        name = f"haagenti.{algorithm.name}"
        if not algorithm.streaming or name in available_compressions():
            continue
        extension = algorithm.suffix.removeprefix(".")
        extensions = [extension] if extension and extension not in fsspec.utils.compressions else []
        register_compression(name, functools.partial(_open_inside, algorithm.name), extensions)
        added.append(name)
    return added


def _open_inside(
    algorithm: str,
    infile: Any,
    mode: str = "rb",
    *,
    level: int | str | None = None,
    threads: int = 1,
    dictionary: Any = None,
    checksum: bool | None = None,
) -> io.BufferedReader | CompressedWriter:
    """A file of decompressed bytes around one of compressed bytes, which it closes: file systems of fsspec forget theirs.

    fsspec gives the mode without its "b", and no options.
    """
    kind = mode.replace("b", "")
    if kind == "r":
        start = infile.tell() if infile.seekable() else None
        return io.BufferedReader(DecodedFile(infile, b"", start, algorithm, dictionary=dictionary, threads=threads), BUFFER_SIZE)
    if kind == "a":
        names.check_appendable(str(getattr(infile, "path", "")), algorithm, _first_bytes(infile))
    encoder = Encoder(algorithm, level, dictionary, threads, names.file_checksum(algorithm, checksum))
    return CompressedWriter(Direct(infile, close_file=True), encoder, getattr(infile, "name", ""), f"{kind}b")


def _first_bytes(infile: Any) -> bytes:
    """What a file that is appended to begins with, where its file system can say so."""
    file_system, path = getattr(infile, "fs", None), getattr(infile, "path", None)
    if file_system is None or path is None:
        return b""
    try:
        return bytes(file_system.cat_file(path, start=0, end=FIRST_SIZE))
    except (OSError, NotImplementedError):  # nothing is there yet, or it cannot be read
        return b""


register()
