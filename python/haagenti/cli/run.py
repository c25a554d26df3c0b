"""Runs the command line: picks the command, turns every error into one line and an exit code.

Not responsible for: what the commands do.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from haagenti.cli.exit_codes import DEBUG_VARIABLE, ReaderGoneError, Terminated, error_line, exit_code

ENDING_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code.

    Args:
        arguments: The words after the program's name; None takes them from ``sys.argv``.
    """
    from haagenti.cli.app import app, state

    state.debug = os.environ.get(DEBUG_VARIABLE, "") not in ("", "0")
    try:
        with _signals_interrupt():
            try:
                app(args=None if arguments is None else list(arguments), prog_name="haagenti")
            finally:
                if sys.stdout is not None:  # closed by the caller
                    sys.stdout.flush()
    except SystemExit as end:
        # typer ends the process itself on these two and says nothing; they are in the chain of what it was handling.
        cause = _swallowed(end)
        if cause is not None:
            return _report(cause, state.debug)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the one place where every error becomes a line and a code
        return _report(error, state.debug)
    return 0


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Lets SIGTERM and SIGHUP end the command as Ctrl-C does, so that nothing half written stays behind.

    A signal that is ignored already (``nohup``) stays ignored. Only the main thread can set handlers; elsewhere nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {number: signal.getsignal(number) for number in ENDING_SIGNALS}
    caught = [number for number, handler in former.items() if handler == signal.SIG_DFL]
    for number in caught:
        signal.signal(number, _terminate)
    try:
        yield
    finally:
        for number in caught:
            signal.signal(number, former[number])


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # the same signal again must not cut the cleaning up short
    raise Terminated(number)


def _swallowed(end: BaseException) -> BaseException | None:
    """The interrupt or the broken pipe that made typer raise ``end``; None when there is none."""
    error: BaseException | None = end
    while error is not None:
        if isinstance(error, KeyboardInterrupt) or _is_broken_pipe(error):
            return error
        error = error.__cause__ or error.__context__
    return None


def _is_broken_pipe(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno == errno.EPIPE


def _report(error: BaseException, debug: bool) -> int:
    if _is_broken_pipe(error):
        _stop_writing()
        return exit_code(error) if isinstance(error, ReaderGoneError) else 0  # a few lines of a table are no broken file
    if debug:
        traceback.print_exception(error)
    if sys.stderr is not None:  # closed by the caller; print would take stdout
        print(f"haagenti: {error_line(error)}", file=sys.stderr)
    return exit_code(error)


def _stop_writing() -> None:
    """The reader of our output has gone (``| head``): end without a word, and keep the interpreter from flushing again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError, ValueError):
        os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
