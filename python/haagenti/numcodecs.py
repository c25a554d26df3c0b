"""Codecs of numcodecs that compress with haagenti: ``numcodecs.get_codec({"id": "haagenti.zstd", "level": 3})``.

They are found by their ids once haagenti is installed, and registered when this module is imported. They write what every tool reads:
numcodecs' own codecs decode the output of `Zstd`, `Zlib`, `Gzip` and `Lz4Block`, and the other way round.

Not responsible for: zarr's format 3 (`haagenti.zarr`); format 2 takes these codecs as they are.

Example:
    >>> import numcodecs
    >>> codec = numcodecs.get_codec({"id": "haagenti.zstd", "level": "fast"})
    >>> bytes(codec.decode(codec.encode(b"weights" * 100))) == b"weights" * 100
    True
"""

from __future__ import annotations

from typing import Any, ClassVar

from numcodecs.abc import Codec
from numcodecs.compat import ensure_contiguous_ndarray
from numcodecs.registry import register_codec

from haagenti import _core
from haagenti.errors import CorruptError, InvalidArgumentError, TruncatedError

__all__ = ["Brotli", "Deflate", "Gzip", "Lz4", "Lz4Block", "Lz4Hc", "Zlib", "Zstd"]


class _HaagentiCodec(Codec):
    """What all have in common: a level, and whole buffers.

    Args:
        level: As `haagenti.compress` takes it; kept as a number.
    """

    algorithm: ClassVar[str]

    def __init__(self, level: int | str | None = None) -> None:
        self._take_options(level)

    def _take_options(self, level: int | str | None, **options: Any) -> None:
        """Checks the options and keeps the level as a number."""
        self._options = options
        self.level: int = _core.Compressor(self.algorithm, level, **options).level

    def get_config(self) -> dict[str, Any]:
        """What `numcodecs.get_codec` makes an equal codec from; `threads` is left out where it is 1."""
        options = {name: value for name, value in self._options.items() if (name, value) != ("threads", 1)}
        return {"id": self.codec_id, "level": self.level, **options}

    def encode(self, buf: Any) -> bytes:
        """Compresses an array or buffer; a Fortran-ordered array in the order of its memory, as numcodecs' own codecs do."""
        return _core.compress(ensure_contiguous_ndarray(buf), self.algorithm, self.level, **self._options)

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Decompresses to bytes, or into out, which must have the right size.

        Raises:
            InvalidArgumentError: out is too small or too large.
            DecompressionError: buf was not written by this format, or is damaged.
        """
        packed = ensure_contiguous_ndarray(buf)
        threads = self._options.get("threads", 1)
        if out is None:
            return _core.decompress(packed, self.algorithm, threads=threads)
        room = ensure_contiguous_ndarray(out)
        self._check_size(room, _core.decompress_into(packed, room, self.algorithm, threads=threads))
        return out

    def _check_size(self, room: Any, n_bytes: int) -> None:
        if n_bytes != room.nbytes:
            raise InvalidArgumentError(f"{self.codec_id}: out holds {room.nbytes} bytes, the data decompresses to {n_bytes}")

    def __repr__(self) -> str:
        options = {name: value for name, value in self.get_config().items() if name != "id"}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in options.items())})"


class _Threaded(_HaagentiCodec):
    """A codec of an algorithm that compresses with several threads.

    Args:
        level: As `haagenti.compress` takes it; kept as a number.
        threads: Threads for each chunk; 0 for the number of processors. What comes out is the same for every number above 1.
    """

    def __init__(self, level: int | str | None = None, threads: int = 1) -> None:
        self._take_options(level, threads=threads)


class _Checked(_HaagentiCodec):
    """A codec of a format that can hold a checksum.

    Args:
        level: As `haagenti.compress` takes it; kept as a number.
        checksum: Whether the data gets a checksum, which decode compares.
        threads: Threads for each chunk; 0 for the number of processors. What comes out is the same for every number above 1.
    """

    def __init__(self, level: int | str | None = None, checksum: bool = False, threads: int = 1) -> None:
        self._take_options(level, checksum=checksum, threads=threads)


class Zstd(_Checked):
    """Zstandard frames; see the arguments of its base class."""

    codec_id = "haagenti.zstd"
    algorithm = "zstd"


class Lz4(_Checked):
    """LZ4 frames, as the tool lz4 reads them (numcodecs' own LZ4 stores raw blocks: `Lz4Block`)."""

    codec_id = "haagenti.lz4"
    algorithm = "lz4"


class Lz4Hc(_Checked):
    """LZ4 frames, compressed better and more slowly."""

    codec_id = "haagenti.lz4hc"
    algorithm = "lz4hc"


class Brotli(_HaagentiCodec):
    """Brotli streams."""

    codec_id = "haagenti.brotli"
    algorithm = "brotli"


class Deflate(_Threaded):
    """Raw deflate streams, without header or checksum."""

    codec_id = "haagenti.deflate"
    algorithm = "deflate"


class Zlib(_Threaded):
    """Deflate streams in zlib's wrapper, as numcodecs' own Zlib."""

    codec_id = "haagenti.zlib"
    algorithm = "zlib"


class Gzip(_Threaded):
    """Gzip members, as numcodecs' own GZip."""

    codec_id = "haagenti.gzip"
    algorithm = "gzip"


class Lz4Block(_HaagentiCodec):
    """One raw LZ4 block behind its decompressed size, four bytes, little-endian: the layout of numcodecs' own LZ4.

    Args:
        level: As `haagenti.compress` takes it; kept as a number.
    """

    codec_id = "haagenti.lz4_block"
    algorithm = "lz4_block"

    _SIZE_BYTES: ClassVar[int] = 4
    _MOST_EXPANSION: ClassVar[int] = 255  # of the block format: a byte stands for at most that many

    def encode(self, buf: Any) -> bytes:
        """Compresses an array or buffer of less than 2 GiB, which is the limit of the format."""
        data = ensure_contiguous_ndarray(buf)
        block = _core.compress(data, self.algorithm, self.level)
        return int(data.nbytes).to_bytes(self._SIZE_BYTES, "little") + block

    def decode(self, buf: Any, out: Any = None) -> Any:
        """As the other codecs; the stored size decides how much is decompressed."""
        packed = memoryview(ensure_contiguous_ndarray(buf).view("u1"))
        n_bytes = self._stored_size(packed)
        block = packed[self._SIZE_BYTES :]
        if out is None:
            return _core.decompress(block, self.algorithm, size=n_bytes)
        room = ensure_contiguous_ndarray(out)
        self._check_size(room, n_bytes)
        if (written := _core.decompress_into(block, room, self.algorithm)) != n_bytes:
            raise CorruptError(f"{self.codec_id}: the block decompresses to {written} bytes, its stored size is {n_bytes}")
        return out

    def _stored_size(self, packed: memoryview) -> int:
        """The size in front of the block, if a block of that length can have it."""
        if len(packed) < self._SIZE_BYTES:
            raise TruncatedError(f"{self.codec_id}: {len(packed)} bytes are too few for the size in front of a block")
        n_bytes, n_packed = int.from_bytes(packed[: self._SIZE_BYTES], "little"), len(packed) - self._SIZE_BYTES
        if n_bytes > self._MOST_EXPANSION * n_packed:
            raise CorruptError(f"{self.codec_id}: the stored size is {n_bytes}, more than {n_packed} bytes can decompress to")
        return n_bytes


for _codec in (Zstd, Lz4, Lz4Hc, Lz4Block, Brotli, Deflate, Zlib, Gzip):
    register_codec(_codec)
