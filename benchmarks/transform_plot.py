"""Picture of transforms_*.csv: elements a second against size, a line a candidate.

    python benchmarks/transforms.py --part picture

Not responsible for measuring.
"""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness import RESULTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = Mapping[str, str]
PANELS = (
    ("dct2d", "planes 2", "DCT-II of n x n planes"),
    ("dct2d", "planes 3", "DCT-III of n x n planes"),
    ("dct1d", "lines 2", "DCT-II of lines of n"),
    ("dct1d", "lines 3", "DCT-III of lines of n"),
    ("hadamard", "cache float32", "Hadamard, blocks of n, in cache"),
    ("hadamard", "DRAM float32", "Hadamard, blocks of n, from DRAM"),
)
STYLES = {
    "haagenti": ("#d1495b", "o"),
    "haagenti, apart": ("#e8a0aa", "o"),
    "scipy": ("#1b6ca8", "s"),
    "fftw": ("#2e7d4f", "^"),
    "torch matmul": ("#8a5a00", "D"),
    "numpy matmul": ("#b8860b", "P"),
    "streaming copy": ("#555555", ""),
    "negation in place": ("#999999", ""),
}


def rows_of(part: str) -> list[Row]:
    """What the part measured last; nothing if it never did."""
    path = RESULTS / f"transforms_{part}.csv"
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def draw(axes: Axes, rows: Sequence[Row], title: str) -> None:
    """One panel."""
    for name, (colour, marker) in STYLES.items():
        points = sorted((int(row["size"]), float(row["best_Melem/s"])) for row in rows if row["name"] == name)
        if points:
            width = 2.4 if name.startswith("haagenti") else 1.0
            dashes = "--" if not marker else "-"
            axes.plot(*zip(*points, strict=True), dashes, color=colour, marker=marker or None, linewidth=width, markersize=5, label=name)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    sizes = sorted({int(row["size"]) for row in rows})
    axes.set_xticks(sizes, [str(size) if size < 1 << 20 else "2^20" for size in sizes], fontsize=7)
    axes.set_xticks([], minor=True)
    axes.grid(which="major", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"{title}, one core", fontsize=10, loc="left")
    axes.set_xlabel("n")
    axes.set_ylabel("Melem/s")
    axes.legend(fontsize=7, frameon=False)


def draw_all() -> None:
    """The picture, of the panels whose data is there; none without matplotlib."""
    if importlib.util.find_spec("matplotlib") is None:
        print("no picture: matplotlib is not installed")
        return
    panels = [(title, [row for row in rows_of(part) if row["kind"] == kind]) for part, kind, title in PANELS]
    panels = [(title, rows) for title, rows in panels if rows]
    if not panels:
        print("no picture: nothing has been measured")
        return
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    lines = (len(panels) + 1) // 2
    figure, grid = plt.subplots(lines, 2, figsize=(13, 4.2 * lines), squeeze=False)
    for axes, (title, rows) in zip(grid.flat, panels, strict=False):
        draw(axes, rows, title)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    figure.tight_layout()
    path = RESULTS / "transforms.png"
    figure.savefig(path, dpi=110)
    plt.close(figure)
    print(f"wrote {path}")
