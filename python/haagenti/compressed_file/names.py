"""Which algorithm a file is for, by its first bytes or its name.

Not responsible for: opening files.
"""

from __future__ import annotations

import os
from functools import cache

from haagenti import _core
from haagenti.byte_codecs import Algorithm, algorithms
from haagenti.errors import InvalidArgumentError

ALIASES = {".zz": "zlib", ".zlib": "zlib", ".deflate": "deflate", ".tgz": "gzip", ".tzst": "zstd", ".tlz4": "lz4"}
"""Suffixes besides the ones that algorithms have in their rows. The first is what files of an algorithm get whose row has none."""
SHORT_MAGIC = frozenset({"gzip", "zlib"})
"""Recognised by two bytes only, which data of WITHOUT_MAGIC may begin with as well."""
WITHOUT_MAGIC = frozenset({"brotli", "deflate"})
SAME_FORMAT = {"lz4hc": "lz4"}
APPENDABLE = ("zstd", "lz4", "lz4hc", "gzip")
"""Algorithms whose frames or members may follow each other in a file."""


@cache
def rows() -> dict[str, Algorithm]:
    """The algorithms by name."""
    return {row.name: row for row in algorithms()}


@cache
def suffixes() -> dict[str, str]:
    """Suffix -> algorithm; of two algorithms with one format the first of the table."""
    found: dict[str, str] = {}
    for row in rows().values():
        if row.suffix and row.streaming:
            found.setdefault(row.suffix, row.name)
    return {**{suffix: name for suffix, name in ALIASES.items() if name in rows()}, **found}


def suffix_of(algorithm: str) -> str:
    """What is added to the name of a file that is compressed."""
    return rows()[algorithm].suffix or next((suffix for suffix, name in ALIASES.items() if name == algorithm), f".{algorithm}")


def algorithm_by_suffix(name: str) -> str | None:
    """The algorithm that a file name's suffix stands for."""
    return suffixes().get(os.path.splitext(name)[1].lower())


def algorithm_by_content(first: bytes, name: str) -> str | None:
    """The algorithm of a file by its first bytes, then by its suffix.

    A short magic number does not outdo the suffix of a format that has none: a brotli file may begin with the bytes of a gzip header.
    """
    by_magic, by_suffix = _core.detect_algorithm(first), algorithm_by_suffix(name)
    if by_magic is None or (by_magic in SHORT_MAGIC and by_suffix in WITHOUT_MAGIC):
        return by_suffix
    return str(by_magic)


def algorithm_to_read(first: bytes, name: str) -> str:
    """As `algorithm_by_content`.

    Raises:
        InvalidArgumentError: Neither the bytes nor the suffix tell.
    """
    algorithm = algorithm_by_content(first, name)
    if algorithm is None:
        raise InvalidArgumentError(
            f"{name or 'the input'}: neither first bytes nor suffix name an algorithm (suffixes: {known_suffixes()}); give algorithm"
        )
    return algorithm


def algorithm_to_write(name: str) -> str:
    """The algorithm of a file to be written.

    Raises:
        InvalidArgumentError: The suffix does not tell.
    """
    algorithm = algorithm_by_suffix(name)
    if algorithm is None:
        raise InvalidArgumentError(f"{name or 'the output'}: its suffix names no algorithm (known: {known_suffixes()}); give algorithm")
    return algorithm


def check_appendable(name: str, algorithm: str, first: bytes) -> None:
    """Refuses to append what could not be read afterwards.

    Args:
        name: The file, for the message.
        algorithm: What would be appended.
        first: What the file begins with; nothing for a new one.

    Raises:
        InvalidArgumentError: Streams of the algorithm do not follow each other, or the file holds something else.
    """
    if algorithm not in APPENDABLE:
        raise InvalidArgumentError(f"mode 'a': only streams of {', '.join(APPENDABLE)} may follow each other, not of {algorithm}")
    found = _core.detect_algorithm(first) if first else algorithm
    if SAME_FORMAT.get(found, found) != SAME_FORMAT.get(algorithm, algorithm):
        raise InvalidArgumentError(f"{name}: begins as {found or 'no known'} data; {algorithm} cannot be appended to it")


def known_suffixes() -> str:
    """The suffixes, for messages."""
    return ", ".join(sorted(suffixes()))


def file_checksum(algorithm: str, checksum: bool | None) -> bool | None:
    """Files have a checksum where the format offers one, unless it is declined."""
    row = rows().get(algorithm)
    return True if checksum is None and row is not None and row.checksum == "optional" else checksum
