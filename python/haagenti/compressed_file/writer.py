"""A file that compresses what is written to it.

Not responsible for: where the compressed bytes go (``sinks.py``).
"""

from __future__ import annotations

import io
import os
import warnings
from contextlib import suppress
from types import TracebackType
from typing import Any

from haagenti._core import Encoder
from haagenti.compressed_file.sinks import Sink, write_all
from haagenti.errors import IoError

GATHERED = 1 << 17
"""Bytes of small writes that are compressed together."""
GATHERED_THREADS = 1 << 20
"""The same with several threads."""


class UnclosedFileWarning(RuntimeWarning):
    """A file was forgotten without ``close()``, so what was written to it is lost.

    No ResourceWarning, which nobody sees unless asked for: more is lost here than a descriptor.
    """


class CompressedWriter(io.BufferedIOBase):
    """Compresses what is written; `close` completes the file.

    Leaving a ``with`` block by an exception, and being forgotten without `close`, give the file up.

    Args:
        sink: Takes the compressed bytes.
        encoder: Compresses.
        name: What the caller opened.
        mode: How: "wb", "xb" or "ab".
        gathered: Bytes that are compressed at a time.
    """

    def __init__(self, sink: Sink, encoder: Encoder, name: Any, mode: str, gathered: int = GATHERED) -> None:
        self._raw = _Compressing(sink, encoder)
        self._buffer = io.BufferedWriter(self._raw, gathered)
        self._ending = False
        self._pid = os.getpid()
        self.holds_text = False
        self.name = name
        self.mode = mode

    def write(self, data: Any) -> int:
        return self._buffer.write(data)

    def flush(self) -> None:
        """Hands over all that a decoder needs to read what was written so far. It costs some compression."""
        self._check_open()
        if self._raw.over:  # io flushes once more while it closes
            return
        self._buffer.flush()
        if not self._ending:
            self._raw.flush_stream()

    def end_next(self) -> None:
        """Says that close() follows: a flush() before it need not make anything readable."""
        self._ending = True

    def close(self) -> None:
        """Completes the file.

        Raises:
            OSError: It could not be written, now or before; it is given up then.
        """
        if self.closed:
            return
        try:
            self._buffer.flush()
            self._raw.finish()
        except BaseException:
            self.discard()
            raise
        self._buffer.close()
        super().close()

    def discard(self) -> None:
        """Gives the file up: what was there before stays, or nothing."""
        if self.closed:
            return
        try:
            self._raw.discard()
        finally:
            self._buffer.close()
            super().close()

    def tell(self) -> int:
        """The number of bytes written to it."""
        self._check_open()
        return self._buffer.tell()

    def fileno(self) -> int:
        """The descriptor of the compressed file; while it is not complete, of the temporary one."""
        self._check_open()
        descriptor: int = self._raw.sink.file.fileno()
        return descriptor

    def writable(self) -> bool:
        self._check_open()
        return True

    def seekable(self) -> bool:
        """False; but io writes a byte order mark only to what says that it can seek, and then asks no more than tell()."""
        self._check_open()
        return self.holds_text

    def is_ours(self) -> bool:
        """Whether this is the file itself, and not the copy that a forked child has of it."""
        return os.getpid() == self._pid

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def __del__(self) -> None:
        if hasattr(self, "_buffer"):
            _forget(self, self)


class CompressedText(io.TextIOWrapper):
    """Text over a CompressedWriter, with its manners."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        writer = self._writer()
        if kind is not None and writer is not None:
            writer.discard()
        self.close()

    def close(self) -> None:
        """Completes the file; gives it up where that fails."""
        writer = self._writer()
        if writer is not None:
            writer.end_next()
        try:
            super().close()
        except BaseException:
            if writer is not None:
                writer.discard()
            raise

    def _writer(self) -> CompressedWriter | None:
        """None when it was detached, or this was never made."""
        with suppress(ValueError):
            writer = getattr(self, "buffer", None)
            return writer if isinstance(writer, CompressedWriter) else None
        return None

    def __del__(self) -> None:
        writer = self._writer()
        if writer is not None:
            _forget(self, writer)


class _Compressing(io.RawIOBase):
    """Under the buffer: compresses each block and passes it on. Only `finish` completes the file."""

    def __init__(self, sink: Sink, encoder: Encoder) -> None:
        self.sink = sink
        self._encoder = encoder
        self._n_written = 0
        self._unflushed = False
        self._failed = False
        self.over = False

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._n_written

    def write(self, block: Any) -> int:
        size = len(block)
        if not self.over:
            self._pass_on(self._encoder.write, block)
            self._n_written += size
            self._unflushed = True
        return size

    def flush_stream(self) -> None:
        if self._unflushed:
            self._pass_on(self._encoder.flush)
            self._unflushed = False
        if hasattr(self.sink.file, "flush"):
            self.sink.file.flush()

    def finish(self) -> None:
        self._pass_on(self._encoder.finish)
        self.sink.commit()
        self.over = True

    def discard(self) -> None:
        """Takes and forgets whatever is written from now on."""
        if not self.over:
            self.over = True
            self.sink.discard()

    def _pass_on(self, call: Any, *arguments: Any) -> None:
        if self._failed:
            raise IoError("the file cannot be completed: writing to it failed before")
        self._failed = True  # until this has gone well
        write_all(self.sink.file, call(*arguments))
        self._failed = False


def _forget(file: Any, writer: CompressedWriter) -> None:
    if not writer.closed:
        if writer.is_ours():
            message = f"{writer.name!r} was not closed: what was written to it is given up"
            warnings.warn(message, UnclosedFileWarning, source=file, stacklevel=3)
        writer.discard()
