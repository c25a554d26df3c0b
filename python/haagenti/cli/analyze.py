"""``haagenti analyze``: what transforms gain on a model's tensors, class by class, as text, JSON, CSV and a picture.

Not responsible for: measuring (`haagenti.reporting.analysis`), drawing (``cli/analysis_plot.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from haagenti.cli.progress import show_progress

PICTURES = (".png", ".svg", ".pdf")
DEFAULT_RETENTION = [0.3, 0.5, 0.7, 0.9]
DEFAULT_BITS = [3.0, 4.0]
DEFAULT_SAMPLE = 1 << 20
"""Those of ``haagenti.analyze``, which is imported when the command runs."""

SPREAD = ("--retention", "--bits")


class SpreadCommand(TyperCommand):
    """A command in which the options of `SPREAD` take all numbers that follow them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, spread(args))


def spread(arguments: list[str]) -> list[str]:
    """The option before each of its numbers, as click has it.

    Example:
        >>> spread(["model", "--bits", "3", "4", "--json", "a.json"])
        ['model', '--bits', '3', '--bits', '4', '--json', 'a.json']
    """
    found: list[str] = []
    option, waits = "", False  # the one whose numbers may follow, and whether its first has not come yet
    for index, word in enumerate(arguments):
        name, joined, _ = word.partition("=")
        if word == "--":
            return found + arguments[index:]
        if name in SPREAD:
            option, waits = name, not joined
        elif waits:
            waits = False
        elif option and _is_number(word):
            found.append(option)
        else:
            option = ""
        found.append(word)
    return found


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _numbers(largest: int) -> Callable[[list[float]], list[float]]:
    def check(values: list[float]) -> list[float]:
        for value in values:
            if not 0 < value <= largest:
                raise typer.BadParameter(f"expected numbers above 0, at most {largest}, found {value:g}")
        return values

    return check


def _check_picture(path: Path | None) -> Path | None:
    if path is not None and path.suffix.lower() not in PICTURES:
        raise typer.BadParameter(f"expected a name that ends in {', '.join(PICTURES)}, found {path.name!r}")
    return _check_folder(path)


def _check_folder(path: Path | None) -> Path | None:
    """Before minutes of work, not after them."""
    if path is not None and not path.parent.is_dir():
        raise typer.BadParameter(f"{path.parent}: no such directory")
    return path


def analyze(
    model: Annotated[
        str, typer.Argument(metavar="MODEL_DIR", help="Model directory, org/name on the HuggingFace hub, or one file of tensors.")
    ],
    retention: Annotated[
        list[float],
        typer.Option(metavar="SHARE...", callback=_numbers(1), help="Shares of the coefficients to keep, above 0, at most 1."),
    ] = DEFAULT_RETENTION,
    bits: Annotated[
        list[float], typer.Option(metavar="BITS...", callback=_numbers(64), help="Bits per weight to fill, everything counted.")
    ] = DEFAULT_BITS,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", callback=_check_folder, help="Write everything as JSON, each tensor too.")
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", callback=_check_folder, help="Write everything as CSV, a line a number.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", callback=_check_picture, help="Draw a .png, .svg or .pdf, a row a class.")
    ] = None,
    sample: Annotated[
        int, typer.Option(metavar="N", min=4096, help="Values of a larger tensor to measure, in whole bands of rows.")
    ] = DEFAULT_SAMPLE,
    key: Annotated[str | None, typer.Option(help="Key of a nested checkpoint that holds the tensors, such as state_dict.")] = None,
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit on the hub.")] = None,
) -> None:
    """Measure what transforms gain on a model's tensors."""
    import haagenti

    if plot is not None:
        from haagenti.cli.analysis_plot import draw  # before the work: says at once that matplotlib is missing
    with show_progress("analyze") as progress:
        analysis = haagenti.analyze(
            model, retention=retention, bits=bits, sample_elements=sample, progress=progress, key=key, revision=revision
        )
    typer.echo(analysis.table())
    written = []
    for path, text in ((json_file, analysis.to_json), (csv_file, analysis.to_csv)):
        if path is not None:
            path.write_text(text() if path is csv_file else text() + "\n", encoding="utf-8")
            written.append(path)
    if plot is not None:
        draw(analysis, plot)
        written.append(plot)
    for path in written:
        typer.echo(f"written: {path}", err=True)
