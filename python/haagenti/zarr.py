"""Codecs for arrays of zarr's format 3: ``zarr.create_array(..., compressors=haagenti.zarr.Zstd(level=3))``.

zarr finds them by their names once haagenti is installed, and after this module is imported. Each chunk is compressed on one of zarr's
threads.

Not responsible for: zarr's format 2, which takes the codecs of `haagenti.numcodecs`; raw LZ4 blocks, which do not store their size.

Example:
    >>> import numpy, zarr
    >>> array = zarr.create_array({}, shape=(100,), dtype="float32", compressors=Zstd(level="fast", checksum=True))
    >>> array[:] = numpy.arange(100)
    >>> float(array[42])
    42.0
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from zarr.abc.codec import BytesBytesCodec
from zarr.registry import register_codec

from haagenti import _core
from haagenti.errors import InvalidArgumentError

if TYPE_CHECKING:
    from typing_extensions import Self
    from zarr.abc.buffer import Buffer
    from zarr.core.array_spec import ArraySpec

__all__ = ["Brotli", "Deflate", "Gzip", "Lz4", "Lz4Hc", "Zlib", "Zstd"]


def _buffer(data: bytes, chunk_spec: ArraySpec) -> Buffer:
    buffer: Buffer = chunk_spec.prototype.buffer.from_bytes(data)
    return buffer


@dataclass(frozen=True)
class _HaagentiCodec(BytesBytesCodec):
    """What all have in common: a level, and whole chunks.

    Attributes:
        level: As `haagenti.compress` takes it; kept as a number.
    """

    is_fixed_size = False
    algorithm: ClassVar[str]

    level: int | str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "level", _core.Compressor(self.algorithm, **self._options()).level)

    def _options(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Makes a codec from its entry in the metadata of an array.

        Raises:
            InvalidArgumentError: Another codec's entry, or options that it does not have.
        """
        if data.get("name") != f"haagenti.{cls.algorithm}":
            raise InvalidArgumentError(f"the codec's name is {data.get('name')!r}, expected 'haagenti.{cls.algorithm}'")
        options = dict(data.get("configuration") or {})
        known = {field.name for field in fields(cls)}
        if unknown := sorted(options.keys() - known):
            raise InvalidArgumentError(f"haagenti.{cls.algorithm} has no options {unknown}, expected some of {sorted(known)}")
        return cls(**options)

    def to_dict(self) -> dict[str, Any]:
        """The codec's entry in the metadata of an array; `threads` is left out where it is 1."""
        options = {name: value for name, value in self._options().items() if (name, value) != ("threads", 1)}
        return {"name": f"haagenti.{self.algorithm}", "configuration": options}

    def compute_encoded_size(self, _input_byte_length: int, _chunk_spec: ArraySpec) -> int:
        """Not known before compressing."""
        raise NotImplementedError

    def _encode_sync(self, chunk_bytes: Buffer, chunk_spec: ArraySpec) -> Buffer | None:
        packed = _core.compress(chunk_bytes.as_numpy_array(), self.algorithm, **self._options())
        return _buffer(packed, chunk_spec)

    def _decode_sync(self, chunk_bytes: Buffer, chunk_spec: ArraySpec) -> Buffer:
        data = _core.decompress(chunk_bytes.as_numpy_array(), self.algorithm, threads=getattr(self, "threads", 1))
        return _buffer(data, chunk_spec)

    async def _encode_single(self, chunk_bytes: Buffer, chunk_spec: ArraySpec) -> Buffer | None:
        return await asyncio.to_thread(self._encode_sync, chunk_bytes, chunk_spec)

    async def _decode_single(self, chunk_bytes: Buffer, chunk_spec: ArraySpec) -> Buffer:
        return await asyncio.to_thread(self._decode_sync, chunk_bytes, chunk_spec)


@dataclass(frozen=True)
class _Threaded(_HaagentiCodec):
    """A codec of an algorithm that compresses with several threads.

    Attributes:
        threads: Threads for each chunk; 0 for the number of processors. What comes out is the same for every number above 1.
    """

    threads: int = 1


@dataclass(frozen=True)
class _Checked(_Threaded):
    """A codec of a format that can hold a checksum.

    Attributes:
        checksum: Whether each chunk gets a checksum, which reading compares.
    """

    checksum: bool = False


@dataclass(frozen=True)
class Zstd(_Checked):
    """Zstandard frames; level, threads and checksum as `haagenti.compress` takes them."""

    algorithm: ClassVar[str] = "zstd"


@dataclass(frozen=True)
class Lz4(_Checked):
    """LZ4 frames; level, threads and checksum as `haagenti.compress` takes them."""

    algorithm: ClassVar[str] = "lz4"


@dataclass(frozen=True)
class Lz4Hc(_Checked):
    """LZ4 frames, compressed better and more slowly; options as `Lz4`."""

    algorithm: ClassVar[str] = "lz4hc"


@dataclass(frozen=True)
class Brotli(_HaagentiCodec):
    """Brotli streams; level as `haagenti.compress` takes it."""

    algorithm: ClassVar[str] = "brotli"


@dataclass(frozen=True)
class Deflate(_Threaded):
    """Raw deflate streams, without header or checksum; level and threads as `haagenti.compress` takes them."""

    algorithm: ClassVar[str] = "deflate"


@dataclass(frozen=True)
class Zlib(_Threaded):
    """Deflate streams in zlib's wrapper; options as `Deflate`."""

    algorithm: ClassVar[str] = "zlib"


@dataclass(frozen=True)
class Gzip(_Threaded):
    """Gzip members; options as `Deflate`."""

    algorithm: ClassVar[str] = "gzip"


for _codec in (Zstd, Lz4, Lz4Hc, Brotli, Deflate, Zlib, Gzip):
    register_codec(f"haagenti.{_codec.algorithm}", _codec)
