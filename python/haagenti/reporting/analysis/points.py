"""Encodes a sample at one setting and states what came of it.

Not responsible for: which settings there are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from haagenti.planning.encodings import canonical
from haagenti.quality import Quality
from haagenti.record import Record, encode
from haagenti.reporting.analysis.results import Point
from haagenti.reporting.analysis.sample import Sample

ENCODING = "spectral"


class Setting(NamedTuple):
    """One parameter of the encoding and the transform that is asked for."""

    parameter: str
    value: str
    asked: str

    @property
    def text(self) -> str:
        """Without the transform."""
        return f"{self.parameter}={self.value}"


REFERENCE = Setting("retention", "0.7", "auto")
"""The default of the encoding. Transforms are measured with it, and the rows of a convolution are those that it chooses."""


def settings(retention: tuple[float, ...], bits: tuple[float, ...]) -> list[Setting]:
    """Each retention with ``auto``, each number of bits with ``auto`` and with the identity."""
    by_share = [Setting("retention", f"{share:g}", "auto") for share in retention]
    return by_share + [Setting("bits_per_weight", f"{width:g}", asked) for width in bits for asked in ("auto", "identity")]


def encoding_text(setting: Setting) -> str:
    """Canonical, without the transform.

    Example:
        >>> encoding_text(REFERENCE)
        'spectral(retention=0.7, coefficients="int4")'
    """
    return canonical(f"{ENCODING}({setting.text})")


def encoded(sample: Sample, setting: Setting, name: str) -> Record:
    """The sample's record."""
    params = {setting.parameter: setting.value, "transform": setting.asked}
    return encode(sample.values, ENCODING, name=name, **params)


def point_of(record: Record, setting: Setting, sample: Sample, n_elements: int) -> Point:
    """What a record says, its energies scaled from the sample to the tensor."""
    sums = record.view.error
    if sums is None:  # lossless
        energy = float(np.square(sample.values, dtype=np.float64).sum())
        sums = (energy, 0.0, energy, 0.0, 0.0)
    quality = Quality.from_sums(record.n_elements, *sums)
    scale = n_elements / record.n_elements
    signal, error, dot = (value * scale for value in sums[:3])
    return Point(
        setting=setting.text,
        asked=setting.asked,
        transform=record.transform,
        auto_gain_db=record.transform_gain,
        bits_per_weight=record.bits_per_weight,
        cosine=quality.cosine,
        snr_db=finite_or_none(quality.snr_db),
        n_elements=n_elements,
        signal_energy=signal,
        error_energy=error,
        dot=dot,
        fallback=record.fallback or "",
    )


def finite_or_none(value: float) -> float | None:
    """None for the infinite ratio of a signal without noise."""
    return value if np.isfinite(value) else None
