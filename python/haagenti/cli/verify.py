"""``haagenti verify``: every checksum of a converted checkpoint, and on request its tensors against the original.

Not responsible for: the checks themselves.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haagenti.cli.exit_codes import ExitCode
from haagenti.cli.progress import show_progress

if TYPE_CHECKING:
    from haagenti.reporting.verification import VerifyReport

MAX_SHOWN = 20
"""Problems printed; the rest is counted. ``--json`` has all."""


def verify(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Converted directory or .hct file.")],
    against: Annotated[
        str | None, typer.Option(metavar="SRC", help="The original: lossless tensors bit-equal, lossy within the stored error.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="Key of a nested original that holds the tensors, such as state_dict.")] = None,
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit of an original on the hub.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Check every checksum."""
    import haagenti

    if against is None and (key is not None or revision is not None):
        raise typer.BadParameter("is about the original and needs --against", param_hint="--key" if key is not None else "--revision")
    with show_progress("verify") as progress:
        report = haagenti.verify(out, against=against, progress=progress, key=key, revision=revision)
    if as_json:
        typer.echo(report.to_json())
    else:
        for failure in report.failures[:MAX_SHOWN]:
            typer.echo(f"haagenti: {failure}", err=True)
        if len(report.failures) > MAX_SHOWN:
            typer.echo(f"haagenti: ... and {len(report.failures) - MAX_SHOWN} more", err=True)
        typer.echo(verdict(report))
    if not report.ok:
        raise typer.Exit(ExitCode.INTEGRITY)


def verdict(report: VerifyReport) -> str:
    """The outcome in a line, and a second one when there was an original."""
    if not report.ok:
        n = len(report.failures)
        return f"{report.path}: {n} {'problem' if n == 1 else 'problems'} in {report.n_tensors} tensors"
    checked = f"every checksum of {report.n_records} records is right; {report.n_plain} are stored plainly"
    lines = [f"{report.path}: {report.n_tensors} tensors, {checked}"]
    if report.against is not None:
        lines.append(f"against {report.against}: {report.n_equal} are equal bit by bit, {report.n_lossy} differ as much as they state")
    return "\n".join(lines)
