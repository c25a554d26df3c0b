"""The options that ``haagenti compress`` and ``haagenti decompress`` share, checked against each other.

Not responsible for: what is done with them (``cli/byte_files.py``).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import typer

from haagenti._core import ZstdDict
from haagenti.errors import IoError

STREAM = "-"
"""The name that stands for stdin and stdout."""
STDOUT_NAMES = frozenset({STREAM, "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"})


@dataclass(frozen=True)
class Choices:
    """What the options ask for.

    Attributes:
        label: The command, for the bar.
        out: The file to write; `STREAM` for stdout, None for one beside each input.
        keep: Whether inputs stay.
        force: Whether files are replaced, and terminals written to and read from.
        verbose: Whether a line is printed for each file.
        quiet: Whether only errors are printed.
        test: Whether inputs are read and nothing is written.
    """

    label: str
    out: str | None
    keep: bool
    force: bool
    verbose: bool
    quiet: bool
    test: bool = False


def choices(label: str, files: list[str], out: str | None, to_stdout: bool, **others: bool) -> Choices:
    """The options, checked against each other; `others` are the rest of `Choices`.

    Raises:
        typer.BadParameter: They do not go together.
    """
    asked = Choices(label, STREAM if to_stdout or out in STDOUT_NAMES else out, **others)
    if out == "":
        raise typer.BadParameter("is empty", param_hint="--output")
    if out is not None and to_stdout:
        raise typer.BadParameter("does not go with --stdout", param_hint="--output")
    if asked.out not in (None, STREAM) and len(files) > 1:
        raise typer.BadParameter(f"takes the result of one file, not of {len(files)}", param_hint="--output")
    if asked.test and asked.out is not None:
        raise typer.BadParameter("writes nothing; it does not go with --output or --stdout", param_hint="--test")
    if asked.verbose and asked.quiet:
        raise typer.BadParameter("does not go with --verbose", param_hint="--quiet")
    return asked


def read_dictionary(path: str | None) -> ZstdDict | None:
    """The dictionary in a file, a trained one or any bytes; digested once for all inputs."""
    if path is None:
        return None
    with open(path, "rb") as file:
        return ZstdDict(file.read())


def standard(name: str) -> Any:
    """``sys.stdin`` or ``sys.stdout``.

    Raises:
        IoError: The caller has closed it.
    """
    stream = getattr(sys, name)
    if stream is None:
        raise IoError(f"{name} is closed")
    return stream
