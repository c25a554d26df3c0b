"""An analysis as plain text: a block a class.

Not responsible for: the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from haagenti.reporting.analysis.results import Analysis, ClassAnalysis, GainSummary, PointSummary
from haagenti.reporting.tables import plain_table, printable

MAX_NAMED = 10
"""Tensors left out that are named; the rest is counted."""

_GAINS = ("transform", "tensors", "coding gain dB", "min", "max", "gain at equal bits dB", "min", "max")
_POINTS = ("setting", "transform", "bits/weight", "SNR dB", "cosine", "what auto takes, by number of tensors")
MAX_TAKEN = 5
"""Transforms that are named at a setting."""


def report(analysis: Analysis) -> str:
    """Everything, then the legend."""
    blocks = [_head(analysis), *(_block(one, analysis) for one in analysis.classes)]
    left_out = list(_left_out(analysis))
    if left_out:
        blocks.append("\n".join(left_out))
    return "\n\n".join([*blocks, _legend(analysis)])


def _head(analysis: Analysis) -> str:
    n_sampled = sum(one.n_sampled < one.n_elements for one in analysis.tensors if not one.not_analysed)
    sampled = f"; of {_count(n_sampled, 'larger tensor')} {analysis.sample_elements} values in bands of rows" if n_sampled else ""
    counted = _count(sum(one.n_tensors for one in analysis.classes), "tensor")
    return f"{printable(analysis.path)}: {counted} in {_count(len(analysis.classes), 'class', 'es')}, {analysis.seconds:.1f} s{sampled}"


def _block(summary: ClassAnalysis, analysis: Analysis) -> str:
    tables = (_energy_table(summary, analysis), _gain_table(summary.gains), _point_table(summary.points))
    return "\n\n".join(part for part in (_title(summary), *tables, auto_line(summary)) if part)


def _title(summary: ClassAnalysis) -> str:
    sampled = "" if summary.n_sampled == summary.n_elements else f" ({summary.n_sampled} measured)"
    title = f"{summary.name.upper()}: {_count(summary.n_tensors, 'tensor')}, {summary.n_elements} weights{sampled}"
    if summary.excess_kurtosis is None:
        return f"{title}\nall values of a tensor are equal"
    middle, largest = summary.excess_kurtosis
    kurtosis = f"excess kurtosis {middle:.2f}" + (f" (median; largest {largest:.2f})" if summary.n_tensors > 1 else "")
    outliers, furthest = summary.outlier_share or 0, summary.max_sigmas or 0
    return f"{title}\n{kurtosis}, {100 * outliers:.2g} % of the values beyond 6 sigma, the furthest at {furthest:.1f} sigma"


def _energy_table(summary: ClassAnalysis, analysis: Analysis) -> str:
    if not summary.energy:
        return ""
    header = ["% of energy in the largest", *(f"{share:.0%}".replace("%", " %") for share in analysis.energy_at)]
    curves = [*summary.energy.items(), ("i.i.d. Gaussian", analysis.gaussian_energy)]
    rows = [[name, *(f"{100 * value:.1f}" for value in curve)] for name, curve in curves]
    return plain_table(header, rows, [False] + [True] * len(analysis.energy_at))


def _gain_table(gains: Sequence[GainSummary]) -> str:
    if not gains:
        return ""
    rows = [[one.transform, str(one.n_tensors), *_spread(one.coding_gain_db), *_spread(one.measured_gain_db)] for one in gains]
    return plain_table(_GAINS, rows, [False] + [True] * 7)


def _spread(values: tuple[float, float, float] | None) -> list[str]:
    return ["-"] * 3 if values is None else [signed(value) for value in values]


def signed(value: float) -> str:
    """Two digits and a sign; no minus before a zero.

    Example:
        >>> signed(-0.001), signed(1.234)
        ('+0.00', '+1.23')
    """
    return f"{round(value, 2) + 0.0:+.2f}"


def _point_table(points: Sequence[PointSummary]) -> str:
    return plain_table(_POINTS, [_point_cells(one) for one in points], [False, False, True, True, True, False]) if points else ""


def _point_cells(one: PointSummary) -> list[str]:
    snr = "exact" if one.snr_db is None else f"{round(one.snr_db, 2) + 0.0:.2f}"
    taken = _taken(one) if one.asked == "auto" else ""
    return [setting_name(one.setting), one.asked, f"{one.bits_per_weight:.3f}", snr, f"{one.cosine:.5f}", taken]


def _taken(one: PointSummary) -> str:
    first = [f"{name} {count}" for name, count in list(one.taken.items())[:MAX_TAKEN]]
    n_others = sum(list(one.taken.values())[MAX_TAKEN:])
    return ", ".join([*first, f"others {n_others}"] if n_others else first)


def setting_name(text: str) -> str:
    """A setting in words.

    Example:
        >>> setting_name("retention=0.3"), setting_name("bits_per_weight=3")
        ('30 % kept', '3 bits')
    """
    parameter, _, value = text.partition("=")
    return f"{100 * float(value):g} % kept" if parameter == "retention" else f"{value} bits"


def auto_line(summary: ClassAnalysis) -> str:
    """What ``transform="auto"`` does to the class, in a line."""
    points = [point for point in summary.points if point.asked == "auto"]
    if not points:
        return ""
    names = list(dict.fromkeys(name for point in points for name in point.taken))
    if len(names) == 1:
        said = f"takes {names[0]} for {_all(summary.n_tensors)} at every setting"
    elif summary.n_tensors == 1:
        said = f"takes {' or '.join(names)}, depending on the setting"
    else:
        said = f"keeps the identity for {_range([point.taken.get('identity', 0) for point in points], summary.n_tensors)}"
    gains = [point.auto_gain_db[1] for point in points if point.auto_gain_db is not None]
    best = f"; the largest gain it measured is {signed(max(gains))} dB" if gains else ""
    return f"auto {said}{best}"


def _all(n: int) -> str:
    return f"all {n} tensors" if n > 1 else "the tensor"


def _range(counts: Sequence[int], n: int) -> str:
    least, most = min(counts), max(counts)
    return f"{least} to {most} of {n} tensors, depending on the setting" if least < most else f"{least} of {n} tensors"


def _left_out(analysis: Analysis) -> Iterator[str]:
    tensors = analysis.not_analysed
    for tensor in tensors[:MAX_NAMED]:
        yield f"not analysed: {printable(tensor.name)}: {tensor.not_analysed}"
    if len(tensors) > MAX_NAMED:
        yield f"not analysed: {len(tensors) - MAX_NAMED} more"


def _legend(analysis: Analysis) -> str:
    return "\n".join(
        (
            "energy: sum of squares, the tensor's mean taken off; dct_2d of a tensor that is sampled: of each band of rows",
            "coding gain: arithmetic over geometric mean of the coefficients' variances by position (Jayant & Noll 1984), corrected for",
            "  the number of values: what a coder can gain that gives each position bits of its own; median, min and max over tensors;",
            "  the identity has one where columns differ in variance; '-': too few values to tell",
            f"gain at equal bits: SNR above that of the identity, quantised by {analysis.reference},",
            "  6.02 dB for each bit less; auto takes a transform that gains 0.1 dB or more",
            "bits/weight: whole records, headers included; SNR and cosine: of all tensors of the class as if they were one",
        )
    )


def _count(n: int, noun: str, plural: str = "s") -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}{plural}"
