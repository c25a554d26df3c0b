"""The command line: ``haagenti.cli:main`` is the program ``haagenti``.

Not responsible for: anything a Python caller could want; a command parses, calls the package, and prints.
"""

from __future__ import annotations

from typing import NoReturn

from haagenti.cli.run import run as _run

__all__ = ["main"]


def main() -> NoReturn:
    """Runs the command line on ``sys.argv`` and ends the process with its exit code."""
    raise SystemExit(_run())
