"""safetensors files: a reader over mapped memory that checks the header first; the streaming writer is exported from here too.

Not responsible for: decoding records (`haagenti.files.tensor_file`), which tensors are compressed (`haagenti.files.shard_metadata`).
"""

from __future__ import annotations

import os
from types import TracebackType

from haagenti.errors import InvalidArgumentError
from haagenti.files.byte_source import BufferSource, ByteSource, open_source
from haagenti.files.safetensors_header import TensorInfo, parse_header, parse_header_size
from haagenti.files.safetensors_writer import SafetensorsWriter, TensorSpec, header_size

__all__ = ["SafetensorsReader", "SafetensorsWriter", "TensorInfo", "TensorSpec", "header_size"]

StrPath = str | os.PathLike[str]


class SafetensorsReader:
    """The tensors of a safetensors file, as stored.

    Attributes:
        metadata: ``__metadata__`` of the header, empty when there is none.

    Example:
        >>> import safetensors.numpy, numpy
        >>> reader = SafetensorsReader(safetensors.numpy.save({"w": numpy.ones((2, 3), "f4")}))
        >>> reader.names(), reader.info("w").shape, len(reader.raw("w"))
        (['w'], (2, 3), 24)
    """

    def __init__(self, source: StrPath | bytes | bytearray | memoryview | ByteSource) -> None:
        """Reads and checks the header.

        Args:
            source: A path, which is memory-mapped; the content of a file; or a byte source opened by the caller.

        Raises:
            TruncatedError: The file is cut.
            CorruptError: The header is not valid or disagrees with the file.
            OSError: The file cannot be opened.
        """
        self._source: ByteSource | None = _as_source(source)
        self.name = self._source.name
        size = self._source.size
        n = parse_header_size(bytes(self._source.read(0, min(8, size))), size, self.name)
        self._infos, metadata = parse_header(bytes(self._source.read(8, n)), size, self.name)
        self.metadata: dict[str, str] = metadata or {}

    def names(self) -> list[str]:
        """Names in the order of the data."""
        return list(self._infos)

    def info(self, name: str) -> TensorInfo:
        """Dtype, shape and place of a tensor.

        Raises:
            InvalidArgumentError: There is no such tensor.
        """
        if name not in self._infos:
            raise InvalidArgumentError(f"{self.name}: expected the name of one of its {len(self._infos)} tensors, found {name!r}")
        return self._infos[name]

    def raw(self, name: str) -> memoryview:
        """The stored bytes of a tensor, without a copy when the file is mapped. They stay valid after ``close``.

        Raises:
            InvalidArgumentError: There is no such tensor, or the reader is closed.
        """
        info = self.info(name)
        if self._source is None:
            raise InvalidArgumentError(f"{self.name}: expected an open file, found a closed one")
        return self._source.read(info.offset, info.n_bytes)

    def close(self) -> None:
        """Lets go of the file. Its memory is unmapped when the last view of it is gone."""
        self._source = None

    def __enter__(self) -> SafetensorsReader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _as_source(source: object) -> ByteSource:
    if isinstance(source, (str, os.PathLike)):
        return open_source(source)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return BufferSource(source)
    return source  # type: ignore[return-value]
