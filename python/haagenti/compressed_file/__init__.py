"""`haagenti.open`: compressed files that are read and written like others.

Not responsible for: whole buffers (`haagenti.compress`) or streams without a file (`haagenti.streaming`).
"""

from __future__ import annotations

import builtins
import io
import os
from typing import IO, Any, Literal, NamedTuple, overload

from haagenti._core import Encoder, ZstdDict
from haagenti.compressed_file import names
from haagenti.compressed_file.reader import BUFFER_SIZE, DecodedFile, ReadableFile, read_first
from haagenti.compressed_file.sinks import Direct, Sink, sink_for
from haagenti.compressed_file.writer import GATHERED, GATHERED_THREADS, CompressedText, CompressedWriter, UnclosedFileWarning
from haagenti.errors import InvalidArgumentError

__all__ = ["CompressedWriter", "UnclosedFileWarning", "open"]

Path = str | bytes | os.PathLike[str] | os.PathLike[bytes]
Dictionary = ZstdDict | bytes | None
Level = int | Literal["fast", "default", "best"] | None
ReadMode = Literal["r", "rb", "br"]
WriteMode = Literal["w", "wb", "bw", "x", "xb", "bx", "a", "ab", "ba"]
TextMode = Literal["rt", "tr", "wt", "tw", "xt", "tx", "at", "ta"]


class _Options(NamedTuple):
    """What is asked of compression and decompression."""

    algorithm: str | None
    level: Level
    threads: int
    dictionary: Dictionary
    checksum: bool | None
    max_size: int | None
    allow_trailing: bool


@overload
def open(path: Path | IO[bytes] | Any, mode: ReadMode = "rb", algorithm: str | None = None, level: Level = None,
         threads: int = 1, *, dictionary: Dictionary = None, checksum: bool | None = None, encoding: None = None, errors: None = None,
         newline: None = None, overwrite: bool = True, max_size: int | None = None,
         allow_trailing: bool = False) -> io.BufferedReader: ...  # fmt: skip
@overload
def open(path: Path | IO[bytes] | Any, mode: WriteMode, algorithm: str | None = None, level: Level = None,
         threads: int = 1, *, dictionary: Dictionary = None, checksum: bool | None = None, encoding: None = None, errors: None = None,
         newline: None = None, overwrite: bool = True, max_size: int | None = None,
         allow_trailing: bool = False) -> CompressedWriter: ...  # fmt: skip
@overload
def open(path: Path | IO[bytes] | Any, mode: TextMode, algorithm: str | None = None, level: Level = None,
         threads: int = 1, *, dictionary: Dictionary = None, checksum: bool | None = None, encoding: str | None = None,
         errors: str | None = None, newline: str | None = None, overwrite: bool = True,
         max_size: int | None = None, allow_trailing: bool = False) -> io.TextIOWrapper: ...  # fmt: skip
@overload
def open(path: Path | IO[bytes] | Any, mode: str, algorithm: str | None = None, level: Level = None,
         threads: int = 1, *, dictionary: Dictionary = None, checksum: bool | None = None, encoding: str | None = None,
         errors: str | None = None, newline: str | None = None, overwrite: bool = True,
         max_size: int | None = None, allow_trailing: bool = False,
) -> io.BufferedReader | CompressedWriter | io.TextIOWrapper: ...  # fmt: skip
def open(
    path: Path | IO[bytes] | Any,
    mode: str = "rb",
    algorithm: str | None = None,
    level: Level = None,
    threads: int = 1,
    *,
    dictionary: Dictionary = None,
    checksum: bool | None = None,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    overwrite: bool = True,
    max_size: int | None = None,
    allow_trailing: bool = False,
) -> io.BufferedReader | CompressedWriter | io.TextIOWrapper:
    r"""Opens a compressed file, much as ``gzip.open`` does, for every algorithm that has streams. An empty file is a truncated one.

    A file that is written appears under its name when it is closed, whole and stored durably; until then what was there before stays.
    When a ``with`` block is left by an exception, also SystemExit and GeneratorExit, it is given up; so it is, with an
    `UnclosedFileWarning`, when it is forgotten without ``close()``. Pipes, devices, names like /dev/stdout and file objects are written
    at once; given up, they lack the end of the stream.

    ``w`` and ``x`` make the new file beside the old one and rename it. The directory must be writable; other hard links keep the old
    content; a file that is a mount of its own cannot be replaced. Owner, group and permissions stay as far as the process may set them.

    Args:
        path: A path, or a file object with ``read`` or ``write``, which stays open.
        mode: ``r``, ``w``, ``x`` (fails if there is such a file) or ``a`` (adds a frame or member: zstd, lz4, lz4hc, gzip; cut off again
            when it is given up, but not when the process is killed; that the file was whole before is not checked), with ``b``, the
            default, or ``t`` for text.
        algorithm: One of `haagenti.algorithms`. None recognises a file by its first bytes, then by its suffix; one that is written by
            its suffix.
        level: Only to write: as for `haagenti.compress`.
        threads: To compress with, as for `haagenti.compress`. Reading a stream takes one thread; only ``read()`` of a whole file at
            once uses more, where `haagenti.decompress` does.
        dictionary: As for `haagenti.compress`.
        checksum: Only to write: whether the file has a checksum, where that is a choice (zstd, lz4): here it has, unless this is False.
        encoding: Of text, as for the builtin ``open``.
        errors: Of text, as for the builtin ``open``.
        newline: Of text, as for the builtin ``open``.
        overwrite: Whether ``w`` may replace a file.
        max_size: Only to read: most bytes that the file may decompress to.
        allow_trailing: Only to read: whether bytes after the last frame are ignored.

    Returns:
        An `io.BufferedReader`, an `io.BufferedIOBase` to write to, or for text an `io.TextIOWrapper`. Seeking in a file that is read
        decodes: forward from where it is, backward from the beginning.

    Raises:
        InvalidArgumentError: An unknown mode or algorithm, none to be recognised, or an option that the mode or algorithm cannot have.
        IoError: ``w`` without overwrite, and there is such a file; ``a``, and another appends to it.
        OSError: As the builtin ``open``.
        CorruptError, TruncatedError, DecompressionError: When reading gets to what is wrong.

    Example:
        >>> import haagenti
        >>> with haagenti.open("numbers.txt.zst", "wt") as file:
        ...     _ = file.write("one\ntwo\n")
        >>> with haagenti.open("numbers.txt.zst", "rt") as file:
        ...     [line.strip() for line in file]
        ['one', 'two']
    """
    kind, text = _parse_mode(mode)
    if not text and not (encoding is errors is newline is None):
        raise InvalidArgumentError(f"encoding, errors and newline are about text; mode {mode!r} is binary")
    if not isinstance(path, str | bytes | os.PathLike) and not hasattr(path, "read" if kind == "r" else "write"):
        raise TypeError(f"path must be a path or a file object, not {type(path).__name__}")
    options = _Options(algorithm, level, threads, dictionary, checksum, max_size, allow_trailing)
    _check_options(options, kind)
    if kind == "r":
        reader: io.BufferedReader = io.BufferedReader(_open_to_read(path, options), BUFFER_SIZE)
        return _as_text(reader, io.TextIOWrapper, encoding, errors, newline) if text else reader
    writer = _open_to_write(path, kind, options, overwrite)
    writer.holds_text = text
    return _as_text(writer, CompressedText, encoding, errors, newline) if text else writer


