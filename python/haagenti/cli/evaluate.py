"""``haagenti eval``: what compression cost a model on a text.

Not responsible for: measuring it (``hf/evaluation.py``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from haagenti.cli.models import prepare_transformers
from haagenti.cli.progress import show_progress


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Directory of the original model.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Directory of the compressed model.")],
    text: Annotated[Path, typer.Option(metavar="FILE", help="UTF-8 text; documents when it contains <|endoftext|>, else running text.")],
    prompts: Annotated[Path | None, typer.Option(metavar="FILE", help="One prompt a line, continued greedily by both models.")] = None,
    windows: Annotated[int | None, typer.Option(metavar="N", min=1, help="Evaluate only the first N windows.")] = None,
    window: Annotated[
        int | None, typer.Option(metavar="N", min=2, help="Tokens in a window.  [default: 256 for documents, 512 for running text]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure on a text what compression cost."""
    prepare_transformers()
    from haagenti.hf.evaluation import evaluate as run

    lines = [] if prompts is None else _prompts(prompts)
    with show_progress("eval", "windows") as progress:
        report = run(model, out, text, prompts=lines, window=window, max_windows=windows, progress=progress)
    typer.echo(report.to_json() if as_json else report.table())


def _prompts(path: Path) -> list[str]:
    """The lines of the file that are not blank."""
    from haagenti.hf.text import read_text

    return [line for line in read_text(path).splitlines() if line.strip()]
