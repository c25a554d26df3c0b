"""``haagenti demo``: converts a model every way, measures what each costs, draws the trade-off, and tells a story.

Not responsible for: the measurements (``demo/measure.py``), the table (``demo/table.py``) or the picture (``demo/plot.py``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from haagenti.cli.models import prepare_transformers

SHARED_MODEL = Path("models/llama-books-22m")
SHARED_TEXT = Path("text/books_heldout.txt")
SHARED_WINDOWS = 40

TABLE_HEAD = 2
ROWS_SHOWN = 8


def demo(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Directory of the original model.")],
    text: Annotated[Path, typer.Argument(metavar="TEXT", help="UTF-8 text to evaluate on.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Directory for the converted models, results.json and tradeoff.png.")],
    prompt: Annotated[str, typer.Option(metavar="TEXT", help="How the story begins.")] = "Once upon a time",
    windows: Annotated[int | None, typer.Option(metavar="N", min=1, help="Evaluate only the first N windows.")] = None,
    shared: Annotated[Path, typer.Option(metavar="DIR", help="Where models/llama-books-22m and its text are looked for.")] = Path(
        "../shared"
    ),
) -> None:
    """Convert every way, compare, draw, tell a story."""
    prepare_transformers()
    from haagenti.cli.demo.measure import PRESETS, PRESETS_AND_LINEAR_ONLY, measure
    from haagenti.cli.demo.plot import draw
    from haagenti.cli.demo.table import markdown_table, write_results

    out.mkdir(parents=True, exist_ok=True)
    _say(f"{model.name}: convert {len(PRESETS)} ways, then compare")
    points = measure(model, text, out, PRESETS, max_windows=windows)
    if (shared / SHARED_MODEL).is_dir() and (shared / SHARED_TEXT).is_file():
        _say(f"{SHARED_MODEL.name}: convert {len(PRESETS_AND_LINEAR_ONLY)} ways, then compare")
        points += measure(shared / SHARED_MODEL, shared / SHARED_TEXT, out, PRESETS_AND_LINEAR_ONLY, max_windows=windows or SHARED_WINDOWS)
    else:
        _say(f"{shared / SHARED_MODEL} or its text is not there: only {model.name} is shown")
    write_results(points, out / "results.json")
    draw(points, out / "tradeoff.png")
    typer.echo(markdown_table(points))
    _show_stored(out / f"{model.name}-int4", model)
    _tell_story(out / f"{model.name}-int4", prompt)
    _say(f"numbers in {out / 'results.json'}, picture in {out / 'tradeoff.png'}")


def _show_stored(directory: Path, original: Path) -> None:
    """What ``inspect`` (its first rows), ``verify --against`` and ``doctor`` (its verdict) say."""
    import haagenti
    from haagenti.cli.doctor import self_test_verdict
    from haagenti.cli.selftest import run_selftest
    from haagenti.cli.verify import verdict

    inspection = haagenti.inspect(directory)
    table = inspection.table().splitlines()[: TABLE_HEAD + ROWS_SHOWN]
    more = len(inspection.rows) - ROWS_SHOWN
    shown = [*table, *([f"... and {more} more"] if more > 0 else []), "", *inspection.summary()]
    typer.echo("\n".join(["", f"haagenti inspect {directory}", "", *shown]))
    typer.echo(f"\nhaagenti verify {directory} --against {original}\n\n{verdict(haagenti.verify(directory, against=original))}")
    typer.echo(f"\nhaagenti doctor\n\n{self_test_verdict(run_selftest())}")


def _tell_story(directory: Path, prompt: str) -> None:
    from haagenti.hf.generation import generate

    result = generate(directory, prompt)
    typer.echo(f"\nA story from {directory.name}:\n\n{result.prompt}{result.text}\n")
    if result.tokens_per_second is not None:
        _say(f"{result.n_new_tokens} new tokens, {result.tokens_per_second:.0f} tokens/s, prompt excluded")


def _say(line: str) -> None:
    typer.echo(line, err=True)
