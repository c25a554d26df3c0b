"""An analysis as a table of single numbers, for spreadsheets and data frames.

Not responsible for: writing CSV.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from haagenti.reporting.analysis.results import Analysis, ClassAnalysis, Point, PointSummary, TensorAnalysis


class Line(NamedTuple):
    """One number.

    Attributes:
        tensor_class: "" for the Gaussian that curves are compared with.
        tensor: "" for the class as a whole.
        quantity: what it is.
        transform: of an energy or a gain; of a point the one that was asked for.
        at: share of the coefficients of an energy, setting of a point.
        value: the number.
        unit: of the value.
    """

    tensor_class: str
    tensor: str
    quantity: str
    transform: str
    at: str
    value: float | int | None
    unit: str


HEADER = ("class", "tensor", "quantity", "transform", "at", "value", "unit")


def csv_lines(analysis: Analysis) -> Iterator[Line]:
    """The classes' numbers, then the tensors'; those that are not there are left out."""
    for summary in analysis.classes:
        yield from _present(_class_lines(summary, analysis.energy_at))
    for share, energy in zip(analysis.energy_at, analysis.gaussian_energy, strict=True):
        yield Line("", "", "energy of i.i.d. Gaussian", "", f"{share:g}", energy, "share")
    for tensor in analysis.tensors:
        yield from _present(_tensor_lines(tensor, analysis.energy_at))


def _present(lines: Iterator[Line]) -> Iterator[Line]:
    return (line for line in lines if line.value is not None)


def _class_lines(summary: ClassAnalysis, shares: Sequence[float]) -> Iterator[Line]:
    def line(quantity: str, transform: str, at: str, value: float | int | None, unit: str) -> Line:
        return Line(summary.name, "", quantity, transform, at, value, unit)

    yield line("elements", "", "", summary.n_elements, "")
    yield line("sampled elements", "", "", summary.n_sampled, "")
    for place, value in zip(("median", "max"), summary.excess_kurtosis or (None, None), strict=True):
        yield line(f"{place} excess kurtosis", "", "", value, "")
    yield line("outlier share", "", "", summary.outlier_share, "share")
    yield line("largest value", "", "", summary.max_sigmas, "sigma")
    for transform, curve in summary.energy.items():
        for share, energy in zip(shares, curve, strict=True):
            yield line("energy", transform, f"{share:g}", energy, "share")
    for gain in summary.gains:
        for kind, values in (("coding gain", gain.coding_gain_db), ("gain at equal bits", gain.measured_gain_db)):
            for place, value in zip(("median", "min", "max"), values or (None,) * 3, strict=True):
                yield line(f"{place} {kind}", gain.transform, "", value, "dB")
    for point in summary.points:
        yield from (line(*rest) for rest in _point_values(point))


def _tensor_lines(tensor: TensorAnalysis, shares: Sequence[float]) -> Iterator[Line]:
    def line(quantity: str, transform: str, at: str, value: float | int | None, unit: str) -> Line:
        return Line(tensor.tensor_class, tensor.name, quantity, transform, at, value, unit)

    yield line("elements", "", "", tensor.n_elements, "")
    yield line("sampled elements", "", "", tensor.n_sampled, "")
    if tensor.statistics is not None:
        found = tensor.statistics
        yield line("not finite", "", "", found.n_not_finite, "")
        yield line("mean", "", "", found.mean, "")
        yield line("std", "", "", found.std, "")
        yield line("excess kurtosis", "", "", found.excess_kurtosis, "")
        yield line("outlier share", "", "", found.outlier_share, "share")
        yield line("largest value", "", "", found.max_sigmas, "sigma")
    for transform, curve in tensor.energy.items():
        for share, energy in zip(shares, curve, strict=True):
            yield line("energy", transform, f"{share:g}", energy, "share")
    for gain in tensor.gains:
        yield line("coding gain", gain.transform, "", gain.coding_gain_db, "dB")
        yield line("standard error of coding gain", gain.transform, "", gain.standard_error_db, "dB")
        yield line("gain at equal bits", gain.transform, "", gain.measured_gain_db, "dB")
    for point in tensor.points:
        yield from (line(*rest) for rest in _point_values(point))
        if point.asked == "auto":
            yield line("gain seen by auto", point.transform, point.setting, point.auto_gain_db, "dB")


def _point_values(point: Point | PointSummary) -> Iterator[tuple[str, str, str, float | None, str]]:
    """`transform` is what was asked for."""
    yield "bits per weight", point.asked, point.setting, point.bits_per_weight, "bit"
    yield "cosine", point.asked, point.setting, point.cosine, ""
    yield "SNR", point.asked, point.setting, point.snr_db, "dB"
