"""Rows of text laid out as a plain table or as HTML, and how numbers are written in them.

Not responsible for: what the rows mean.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

Row = Sequence[str]


def plain_table(header: Row, rows: Sequence[Row], right: Sequence[bool]) -> str:
    """Columns padded to their widest cell, two spaces between them.

    Args:
        header: titles.
        rows: cells, as many as titles.
        right: per column, whether it is aligned to the right.

    Example:
        >>> print(plain_table(["name", "bytes"], [["a", "12"]], [False, True]))
        name  bytes
        ----  -----
        a        12
    """
    rows = [[printable(cell) for cell in row] for row in rows]
    cells = [header, ["-" * len(title) for title in header], *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    cells[1] = ["-" * width for width in widths]
    return "\n".join(_line(row, widths, right) for row in cells)


def _line(row: Row, widths: Sequence[int], right: Sequence[bool]) -> str:
    return "  ".join(cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(row, widths, right, strict=True)).rstrip()


def html_table(header: Row, rows: Sequence[Row], right: Sequence[bool]) -> str:
    """The same as an HTML table."""
    head = "".join(f"<th>{html.escape(title)}</th>" for title in header)
    body = "".join("<tr>" + "".join(map(_cell, row, right)) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(text: str, right: bool) -> str:
    return f'<td style="text-align:{"right" if right else "left"}">{html.escape(printable(text))}</td>'


def markdown_table(header: Row, rows: Sequence[Row]) -> str:
    """The same as a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(printable(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def printable(text: str) -> str:
    r"""Text with control characters and the like as escapes, since names come from files and go to terminals.

    Example:
        >>> print(printable("a\x1b[2J\n"))
        a\x1b[2J\n
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def number(value: float | None, digits: int = 2) -> str:
    """A number with fixed digits; "-" for None, "exact" for positive infinity (a signal-to-noise ratio without noise)."""
    if value is None:
        return "-"
    return "exact" if value == math.inf else f"{value:.{digits}f}"


def decibels(value: float) -> str:
    """A signal-to-noise ratio with its unit; "exact" when there is no noise."""
    return "exact" if value == math.inf else f"{number(value)} dB"


def size(n_bytes: int) -> str:
    """Bytes with a decimal unit.

    Example:
        >>> size(999), size(44_053_504)
        ('999 B', '44.05 MB')
    """
    value, units = float(n_bytes), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{n_bytes} B" if units[0] == "B" else f"{value:.2f} {units[0]}"


def dimensions(shape: Sequence[int]) -> str:
    """``"512x64"``; ``"scalar"`` without dimensions."""
    return "x".join(map(str, shape)) or "scalar"
