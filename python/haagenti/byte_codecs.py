"""The table of byte-compression algorithms, as users look at it.

Not responsible for: compressing (`haagenti.compress` and the classes beside it).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from haagenti import _core

__all__ = ["Algorithm", "algorithms"]


@dataclass(frozen=True)
class Algorithm:
    """What an algorithm is and can do.

    Attributes:
        name: What functions and files call it.
        id: Its number in haagenti's own formats.
        levels: Levels for whole buffers, as the library numbers them.
        streaming_levels: Levels for streams; None where there are none.
        words: The levels that ``"fast"``, ``"default"`` and ``"best"`` stand for; in a stream not above ``streaming_levels``.
        library: C libraries that do the work.
        library_version: Their versions, in the same order.
        streaming: Whether it has streams: `haagenti.streaming`, `haagenti.open`.
        dictionary: Whether it takes a dictionary.
        checksum: Whether the format has a checksum: never, always, or when asked for.
        threads: Whether it compresses with several threads.
        parallel_decode: Whether what was made for it is decompressed with several threads.
        suffix: Of files, with the dot; empty where there is no convention.
    """

    name: str
    id: int
    levels: range
    streaming_levels: range | None
    words: Mapping[str, int] = field(hash=False)
    library: str
    library_version: str
    streaming: bool
    dictionary: bool
    checksum: Literal["never", "optional", "always"]
    threads: bool
    parallel_decode: bool
    suffix: str


def algorithms() -> list[Algorithm]:
    """Every byte-compression algorithm of this build.

    Example:
        >>> [row.name for row in algorithms() if row.checksum == "always"]
        ['zlib', 'gzip']
    """
    return [_algorithm(row) for row in _core.algorithms()]


def _algorithm(row: dict) -> Algorithm:
    lowest, highest, highest_streaming = (row.pop(name) for name in ("lowest_level", "highest_level", "highest_streaming_level"))
    streaming_levels = range(lowest, highest_streaming + 1) if row["streaming"] else None
    row["words"] = MappingProxyType(row["words"])
    return Algorithm(levels=range(lowest, highest + 1), streaming_levels=streaming_levels, **row)
