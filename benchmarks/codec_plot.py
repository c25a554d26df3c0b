"""Pictures of codecs_ratio.csv: compression ratio against speed.

    python benchmarks/codecs.py --part pictures

Not responsible for measuring (`codec_ratio.py`). One colour a format; The lines of haagenti are thick,
those of packages thin, with a marker each.
"""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness import RESULTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = Mapping[str, object]
# lz4 and lz4hc are levels of one format.
FORMATS = {"zstd": "zstd", "lz4": "lz4", "lz4hc": "lz4", "brotli": "brotli", "gzip": "gzip"}
COLOURS = {"zstd": "#1b6ca8", "lz4": "#d1495b", "brotli": "#2e7d4f", "gzip": "#8a5a00"}
MARKERS = {"haagenti into": "o", "cramjam into": "^", "zlib": "s", "zlib_ng": "D", "isal": "P"}
PICTURES = {
    "codecs_ratio_corpora": ("Silesia", "Canterbury", "tests/models"),
    "codecs_ratio_weights": ("bf16 synthetic", "bf16 llama-books-22m"),
}
TICKS = (0.95, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 2, 3, 4, 5, 6, 8)


def curves(rows: Iterable[Row], speed: str) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """(format, package) to (speed, ratio) in order of level."""
    found: dict[tuple[str, str], list[tuple[int, float, float]]] = {}
    for row in rows:
        name = "isal" if str(row["name"]).startswith("isal") else str(row["name"])
        if row["algorithm"] in FORMATS and name != "haagenti bytes":
            point = (int(str(row["level"])), float(str(row[speed])), float(str(row["ratio"])))
            found.setdefault((FORMATS[str(row["algorithm"])], name), []).append(point)
    return {key: [(x, y) for _, x, y in sorted(points)] for key, points in found.items()}


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions near the wanted ones, in the same order, that are a gap apart."""
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    placed = [0.0] * len(wanted)
    at = low - gap
    for i in order:
        at = placed[i] = max(wanted[i], at + gap)
    over = high + gap
    for i in reversed(order):
        over = placed[i] = min(placed[i], over - gap)
    return placed


def label_ends(axes: Axes, ends: Mapping[str, tuple[float, float, str]]) -> None:
    """Names beside the right edge, with a thin line to the fastest point of each curve."""
    to_share = axes.transData + axes.transAxes.inverted()
    points = [to_share.transform((x, y)) for x, y, _ in ends.values()]
    for (text, (x, y, colour)), height in zip(ends.items(), spread([p[1] for p in points], 0.047, 0.01, 0.99), strict=True):
        bold = "bold" if text.startswith("haagenti") else "normal"
        axes.annotate(
            text,
            (x, y),
            (1.02, height),
            textcoords="axes fraction",
            va="center",
            fontsize=8,
            color=colour,
            fontweight=bold,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.4, "alpha": 0.5},
        )


def draw(axes: Axes, rows: Sequence[Row], title: str, speed: str) -> None:
    """One panel."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

    ends = {}
    for (kind, name), points in curves(rows, speed).items():
        own = name == "haagenti into"
        x, y = zip(*points, strict=True)
        style = {"linewidth": 2.4, "markersize": 6, "zorder": 3} if own else {"linewidth": 0.9, "markersize": 4, "zorder": 2, "alpha": 0.8}
        axes.plot(x, y, color=COLOURS[kind], marker=MARKERS.get(name, "x"), **style)
        package = name.removesuffix(" into")
        ends[package if kind == package else f"{package} {kind}" if kind not in package else package] = (*max(points), COLOURS[kind])
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(FixedLocator(TICKS))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"))
    axes.grid(which="major", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlabel(speed.replace("_", ", "))
    axes.set_ylabel("ratio (original / compressed)")
    label_ends(axes, ends)


def draw_picture(rows: Sequence[Row], names: Sequence[str], path: Path) -> None:
    """A line of panels a dataset: compressing on the left, decompressing on the right."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(len(names), 2, figsize=(14, 4.8 * len(names)), squeeze=False)
    for line, name in zip(panels, names, strict=True):
        own = [row for row in rows if row["data"] == name]
        for axes, speed in zip(line, ("compress_MB/s", "decompress_MB/s"), strict=True):
            draw(axes, own, f"{name}: {speed.split('_')[0]}, one thread; a point a level", speed)
    figure.tight_layout(w_pad=3)
    figure.savefig(path, dpi=110)
    plt.close(figure)
    print(f"wrote {path}")


def draw_all(rows: Sequence[Row]) -> None:
    """Every picture whose data is there; none without matplotlib."""
    if importlib.util.find_spec("matplotlib") is None:
        print("no pictures: matplotlib is not installed")
        return
    there = {str(row["data"]) for row in rows}
    for picture, names in PICTURES.items():
        chosen = [name for name in names if name in there]
        if chosen:
            draw_picture(rows, chosen, RESULTS / f"{picture}.png")


def run(quick: bool, full: bool) -> None:
    """Draws what the ratio part measured last."""
    del quick, full
    with (RESULTS / "codecs_ratio.csv").open(newline="") as file:
        draw_all(list(csv.DictReader(file)))
