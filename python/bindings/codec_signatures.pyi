# Types of the functions and classes that do not go through pybind11, which the generator cannot see. Their docstrings are codec_docs.h.
import numpy
import types
import typing
import typing_extensions

class _CpuTensor(typing.Protocol):
    """A torch tensor, known by what it can do."""

    def data_ptr(self) -> int: ...
    def is_contiguous(self) -> bool: ...

_Data: typing_extensions.TypeAlias = typing_extensions.Buffer | numpy.ndarray | _CpuTensor
_Level: typing_extensions.TypeAlias = int | str | None

class Compressor:
    def __new__(
        cls,
        algorithm: str,
        level: _Level = None,
        dictionary: ZstdDict | typing_extensions.Buffer | None = None,
        threads: int = 1,
        checksum: bool | None = None,
    ) -> Compressor: ...
    @property
    def algorithm(self) -> str: ...
    @property
    def level(self) -> int: ...
    def compress(self, data: _Data) -> bytes: ...
    def compress_into(self, data: _Data, out: _Data) -> int: ...

class Decompressor:
    def __new__(
        cls,
        algorithm: str | None = None,
        max_size: int | None = None,
        dictionary: ZstdDict | typing_extensions.Buffer | None = None,
        threads: int = 1,
        *,
        allow_trailing: bool = False,
    ) -> Decompressor: ...
    @property
    def algorithm(self) -> str | None: ...
    def decompress(self, data: _Data, size: int | None = None) -> bytes: ...
    def decompress_into(self, data: _Data, out: _Data) -> int: ...

class Encoder:
    def __new__(
        cls,
        algorithm: str,
        level: _Level = None,
        dictionary: ZstdDict | typing_extensions.Buffer | None = None,
        threads: int = 1,
        checksum: bool | None = None,
    ) -> Encoder: ...
    @property
    def algorithm(self) -> str: ...
    def write(self, chunk: _Data) -> bytes: ...
    def flush(self) -> bytes: ...
    def finish(self) -> bytes: ...
    def __enter__(self) -> Encoder: ...
    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None, /) -> None: ...

class Decoder:
    def __new__(
        cls,
        algorithm: str,
        max_size: int | None = None,
        dictionary: ZstdDict | typing_extensions.Buffer | None = None,
        *,
        allow_trailing: bool = False,
        single_frame: bool = False,
    ) -> Decoder: ...
    @property
    def algorithm(self) -> str: ...
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def write(self, chunk: _Data, max_length: int | None = None) -> bytes: ...
    def finish(self) -> bytes: ...
    def __enter__(self) -> Decoder: ...
    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None, /) -> None: ...

def compress(
    data: _Data,
    algorithm: str = "zstd",
    level: _Level = None,
    dictionary: ZstdDict | typing_extensions.Buffer | None = None,
    threads: int = 1,
    checksum: bool | None = None,
) -> bytes: ...
def compress_into(
    data: _Data,
    out: _Data,
    algorithm: str = "zstd",
    level: _Level = None,
    dictionary: ZstdDict | typing_extensions.Buffer | None = None,
    threads: int = 1,
    checksum: bool | None = None,
) -> int: ...
def decompress(
    data: _Data,
    algorithm: str | None = None,
    max_size: int | None = None,
    dictionary: ZstdDict | typing_extensions.Buffer | None = None,
    threads: int = 1,
    size: int | None = None,
    *,
    allow_trailing: bool = False,
) -> bytes: ...
def decompress_into(
    data: _Data,
    out: _Data,
    algorithm: str | None = None,
    dictionary: ZstdDict | typing_extensions.Buffer | None = None,
    threads: int = 1,
    *,
    allow_trailing: bool = False,
) -> int: ...
def compress_bound(n_bytes: int, algorithm: str = "zstd") -> int: ...
