"""Runs the command line: picks the command, turns every error into one line and an exit code.

Not responsible for: what the commands do.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

DEBUG_VARIABLE = "HAAGENTI_DEBUG"


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code.

    Args:
        arguments: The words after the program's name; None takes them from ``sys.argv``.
    """
    from haagenti.cli.app import app, state

    state.debug = os.environ.get(DEBUG_VARIABLE, "") not in ("", "0")
    try:
        app(args=None if arguments is None else list(arguments), prog_name="haagenti")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BrokenPipeError:
        return _stop_writing()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the one place where every error becomes a line and a code
        return _report(error, state.debug)
    return 0


def _report(error: BaseException, debug: bool) -> int:
    from haagenti.cli.exit_codes import error_line, exit_code

    if debug:
        traceback.print_exception(error)
    print(f"haagenti: {error_line(error)}", file=sys.stderr)
    return int(exit_code(error))


def _stop_writing() -> int:
    """The reader of our output has gone (``| head``): end without a word, and keep the interpreter from flushing again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
