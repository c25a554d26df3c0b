"""``haagenti compress``: files or a pipe, with any of the byte-compression algorithms.

Not responsible for: opening, replacing and removing files (``byte_files.py``).
"""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from haagenti.cli.byte_files import Put, Source, work_through
from haagenti.cli.byte_options import STREAM, choices, read_dictionary, standard

READ_SIZE = 2 << 20
READ_SIZE_THREADS = 16 << 20
"""With several threads: enough that each has some of it."""


def _level(text: str | None) -> Any:
    """A number, or a word as it is."""
    return int(text) if text is not None and re.fullmatch(r"[+-]?\d+", text) else text


def compress(
    files: Annotated[list[str] | None, typer.Argument(metavar="FILE", help="Files; none or - for stdin to stdout.")] = None,
    algorithm: Annotated[
        str | None, typer.Option("--algorithm", "-a", metavar="NAME", help="By default as the suffix of --output says, else zstd.")
    ] = None,
    level: Annotated[str | None, typer.Option("--level", "-l", metavar="LEVEL", help="A number, or fast, default, best.")] = None,
    threads: Annotated[int, typer.Option("--threads", "-T", metavar="N", help="0 for the number of processors.")] = 1,
    out: Annotated[str | None, typer.Option("--output", "-o", metavar="OUT", help="Where the result goes; FILE stays.")] = None,
    keep: Annotated[bool, typer.Option("--keep", "-k", help="Leave FILE where it is.")] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace what is there; write to a terminal.")] = False,
    to_stdout: Annotated[bool, typer.Option("--stdout", "-c", help="Write to stdout; FILE stays.")] = False,
    dictionary: Annotated[
        str | None, typer.Option("--dictionary", "-D", metavar="DICT", help="A file with a dictionary, which decompress needs too.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print sizes and speed.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only, no bar.")] = False,
) -> None:
    """Compress files: FILE becomes FILE.zst, or what the algorithm's suffix is. For models, see convert: it makes them smaller."""
    from haagenti.compressed_file import names
    from haagenti.errors import IoError

    files = files or []
    asked = choices("compress", files, out, to_stdout, keep=keep, force=force, verbose=verbose, quiet=quiet)
    name = algorithm or (names.algorithm_by_suffix(out) if out is not None else None) or "zstd"
    new_encoder = _checked_encoder(name, _level(level), threads, read_dictionary(dictionary))
    if asked.out == STREAM and len(files) > 1 and name not in names.APPENDABLE:
        raise typer.BadParameter(f"streams of {name} cannot follow each other; take one FILE at a time", param_hint="FILE")
    to_stream = asked.out == STREAM or (asked.out is None and STREAM in (files or [STREAM]))
    if to_stream and standard("stdout").isatty() and not force:
        raise IoError("compressed bytes are not written to a terminal without --force; --output names a file")
    read_size = READ_SIZE if threads == 1 else READ_SIZE_THREADS

    def output_name(file: str) -> str:
        suffix = names.suffix_of(name)
        if file.lower().endswith(suffix):
            raise IoError(f"{file}: already has {suffix} suffix -- unchanged")
        return file + suffix

    def transfer(source: Source, put: Put) -> None:
        with new_encoder() as encoder, memoryview(bytearray(read_size)) as block:
            while n := source.readinto(block):
                put(encoder.write(block[:n]))
            put(encoder.finish())

    work_through(files, asked, output_name, transfer)


def _checked_encoder(algorithm: str, level: Any, threads: int, dictionary: Any) -> Any:
    """What makes an encoder; a first one tells wrong options before any file is touched."""
    from haagenti.compressed_file import names
    from haagenti.errors import InvalidArgumentError, UnsupportedError
    from haagenti.streaming import Encoder

    checksum = names.file_checksum(algorithm, None)
    try:
        Encoder(algorithm, level, dictionary, threads, checksum)
    except (InvalidArgumentError, UnsupportedError) as error:
        raise typer.BadParameter(str(error)) from None
    return lambda: Encoder(algorithm, level, dictionary, threads, checksum)
