"""The demo's points as a markdown table and as JSON.

Not responsible for: measuring them.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

import haagenti
from haagenti.cli.demo.measure import Point

HEADINGS = ("model", "size MB", "b/w", "b/w linear", "SNR dB linear", "perplexity", "KL mean", "KL p99", "top-1 %")


def markdown_table(points: Sequence[Point]) -> str:
    """A markdown table whose columns also line up as plain text, and a line on how to read it for every model."""
    rows = [HEADINGS, *(_cells(point) for point in points)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [_row(row, widths) for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 1) + ("-" if column == 0 else ":") for column, width in enumerate(widths)) + "|")
    protocols = dict.fromkeys(f"{point.model}: {point.protocol}." for point in points)
    return "\n".join([*lines, "", *protocols])


def write_results(points: Sequence[Point], path: Path) -> None:
    """Writes the points with the versions that made them."""
    content = {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "versions": {"haagenti": haagenti.__version__} | {name: version(name) for name in ("torch", "transformers")},
        "points": points,
    }
    path.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")


def _cells(point: Point) -> tuple[str, ...]:
    snr = "exact" if point.linear_snr_db is None else f"{point.linear_snr_db:.2f}"
    return (
        f"{point.model} {point.variant}",
        f"{point.n_bytes / 1e6:.2f}",
        f"{point.bits_per_weight:.2f}",
        "-" if point.linear_bits_per_weight is None else f"{point.linear_bits_per_weight:.2f}",
        snr,
        f"{point.perplexity:.3f}",
        f"{point.kl_mean:.5f}",
        f"{point.kl_p99:.4f}",
        f"{100 * point.top1:.1f}",
    )


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (
        cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {first} | " + " | ".join(rest) + " |"
