"""Draws an analysis: a row a class with energy curves, gains of transforms, and signal-to-noise ratio against size.

Not responsible for: measuring.
"""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from haagenti.reporting.analysis.results import Analysis, ClassAnalysis
from haagenti.reporting.analysis.text import setting_name

COLOURS = {"identity": "#000000", "dct_rows": "#0072B2", "dct_2d": "#009E73"}
GAUSSIAN_COLOUR = "#888888"
CODING_COLOUR, MEASURED_COLOUR = "#E69F00", "#D55E00"
AUTO_COLOUR, IDENTITY_COLOUR = "#D55E00", "#000000"
"""Okabe-Ito palette, which colour-blind readers can tell apart."""


LEAST_RANGE_DB = 0.5
"""So that differences of a hundredth do not look like gains."""


LEGEND_SHARE = 0.25
"""Of the height, left free above the bars."""


def draw(analysis: Analysis, path: Path) -> None:
    """Writes a picture; its format follows the suffix."""
    n_rows = max(1, len(analysis.classes))
    figure = Figure(figsize=(15, 0.8 + 3.6 * n_rows), layout="constrained", dpi=120)
    grid = figure.subplots(n_rows, 3, squeeze=False)
    for (energy, gains, points), summary in zip(grid, analysis.classes, strict=False):
        _draw_energy(energy, summary, analysis)
        _draw_gains(gains, summary)
        _draw_points(points, summary)
        for axes in (energy, gains, points):
            axes.grid(alpha=0.25)
            axes.spines[["top", "right"]].set_visible(False)
    if not analysis.classes:
        for axes in grid.flat:
            axes.set_axis_off()
    figure.suptitle(f"What transforms gain on {analysis.path}", fontsize=14)
    figure.savefig(path)


def _draw_energy(axes: Axes, summary: ClassAnalysis, analysis: Analysis) -> None:
    shares = [0.0, *(100 * share for share in analysis.energy_at)]
    axes.set(title=f"{summary.name} ({summary.n_tensors}): energy", xlabel="largest coefficients, %", ylabel="energy, %")
    gaussian = [0.0, *(100 * value for value in analysis.gaussian_energy)]
    axes.plot(shares, gaussian, "--", color=GAUSSIAN_COLOUR, label="i.i.d. Gaussian", linewidth=3)
    for name, curve in summary.energy.items():
        axes.plot(shares, [0.0, *(100 * value for value in curve)], marker=".", color=COLOURS.get(name), label=name, linewidth=1.2)
    axes.legend(loc="lower right", fontsize=8)


def _draw_gains(axes: Axes, summary: ClassAnalysis) -> None:
    """Medians as bars; from the smallest to the largest tensor as lines."""
    axes.set(title="gain, median and range over tensors", ylabel="dB")
    kinds = (("coding gain", CODING_COLOUR, -0.2), ("over the identity at equal bits", MEASURED_COLOUR, 0.2))
    for label, colour, shift in kinds:
        found = [(i, g.coding_gain_db if shift < 0 else g.measured_gain_db) for i, g in enumerate(summary.gains)]
        bars = [(i + shift, *values) for i, values in found if values is not None]
        if bars:
            places, medians, lowest, highest = (list(column) for column in zip(*bars, strict=True))
            axes.bar(places, medians, width=0.4, color=colour, label=label)
            axes.vlines(places, lowest, highest, color="#333333", linewidth=1)
    axes.axhline(0, color="#000000", linewidth=0.8)
    least, most = axes.get_ylim()
    least, most = min(least, -LEAST_RANGE_DB), max(most, LEAST_RANGE_DB)
    axes.set_ylim(least, most + LEGEND_SHARE * (most - least))
    axes.set_xticks(range(len(summary.gains)), [gain.transform for gain in summary.gains], rotation=35, ha="right", fontsize=8)
    if summary.gains:
        axes.legend(fontsize=8, loc="upper left")


def _draw_points(axes: Axes, summary: ClassAnalysis) -> None:
    axes.set(title="after quantisation", xlabel="bits per weight, records whole", ylabel="SNR, dB")
    for asked, colour, marker in (("auto", AUTO_COLOUR, "o"), ("identity", IDENTITY_COLOUR, "x")):
        found = [(p.bits_per_weight, p.snr_db, p.setting) for p in summary.points if p.asked == asked and p.snr_db is not None]
        if not found:
            continue
        bits, snr, names = zip(*found, strict=True)
        axes.plot(bits, snr, marker, color=colour, label=asked, markersize=8, fillstyle="none")
        for x, y, name in zip(bits, snr, names, strict=True) if asked == "auto" else ():
            place = (0, 12) if name.startswith("retention") else (0, -14)
            axes.annotate(setting_name(name), (x, y), xytext=place, textcoords="offset points", ha="center", va="center", fontsize=8)
    axes.margins(x=0.15, y=0.2)
    if axes.has_data():
        axes.legend(fontsize=8, loc="lower right")
