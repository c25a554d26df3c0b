"""Draws the demo's points: how far a model is from its original, and what became of its perplexity, against its size.

Not responsible for: measuring the points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FormatStrFormatter, NullLocator

from haagenti.cli.demo.measure import Point

COLOURS = {"original": "#000000", "lossless": "#0072B2", "int8": "#009E73", "int4": "#D55E00"}
OTHER_COLOUR = "#CC79A7"
"""Okabe-Ito palette, which colour-blind readers can tell apart."""

TICKS = (4, 5, 6, 8, 10, 12, 16, 20, 24, 32)

Value = Callable[[Point], float]


def draw(points: Sequence[Point], path: Path) -> None:
    """Writes a PNG with a row per model: mean KL divergence (logarithmic) and perplexity, both over bits per weight."""
    models = list(dict.fromkeys(point.model for point in points))
    figure = Figure(figsize=(11, 0.6 + 3.9 * len(models)), layout="constrained", dpi=150)
    grid = figure.subplots(len(models), 2, squeeze=False)
    for (left, right), model in zip(grid, models, strict=True):
        own = sorted((point for point in points if point.model == model), key=lambda point: point.bits_per_weight)
        _draw_divergence(left, own)
        _draw_perplexity(right, own)
        left.set_title(f"{model}: distance from the original's predictions")
        right.set_title(f"{model}: perplexity")
    for axes in grid.flat:
        _finish(axes)
    figure.suptitle("What the encodings cost: size against quality", fontsize=14)
    figure.savefig(path)


def _draw_divergence(axes: Axes, points: Sequence[Point]) -> None:
    """Lossy points as dots; the exact ones, whose divergence 0 a logarithmic axis cannot show, as vertical lines."""
    axes.set(ylabel="mean KL divergence, nats per token", yscale="log")
    lossy = [point for point in points if point.kl_mean > 0]
    _dots(axes, lossy, lambda point: point.kl_mean, "{:.2g}")
    for point in points:
        if point.kl_mean == 0:
            outermost = point is points[-1]
            axes.axvline(point.bits_per_weight, color=_colour(point), linestyle=":", linewidth=1.5)
            axes.annotate(
                f"{point.variant}: KL 0",
                (point.bits_per_weight, 0.04),
                xycoords=("data", "axes fraction"),
                xytext=(3 if outermost else -3, 0),
                textcoords="offset points",
                rotation=90,
                ha="left" if outermost else "right",
                va="bottom",
                fontsize=9,
                color=_colour(point),
            )


def _draw_perplexity(axes: Axes, points: Sequence[Point]) -> None:
    axes.set(ylabel="perplexity")
    axes.axhline(next(point.perplexity for point in points if point.variant == "original"), color="#888888", linestyle="--", linewidth=1)
    _dots(axes, points, lambda point: point.perplexity, "{:.3f}")


def _dots(axes: Axes, points: Sequence[Point], value: Value, form: str) -> None:
    """One dot and label a point, ordered by size; labels stand above and below in turn, so that neighbours keep apart."""
    for index, point in enumerate(points):
        axes.plot(point.bits_per_weight, value(point), "o", color=_colour(point), markersize=8)
        up = index % 2 == 0
        axes.annotate(
            f"{point.variant} {form.format(value(point))}",
            (point.bits_per_weight, value(point)),
            xytext=(0, 9 if up else -9),
            textcoords="offset points",
            ha="center",
            va="bottom" if up else "top",
            fontsize=9,
            color=_colour(point),
        )


def _colour(point: Point) -> str:
    return COLOURS.get(point.variant, OTHER_COLOUR)


def _finish(axes: Axes) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xlabel("bits per weight, whole checkpoint")
    axes.xaxis.set_major_locator(FixedLocator(TICKS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FormatStrFormatter("%d"))
    axes.margins(x=0.16, y=0.25)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
