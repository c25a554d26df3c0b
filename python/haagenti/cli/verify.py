"""``haagenti verify``: every checksum of a converted checkpoint, and on request its tensors against the original.

Not responsible for: the checks themselves.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from haagenti.cli.exit_codes import ExitCode
from haagenti.cli.progress import show_progress


def verify(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Converted directory or .hct file.")],
    against: Annotated[
        str | None, typer.Option(metavar="SRC", help="The original: lossless tensors bit-equal, lossy within the stored error.")
    ] = None,
) -> None:
    """Check every checksum."""
    import haagenti

    with show_progress("verify") as progress:
        report = haagenti.verify(out, against=against, progress=progress)
    for failure in report.failures:
        typer.echo(f"haagenti: {failure}", err=True)
    if not report.ok:
        typer.echo(f"{out}: {len(report.failures)} problems in {report.n_tensors} tensors")
        raise typer.Exit(ExitCode.INTEGRITY)
    typer.echo(
        f"{out}: {report.n_tensors} tensors, every checksum of {report.n_records} records is right; {report.n_plain} are stored plainly"
    )
    if against is not None:
        typer.echo(f"against {against}: {report.n_equal} are equal bit by bit, {report.n_lossy} differ as much as they state")
