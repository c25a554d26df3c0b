"""``haagenti convert``: compresses a checkpoint, or with ``--preset dense`` turns it back.

Not responsible for: choosing encodings (the plan does) or writing files.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haagenti.cli.progress import show_progress

if TYPE_CHECKING:
    from haagenti.reporting.report import ReportRow

MAX_NAMED = 3


def _check_preset(preset: str) -> str:
    from haagenti.planning.policy import PRESETS

    if preset not in PRESETS:
        raise typer.BadParameter(f"expected one of {', '.join(PRESETS)}, found {preset!r}")
    return preset


def _check_rules(rules: list[str] | None) -> list[str] | None:
    from haagenti.errors import InvalidArgumentError
    from haagenti.planning.rules import parse_rules

    try:
        parse_rules(rules)
    except InvalidArgumentError as error:
        raise typer.BadParameter(str(error)) from None
    return rules


def convert(
    src: Annotated[
        str,
        typer.Argument(
            metavar="SRC", help="Model directory, org/name on the HuggingFace hub, or one .safetensors .bin .pt .pth .th .hct file."
        ),
    ],
    dst: Annotated[
        Path | None, typer.Argument(metavar="DST", help="Directory or .hct file to write; may be left out with --dry-run.")
    ] = None,
    preset: Annotated[
        str,
        typer.Option(
            metavar="NAME", callback=_check_preset, help="lossless, int8, int4, spectral, or dense: back to an ordinary checkpoint."
        ),
    ] = "int4",
    rule: Annotated[
        list[str] | None,
        typer.Option(
            metavar="REGEX=ENCODING",
            callback=_check_rules,
            help="Encoding of the tensors whose whole name matches, before the preset; first match wins. Repeatable.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, write nothing.")] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace DST; a directory only if all in it is a model's."),
    ] = False,
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit on the hub.")] = None,
    key: Annotated[str | None, typer.Option(help="Key of a nested checkpoint that holds the tensors, such as state_dict.")] = None,
    min_snr: Annotated[
        float | None, typer.Option("--min-snr", metavar="DB", help="End with code 3 and no output when a lossy tensor is below.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Compress a checkpoint."""
    import haagenti

    if dst is None and not dry_run:
        raise typer.BadParameter("missing; only --dry-run does without", param_hint="DST")
    plan = haagenti.plan(src, preset=preset, rules=rule, key=key, revision=revision, dst=dst)
    if dry_run or dst is None:
        typer.echo(plan.to_json() if as_json else plan.table())
        return
    with show_progress("convert") as progress:
        report = haagenti.convert(src, dst, plan, key=key, revision=revision, min_snr=min_snr, force=force, progress=progress)
    if as_json:
        typer.echo(report.to_json())
        return
    typer.echo(report.table())
    fallen = [row for row in report.rows if row.fallback]
    if fallen:
        typer.echo(fallback_line(fallen))


def fallback_line(rows: Sequence[ReportRow]) -> str:
    """How many tensors are not stored as planned, which, and why; the first few by name."""
    named = "; ".join(f"{row.name} ({row.fallback})" for row in rows[:MAX_NAMED])
    more = f"; and {len(rows) - MAX_NAMED} more" if len(rows) > MAX_NAMED else ""
    return f"{len(rows)} {'tensor' if len(rows) == 1 else 'tensors'} fell back to lossless: {named}{more}"
