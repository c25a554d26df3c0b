"""What ``haagenti compress`` and ``haagenti decompress`` share: files one after another, each replaced by its result, as gzip does it.

Not responsible for: compressing, or naming what comes out.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import typer

from haagenti.cli.byte_options import STREAM, Choices, standard
from haagenti.cli.exit_codes import ReaderGoneError, error_line, exit_code
from haagenti.cli.progress import Progress, format_bytes, show_progress
from haagenti.compressed_file.sinks import NewFile, Sink, sink_for, take_owner, write_all
from haagenti.errors import DecompressionError, Error, InvalidArgumentError, IoError, UnsupportedError

LONG = 64 << 20
"""Bytes of input from which on a terminal is shown a bar."""

Put = Callable[[bytes], None]


@dataclass
class Source:
    """An input that is open, and counts what is read from it."""

    name: str
    file: Any
    found: os.stat_result | None
    """Of a regular file."""
    report: Progress | None = field(default=None)
    n_read: int = 0

    def read(self, size: int = -1, /) -> bytes:
        data: bytes | None = self.file.read(size)
        self._count(None if data is None else len(data))
        return data or b""

    def readinto(self, buffer: memoryview) -> int:
        n: int = self.file.readinto(buffer)
        self._count(n)
        return n

    def _count(self, n: int | None) -> None:
        if n is None:
            raise BlockingIOError(errno.EAGAIN, f"{self.name} does not block and has no bytes yet")
        self.n_read += n
        if self.report is not None and self.found is not None:
            self.report(self.n_read, self.found.st_size, self.name)


def work_through(files: list[str], asked: Choices, output_name: Callable[[str], str], transfer: Callable[[Source, Put], None]) -> None:
    """Takes the files one after another; one that fails does not stop the others.

    Args:
        files: Names; none, or `STREAM`, for stdin.
        asked: The options.
        output_name: The file beside an input that its result goes to.
        transfer: Reads an input and puts what comes out.

    Raises:
        Error, OSError: The only file failed.
        typer.Exit: One of several did; the gravest code.
    """
    files = files or [STREAM]
    codes = []
    for name in files:
        try:
            _work_on(name, asked, output_name, transfer)
        except BrokenPipeError:
            raise
        except (Error, OSError) as error:
            if len(files) == 1:
                raise
            _print(f"haagenti: {error_line(error)}")
            codes.append(int(exit_code(error)))
    if codes:
        raise typer.Exit(max(codes))


def _work_on(name: str, asked: Choices, output_name: Callable[[str], str], transfer: Callable[[Source, Put], None]) -> None:
    in_place = asked.out is None and name != STREAM and not asked.test
    out = output_name(name) if in_place else asked.out or STREAM
    began = time.monotonic()
    with _source(name, asked, in_place) as source, _bar(asked, source) as report:
        source.report = report
        try:
            if asked.test:
                out, n_written = "whole", _transfer(source, transfer, lambda data: None)
            elif out == STREAM:
                n_written = _to_stdout(source, transfer)
            else:
                n_written = _to_file(source, out, asked, in_place, transfer)
        except (DecompressionError, InvalidArgumentError, UnsupportedError) as error:
            if str(error).startswith(f"{source.name}: "):
                raise
            raise type(error)(f"{source.name}: {error}") from error
    if in_place and not asked.keep:
        _check_unchanged(source)
        os.unlink(name)
    if asked.verbose:
        _print(_summary(asked, source, n_written, out, time.monotonic() - began))


@contextmanager
def _source(name: str, asked: Choices, in_place: bool) -> Iterator[Source]:
    if name == STREAM:
        # One system call at a time, so that a signal is noticed between them.
        buffer = standard("stdin").buffer
        yield Source("stdin", getattr(buffer, "raw", buffer), None)
        return
    removed = in_place and not asked.keep
    _check_source(name, os.stat(name, follow_symlinks=not removed), in_place, removed)
    with open(name, "rb", buffering=0) as file:
        found = os.fstat(file.fileno())
        yield Source(name, file, found if stat.S_ISREG(found.st_mode) else None)


def _check_source(name: str, found: os.stat_result, in_place: bool, removed: bool) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IoError(f"{name}: is a directory")
    if stat.S_ISLNK(found.st_mode):
        raise IoError(f"{name}: is a symbolic link; --keep reads what it points to and leaves both")
    if in_place and not stat.S_ISREG(found.st_mode):
        raise IoError(f"{name}: is not a regular file; --stdout or --output reads it and leaves it")
    if removed and found.st_nlink > 1:
        raise IoError(f"{name}: has {found.st_nlink - 1} more names (hard links); --keep reads it and leaves them")


def _transfer(source: Source, transfer: Callable[[Source, Put], None], write: Put) -> int:
    """The number of bytes that came out."""
    n_written = 0

    def put(data: bytes) -> None:
        nonlocal n_written
        write(data)
        n_written += len(data)

    transfer(source, put)
    return n_written


def _to_stdout(source: Source, transfer: Callable[[Source, Put], None]) -> int:
    stdout = standard("stdout").buffer
    try:
        n_written = _transfer(source, transfer, lambda data: write_all(stdout, data))
        stdout.flush()
    except BrokenPipeError as error:
        raise ReaderGoneError(*error.args) from error
    return n_written


def _to_file(source: Source, out: str, asked: Choices, in_place: bool, transfer: Callable[[Source, Put], None]) -> int:
    sink = _sink(source, out, asked, in_place)
    copied = source.found if isinstance(sink, NewFile) else None
    try:
        if copied is not None:
            take_owner(sink.file.fileno(), copied)  # at once: what is written may be secret
        n_written = _transfer(source, transfer, lambda data: write_all(sink.file, data))
        if copied is not None:
            sink.file.flush()
            os.utime(sink.file.fileno(), ns=(copied.st_atime_ns, copied.st_mtime_ns))
        if in_place and not asked.keep:
            _check_unchanged(source)
    except BaseException as error:
        sink.discard()
        if isinstance(error, BrokenPipeError):
            raise IoError(f"{out}: its reader has gone") from error
        raise
    sink.commit()
    return n_written


def _sink(source: Source, out: str, asked: Choices, in_place: bool) -> Sink:
    """Opens the output. In place it is a new file always: the input is removed for it."""
    if in_place:
        _check_absent(out, replace=asked.force)
        return NewFile(out, overwrite=asked.force, follow=False)
    found = os.stat(out) if os.path.exists(out) else None
    if found is not None and source.found is not None and os.path.samestat(found, source.found):
        raise IoError(f"{out}: is the input itself")
    special = found is not None and not stat.S_ISREG(found.st_mode)  # a pipe, a device: written to, never replaced
    if not special:
        _check_absent(out, replace=asked.force)
    return sink_for(out, "w", overwrite=asked.force or special)


def _check_absent(out: str, replace: bool) -> None:
    if not os.path.lexists(out):
        return
    mode = os.lstat(out).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise IoError(f"{out}: is there already and is not a regular file")
    if not replace:
        raise IoError(f"{out}: is there already; --force replaces it")


def _check_unchanged(source: Source) -> None:
    """The input is about to be removed: it must be what was read."""

    def identity(found: os.stat_result) -> tuple[int, ...]:
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

    if source.found is None or identity(os.lstat(source.name)) != identity(source.found):
        raise IoError(f"{source.name}: was changed while it was read; it stays")


def _bar(asked: Choices, source: Source) -> AbstractContextManager[Progress | None]:
    long = source.found is not None and source.found.st_size >= LONG
    shown = long and not asked.quiet and sys.stderr is not None and sys.stderr.isatty()
    return show_progress(asked.label) if shown else nullcontext()


def _print(line: str) -> None:
    if sys.stderr is not None:  # closed by the caller; print would take stdout
        print(line, file=sys.stderr)


def _summary(asked: Choices, source: Source, n_written: int, out: str, seconds: float) -> str:
    packed, plain = (n_written, source.n_read) if asked.label == "compress" else (source.n_read, n_written)
    share = f" ({100 * packed / plain:.1f} %)" if plain else ""
    speed = f"{format_bytes(int(plain / max(seconds, 1e-9)))}/s"
    target = "stdout" if out == STREAM else out
    return f"{source.name}: {format_bytes(source.n_read)} -> {format_bytes(n_written)}{share}, {speed}, {target}"