def _parse_mode(mode: str) -> tuple[str, bool]:
    """The letter of "r", "w", "x", "a" in it, and whether it is text."""
    kinds = [letter for letter in mode if letter in "rwxa"]
    rest = mode.replace(kinds[0], "", 1) if kinds else mode
    if len(kinds) != 1 or rest not in ("", "b", "t"):
        raise InvalidArgumentError(f"mode must be one of r, w, x and a, alone or with b or t, not {mode!r}")
    return kinds[0], rest == "t"


def _check_options(options: _Options, kind: str) -> None:
    if kind == "r" and not (options.level is options.checksum is None):
        raise InvalidArgumentError("level and checksum are for writing; mode 'r' reads")
    if kind != "r" and (options.max_size is not None or options.allow_trailing):
        raise InvalidArgumentError(f"max_size and allow_trailing are for reading; mode {kind!r} writes")


def _as_text(
    binary: io.BufferedReader | CompressedWriter,
    wrapper: type[io.TextIOWrapper],
    encoding: str | None,
    errors: str | None,
    newline: str | None,
) -> io.TextIOWrapper:
    try:
        return wrapper(binary, encoding, errors, newline)
    except BaseException:
        _give_up(binary)
        raise


def _give_up(binary: io.BufferedReader | CompressedWriter) -> None:
    if isinstance(binary, CompressedWriter):
        binary.discard()
    else:
        binary.close()


def _open_to_read(path: Any, options: _Options) -> DecodedFile:
    if not isinstance(path, str | bytes | os.PathLike):
        return _decoded(path, _name_of(path), options, close_file=False)
    file = builtins.open(path, "rb", buffering=0)  # noqa: SIM115 - the reader closes it
    try:
        return _decoded(file, os.fsdecode(path), options, close_file=True)
    except BaseException:
        file.close()
        raise


def _decoded(file: ReadableFile, name: str, options: _Options, close_file: bool) -> DecodedFile:
    start = file.tell() if hasattr(file, "seekable") and file.seekable() else None  # type: ignore[attr-defined]
    first = b"" if options.algorithm is not None else read_first(file)
    algorithm = options.algorithm or names.algorithm_to_read(first, name)
    return DecodedFile(
        file, first, start, algorithm, options.dictionary, options.threads, options.max_size, close_file, options.allow_trailing
    )


def _open_to_write(path: Any, kind: str, options: _Options, overwrite: bool) -> CompressedWriter:
    is_path = isinstance(path, str | bytes | os.PathLike)
    name = os.fsdecode(path) if is_path else _name_of(path)
    first = _first_bytes(name) if is_path and kind == "a" else b""
    found = names.algorithm_by_content(first, "")
    algorithm = options.algorithm or found or names.algorithm_to_write(name)
    if kind == "a":
        names.check_appendable(name, algorithm, first)
    checksum = names.file_checksum(algorithm, options.checksum)
    encoder = Encoder(algorithm, options.level, options.dictionary, options.threads, checksum)
    sink: Sink = sink_for(name, kind, overwrite) if is_path else Direct(path, close_file=False)
    return CompressedWriter(sink, encoder, path if is_path else name, f"{kind}b", GATHERED if options.threads == 1 else GATHERED_THREADS)


def _first_bytes(name: str) -> bytes:
    """What a regular file begins with; nothing where there is none."""
    if not os.path.isfile(name):
        return b""
    with builtins.open(name, "rb", buffering=0) as file:
        return read_first(file)


def _name_of(file: Any) -> str:
    """The name of a file object that has one."""
    name = getattr(file, "name", None)
    return os.fsdecode(name) if isinstance(name, str | bytes) else ""
