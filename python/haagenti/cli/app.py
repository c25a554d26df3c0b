"""The table of commands.

Not responsible for: what they do (one file each), or errors (``cli/run.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from haagenti.cli import analyze, compress, convert, decompress, demo, doctor, evaluate, generate, inspect, verify


@dataclass
class State:
    """Options that belong to the program, not to a command."""

    debug: bool = False


state = State()

app = typer.Typer(
    name="haagenti",
    help="Compresses the weights of neural networks and runs the networks from the compressed form.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("convert")(convert.convert)
app.command("compress")(compress.compress)
app.command("decompress")(decompress.decompress)
app.command("inspect")(inspect.inspect)
app.command("verify")(verify.verify)
app.command("analyze", cls=analyze.SpreadCommand)(analyze.analyze)
app.command("eval")(evaluate.evaluate)
app.command("generate")(generate.generate)
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)


def _print_version(wanted: bool) -> None:
    if wanted:
        import haagenti

        typer.echo(f"haagenti {haagenti.__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from. HAAGENTI_DEBUG=1 does the same.")] = False,
) -> None:
    state.debug = state.debug or debug
