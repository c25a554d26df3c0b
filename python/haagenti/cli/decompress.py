"""``haagenti decompress``: what ``haagenti compress`` or another tool compressed, files or a pipe.

Not responsible for: opening, replacing and removing files (``byte_files.py``).
"""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from haagenti.cli.byte_files import Put, Source, work_through
from haagenti.cli.byte_options import STREAM, choices, read_dictionary, standard

READ_SIZE = 1 << 18
BLOCK_SIZE = 1 << 20
"""Decompressed bytes written at a time."""
TAR_SUFFIXES = frozenset({".tgz", ".tzst", ".tlz4"})


def decompress(
    files: Annotated[list[str] | None, typer.Argument(metavar="FILE", help="Files; none or - for stdin to stdout.")] = None,
    algorithm: Annotated[
        str | None, typer.Option("--algorithm", "-a", metavar="NAME", help="By default FILE's first bytes tell, else its suffix.")
    ] = None,
    threads: Annotated[
        int, typer.Option("--threads", "-T", metavar="N", help="More than 1, or 0 for all processors: FILE is decompressed in memory.")
    ] = 1,
    out: Annotated[str | None, typer.Option("--output", "-o", metavar="OUT", help="Where the result goes; FILE stays.")] = None,
    keep: Annotated[bool, typer.Option("--keep", "-k", help="Leave FILE where it is.")] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace what is there; read from a terminal.")] = False,
    to_stdout: Annotated[bool, typer.Option("--stdout", "-c", help="Write to stdout; FILE stays.")] = False,
    max_size: Annotated[int | None, typer.Option("--max-size", metavar="BYTES", min=0, help="Fail if FILE holds more.")] = None,
    dictionary: Annotated[
        str | None, typer.Option("--dictionary", "-D", metavar="DICT", help="The file with the dictionary that FILE was compressed with.")
    ] = None,
    test: Annotated[bool, typer.Option("--test", "-t", help="Decompress and write nothing: FILE is whole or the exit code is 4.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print sizes and speed.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only, no bar.")] = False,
) -> None:
    """Decompress files: FILE.zst becomes FILE; also .lz4, .gz, .br and the others."""
    from haagenti.compressed_file import names
    from haagenti.compressed_file.reader import DecodedFile, read_first
    from haagenti.errors import IoError

    files = files or []
    asked = choices("decompress", files, out, to_stdout, keep=keep, force=force, verbose=verbose, quiet=quiet, test=test)
    known_dictionary = read_dictionary(dictionary)
    _check_options(algorithm, threads, known_dictionary)
    if STREAM in (files or [STREAM]) and standard("stdin").isatty() and not force:
        raise IoError("compressed bytes are not read from a terminal without --force")

    def output_name(file: str) -> str:
        base, suffix = os.path.splitext(file)
        if suffix.lower() not in names.suffixes():
            raise IoError(f"{file}: its suffix names no algorithm (known: {names.known_suffixes()}); --output names the result")
        return base + ".tar" if suffix.lower() in TAR_SUFFIXES else base

    def transfer(source: Source, put: Put) -> None:
        first = b"" if algorithm else read_first(source)
        known = algorithm or names.algorithm_to_read(first, source.name)
        with DecodedFile(source, first, None, known, known_dictionary, threads=threads, max_size=max_size, close_file=False) as decoded:
            decoded.read_size = READ_SIZE
            if threads != 1 and source.found is not None:
                put(decoded.readall())
                return
            while block := decoded.decode(BLOCK_SIZE):
                put(block)

    work_through(files, asked, output_name, transfer)


def _check_options(algorithm: str | None, threads: int, dictionary: Any) -> None:
    """Tells wrong options before any file is touched."""
    from haagenti import Decompressor
    from haagenti.errors import InvalidArgumentError, UnsupportedError
    from haagenti.streaming import Decoder

    try:
        Decompressor(algorithm, dictionary=dictionary, threads=threads)
        if algorithm is not None:
            Decoder(algorithm, dictionary=dictionary)
    except (InvalidArgumentError, UnsupportedError) as error:
        raise typer.BadParameter(str(error)) from None
