"""The decompressed bytes of a file, as a raw stream that `io.BufferedReader` makes fast and comfortable.

Not responsible for: choosing the algorithm, or the formats.
"""

from __future__ import annotations

import errno
import io
from collections.abc import Callable
from typing import Any, Protocol

from haagenti._core import Decoder, Decompressor
from haagenti.errors import DecompressionError

READ_SIZE = 1 << 16
"""Compressed bytes read at a time."""
BUFFER_SIZE = 1 << 17
"""Decompressed bytes that BufferedReader asks for at a time."""
FIRST_SIZE = 8
"""Bytes that tell the format, if there are as many."""


class ReadableFile(Protocol):
    """What is needed of a file to read from it."""

    def read(self, size: int = -1, /) -> Any: ...


class DecodedFile(io.RawIOBase):
    """What a compressed file holds. Seeking decodes: forward from here, backward from the beginning.

    It has no fileno(): whoever read from the descriptor would get compressed bytes.

    Args:
        file: The compressed file.
        first: Bytes of it that were read already.
        start: Where in the file `first` began; None for a file that cannot seek.
        algorithm: What it was compressed with.
        dictionary: The dictionary that was used.
        threads: Threads for `readall` from the beginning.
        max_size: Most bytes to decompress to.
        close_file: Whether closing this closes the file.
        allow_trailing: Whether bytes after the last frame are ignored.

    Raises:
        InvalidArgumentError: An unknown algorithm, or options that it cannot have.
    """

    mode = "rb"

    def __init__(
        self,
        file: ReadableFile,
        first: bytes,
        start: int | None,
        algorithm: str,
        dictionary: Any = None,
        threads: int = 1,
        max_size: int | None = None,
        close_file: bool = True,
        allow_trailing: bool = False,
    ) -> None:
        self._file = file
        self._first = first
        self._start = start
        self._algorithm = algorithm
        self._dictionary = dictionary
        self._max_size = max_size
        self._close_file = close_file
        self._allow_trailing = allow_trailing
        # Now: this refuses wrong options.
        self._whole = Decompressor(algorithm, max_size, dictionary, threads, allow_trailing=allow_trailing)
        self.read_size = READ_SIZE
        self._begin()

    def _begin(self) -> None:
        self._decoder = Decoder(self._algorithm, self._max_size, self._dictionary, allow_trailing=self._allow_trailing)
        self._kept = io.BytesIO()  # decoded, but not given to anybody
        self._position = 0
        self._untouched = True
        self._ended = False
        self._error: DecompressionError | None = None

    @property
    def name(self) -> Any:
        """The name of the file, as it has it."""
        return getattr(self._file, "name", "")

    def readable(self) -> bool:
        self._check_open()
        return True

    def seekable(self) -> bool:
        self._check_open()
        return self._start is not None

    def readinto(self, buffer: Any) -> int:
        self._check_open()
        with memoryview(buffer) as view, view.cast("B") as target:
            data = self.decode(len(target)) if len(target) > 0 else b""
            target[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        """All that is left. From the beginning the file is read and then decompressed as a whole, which is faster.

        Interrupted, it loses nothing; but an `io.BufferedReader` that calls it has emptied its own buffer before.
        """
        self._check_open()
        if self._untouched and not self._ended:
            data = self._tell_error(self._decode_whole)
            self._position, self._ended = len(data), True
            return data
        blocks = []
        try:
            while block := self.decode(1 << 20):
                blocks.append(block)
        except DecompressionError:
            raise
        except BaseException:  # interrupted, or the file has nothing yet: the next call goes on from here
            rest = self._kept.read()
            self._kept = io.BytesIO(b"".join(blocks) + rest)
            self._position -= sum(map(len, blocks))
            raise
        return b"".join(blocks)

    def tell(self) -> int:
        self._check_open()
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._check_open()
        if self._start is None:
            raise io.UnsupportedOperation("the file cannot seek")
        if whence == io.SEEK_CUR:
            offset += self._position
        elif whence == io.SEEK_END:
            self._skip(None)
            offset += self._position
        elif whence != io.SEEK_SET:
            raise ValueError(f"whence must be 0, 1 or 2, not {whence}")
        if offset < 0:
            raise ValueError(f"negative seek position {offset}")
        if offset < self._position or self._error is not None:
            self._file.seek(self._start)  # type: ignore[attr-defined]
            self._first = b""
            self._begin()
        self._skip(offset - self._position)
        return self._position

    def close(self) -> None:
        if self.closed:
            return
        try:
            if self._close_file:
                self._file.close()  # type: ignore[attr-defined]
        finally:
            super().close()

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")

    def _skip(self, n: int | None) -> None:
        """Decodes and forgets n bytes, or all that follow."""
        left = n
        while left is None or left > 0:
            block = self.decode(BUFFER_SIZE if left is None else min(left, BUFFER_SIZE))
            if not block:
                return
            left = None if left is None else left - len(block)

    def decode(self, n: int) -> bytes:
        """The next bytes, at most n; none at the end of the file."""
        if kept := self._kept.read(n):
            self._position += len(kept)
            return kept
        if self._ended:
            return b""
        self._untouched = False
        data = self._tell_error(self._next_bytes, n)
        self._position += len(data)
        return data

    def _next_bytes(self, n: int) -> bytes:
        decoder = self._decoder
        while True:
            chunk = b""
            if decoder.needs_input or decoder.eof:
                chunk = self._read(self.read_size)
                if not chunk:
                    data = decoder.finish()
                    self._ended = True
                    return data
            if data := decoder.write(chunk, n):
                return data
            if decoder.eof and decoder.unused_data:
                data = decoder.finish()  # says what is wrong with bytes after the end, unless they may be there
                self._ended = True
                return data

    def _decode_whole(self) -> bytes:
        blocks = []
        try:
            while block := self._read(READ_SIZE if self._start is None else -1):
                blocks.append(block)
            return self._whole.decompress(b"".join(blocks))
        except DecompressionError:
            raise
        except BaseException:  # as in readall
            self._first = b"".join(blocks)
            if self._start is not None:  # what was interrupted may have read more
                self._file.seek(self._start + len(self._first))  # type: ignore[attr-defined]
            raise

    def _read(self, size: int) -> bytes:
        if self._first:
            chunk, self._first = self._first, b""
            return chunk
        return read_chunk(self._file, size)

    def _tell_error(self, call: Callable[..., bytes], *arguments: Any) -> bytes:
        """Calls; an error in the data is told again by every later call, until the file is rewound."""
        if self._error is not None:
            raise self._error.with_traceback(None)  # the error of the first time, which would get longer each time
        try:
            return call(*arguments)
        except DecompressionError as error:
            self._error = error
            raise


def read_chunk(file: ReadableFile, size: int) -> bytes:
    """Some bytes of a file, as soon as there are any where it can say so; none at its end.

    Raises:
        BlockingIOError: The file does not block and has none now.
        TypeError: The file gives text.
    """
    read1 = getattr(file, "read1", None) if size > 0 else None
    chunk = read1(size) if read1 is not None else file.read(size)
    if read1 is not None and not chunk:  # read1 has nothing also where more will come
        chunk = file.read(size)
    if chunk is None:
        raise BlockingIOError(errno.EAGAIN, "the file has no bytes yet")
    if isinstance(chunk, str):
        raise TypeError("the file object gives text; open it in binary mode")
    return chunk if isinstance(chunk, bytes) else bytes(chunk)


def read_first(file: ReadableFile) -> bytes:
    """The first bytes of a file: as many as it takes to tell its format, and what comes with them."""
    first = read_chunk(file, READ_SIZE)
    while len(first) < FIRST_SIZE and (more := read_chunk(file, READ_SIZE)):
        first += more
    return first
