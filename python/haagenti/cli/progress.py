"""Shows how far a long task is: a bar on a terminal, a tqdm bar in a notebook, plain lines elsewhere.

Not responsible for: measuring progress; the task calls the function it is given.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Literal

Progress = Callable[[int, int, str], None]
"""Called with the amount done, the amount in all, and the name of what is being worked on."""

Unit = Literal["bytes", "windows"]

LINE_SECONDS = 5.0
"""Plain lines are at least this far apart."""


@contextmanager
def show_progress(label: str, unit: Unit = "bytes") -> Iterator[Progress]:
    """Gives a progress callback that is right for where the output goes; everything is written to stderr.

    Args:
        label: The verb in front of the bar.
        unit: What is counted.

    Example:
        >>> with show_progress("convert") as progress:
        ...     progress(5, 10, "model.embed_tokens.weight")
    """
    if _in_notebook():
        with _tqdm_bar(label, unit) as progress:
            yield progress
    elif sys.stderr.isatty():
        with _rich_bar(label, unit) as progress:
            yield progress
    else:
        yield _lines(label, unit)


def format_bytes(amount: int) -> str:
    """``12.3 MB``."""
    value, step = float(amount), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, step = value / 1000, larger
    return f"{value:.0f} B" if step == "B" else f"{value:.1f} {step}"


def _of(done: int, total: int, unit: Unit) -> str:
    return f"{format_bytes(done)} of {format_bytes(total)}" if unit == "bytes" else f"{done} of {total} {unit}"


def _lines(label: str, unit: Unit) -> Progress:
    last = time.monotonic()

    def show(done: int, total: int, name: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < LINE_SECONDS:
            return
        last = now
        percent = 100 * done // total if total else 100
        print(f"{label}: {percent} % ({_of(done, total, unit)}) {name}".rstrip(), file=sys.stderr, flush=True)

    return show


@contextmanager
def _rich_bar(label: str, unit: Unit) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    amount = (DownloadColumn(), TransferSpeedColumn()) if unit == "bytes" else (MofNCompleteColumn(),)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        *amount,
        TimeRemainingColumn(),
        TextColumn("{task.fields[item]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None, item="")
        yield lambda done, total, name: bar.update(task, completed=done, total=total, item=name)


@contextmanager
def _tqdm_bar(label: str, unit: Unit) -> Iterator[Progress]:
    if find_spec("tqdm") is None:
        yield _lines(label, unit)
        return
    # Without ipywidgets tqdm.auto warns and then does the same.
    tqdm = import_module("tqdm.std" if find_spec("ipywidgets") is None else "tqdm.auto").tqdm
    with tqdm(desc=label, unit="B" if unit == "bytes" else unit, unit_scale=unit == "bytes") as bar:

        def show(done: int, total: int, name: str) -> None:
            bar.total = total
            bar.set_postfix_str(name, refresh=False)
            bar.update(done - bar.n)

        yield show


def _in_notebook() -> bool:
    """Whether a Jupyter kernel runs this; imports nothing that is not loaded already."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"
