"""``haagenti inspect``: one line a tensor of a converted checkpoint, and totals.

Not responsible for: reading the files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def inspect(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Converted directory or .hct file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the tensors: encoding, bits per weight, SNR."""
    import haagenti

    inspection = haagenti.inspect(out)
    typer.echo(inspection.to_json() if as_json else inspection.table())
