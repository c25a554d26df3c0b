"""Tensors of one class summed up.

Not responsible for: measuring them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median

from haagenti.quality import Quality
from haagenti.reporting.analysis.points import finite_or_none
from haagenti.reporting.analysis.results import ClassAnalysis, GainSummary, Point, PointSummary, TensorAnalysis
from haagenti.reporting.analysis.tensor_class import CLASSES


def summaries(tensors: Sequence[TensorAnalysis]) -> list[ClassAnalysis]:
    """Of the classes that have an analysed tensor, in the order of `CLASSES`."""
    analysed = [tensor for tensor in tensors if not tensor.not_analysed]
    groups = {name: [tensor for tensor in analysed if tensor.tensor_class == name] for name in CLASSES}
    return [_summary(name, group) for name, group in groups.items() if group]


def _summary(name: str, tensors: Sequence[TensorAnalysis]) -> ClassAnalysis:
    found = [tensor.statistics for tensor in tensors if tensor.statistics is not None]
    kurtosis = [one.excess_kurtosis for one in found if one.excess_kurtosis is not None]
    n_elements = sum(tensor.n_elements for tensor in tensors)
    n_outliers = sum((tensor.statistics.outlier_share or 0.0) * tensor.n_elements for tensor in tensors if tensor.statistics is not None)
    return ClassAnalysis(
        name=name,
        n_tensors=len(tensors),
        n_elements=n_elements,
        n_sampled=sum(tensor.n_sampled for tensor in tensors),
        excess_kurtosis=(median(kurtosis), max(kurtosis)) if kurtosis else None,
        outlier_share=n_outliers / n_elements if kurtosis else None,
        max_sigmas=max((one.max_sigmas for one in found if one.max_sigmas is not None), default=None),
        energy=_energy(tensors),
        gains=_gains(tensors),
        points=[_points(points) for points in zip(*(tensor.points for tensor in tensors), strict=True)],
    )


def _energy(tensors: Sequence[TensorAnalysis]) -> dict[str, list[float]]:
    weights = [tensor.n_elements * ((tensor.statistics and tensor.statistics.std) or 0.0) ** 2 for tensor in tensors]
    total = sum(weights)
    if total == 0:
        return {}
    curves: dict[str, list[float]] = {}
    for transform in tensors[weights.index(max(weights))].energy:
        columns = zip(*(tensor.energy[transform] for tensor, weight in zip(tensors, weights, strict=True) if weight), strict=True)
        counted = [weight for weight in weights if weight]
        curves[transform] = [sum(w * share for w, share in zip(counted, column, strict=True)) / total for column in columns]
    return curves


def _gains(tensors: Sequence[TensorAnalysis]) -> list[GainSummary]:
    """By transform, in the order in which the core tries them."""
    names = sorted({gain.transform for tensor in tensors for gain in tensor.gains}, key=_order)
    found = []
    for name in names:
        gains = [gain for tensor in tensors for gain in tensor.gains if gain.transform == name]
        coding = [gain.coding_gain_db for gain in gains if gain.coding_gain_db is not None]
        measured = [gain.measured_gain_db for gain in gains if gain.measured_gain_db is not None]
        found.append(GainSummary(name, len(gains), _spread(coding), _spread(measured)))
    return found


def _order(transform: str) -> tuple[int, int]:
    family, _, rest = transform.partition("(")
    kinds = ("identity", "dct_rows", "dct_2d", "block_dct", "hadamard")
    return kinds.index(family), int(rest.partition(")")[0].partition(",")[0] or 0)


def _spread(values: Sequence[float]) -> tuple[float, float, float] | None:
    return (median(values), min(values), max(values)) if values else None


def _points(points: Sequence[Point]) -> PointSummary:
    """`points`: of one setting, one a tensor."""
    signal, error, dot = (sum(values) for values in zip(*((p.signal_energy, p.error_energy, p.dot) for p in points), strict=True))
    quality = Quality.from_sums(1, signal, error, dot, 0.0, 0.0)
    gains = [point.auto_gain_db for point in points if point.auto_gain_db is not None]
    return PointSummary(
        setting=points[0].setting,
        asked=points[0].asked,
        bits_per_weight=sum(p.bits_per_weight * p.n_elements for p in points) / sum(p.n_elements for p in points),
        cosine=quality.cosine,
        snr_db=finite_or_none(quality.snr_db),
        taken=dict(Counter(point.transform for point in points).most_common()),
        auto_gain_db=(median(gains), max(gains)) if gains else None,
        n_fallback=sum(bool(point.fallback) for point in points),
    )
