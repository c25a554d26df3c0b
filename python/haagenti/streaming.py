"""Compressing and decompressing streams that come in chunks.

Not responsible for: files (`haagenti.open`) or whole buffers (`haagenti.compress`, `haagenti.decompress`).

Example:
    >>> with Encoder("zstd", level=3) as encoder:
    ...     packed = b"".join(encoder.write(bytes(100)) for _ in range(10)) + encoder.finish()
    >>> Decoder("zstd", max_size=1000).write(packed) == bytes(1000)
    True
"""

from __future__ import annotations

from haagenti._core import Decoder, Encoder

__all__ = ["Decoder", "Encoder"]
"""See ``help(Encoder)`` and ``help(Decoder)``."""
