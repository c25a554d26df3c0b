"""Tables and CSV files of the byte-codec benchmarks, with the versions of every library that took part.

Not responsible for measuring. `harness.report` prints one rate a row; these tables have several.
"""

from __future__ import annotations

import csv
import functools
import os
from collections.abc import Mapping, Sequence
from typing import Any

import codec_c
import codec_peers
import haagenti
from harness import RESULTS, machine

Row = dict[str, Any]


@functools.cache
def about() -> dict[str, str]:
    """What the numbers depend on, with the load of the minute before the first call."""
    return {**machine(), "load": f"{os.getloadavg()[0]:.1f}"}


def print_head(question: str) -> None:
    """Prints the question, the machine and all versions."""
    print(question)
    print("  " + ", ".join(f"{key} {value}" for key, value in about().items()))
    if os.getloadavg()[0] > 0.5:
        print("  OTHER WORK is running on this machine: numbers of one thread are too low, those of two threads mean little")
    linked = dict.fromkeys(codec_peers.linked(row.name) for row in haagenti.algorithms())
    print("  haagenti links: " + "; ".join(linked))
    print(f"  C calls link:   {codec_c.versions()}")
    print("  packages carry: " + ", ".join(f"{name}: {version}" for name, version in codec_peers.peer_versions().items()))


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 100 else f"{value:.3g}"
    return "" if value is None else str(value)


def print_table(title: str, columns: Sequence[str] | Mapping[str, str], rows: Sequence[Row]) -> None:
    """Prints the columns of the rows, numbers to the right; a mapping says how columns are headed."""
    headings = list(columns.values()) if isinstance(columns, Mapping) else list(columns)
    cells = [[_text(row.get(column)) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    to_right = [any(isinstance(row.get(column), int | float) for row in rows) for column in columns]

    def line(texts: Sequence[str]) -> str:
        padded = (text.rjust(width) if right else text.ljust(width) for text, width, right in zip(texts, widths, to_right, strict=True))
        return "  " + "  ".join(padded).rstrip()

    print(f"\n{title}")
    print(line(headings))
    for texts in cells:
        print(line(texts))


def write_csv(name: str, rows: Sequence[Row]) -> None:
    """Writes ``benchmarks/results/NAME.csv``: all keys of all rows, and what the numbers depend on."""
    machine_cells = about()
    columns = list(dict.fromkeys(key for row in rows for key in row))
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*columns, *machine_cells])
        for row in rows:
            cells = (row.get(column, "") for column in columns)
            writer.writerow([*(f"{cell:.6g}" if isinstance(cell, float) else cell for cell in cells), *machine_cells.values()])
    print(f"\nwrote {path}")
