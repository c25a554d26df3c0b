"""The classical coding gain of a transform: arithmetic over geometric mean of the variances of its coefficients.

N. S. Jayant, P. Noll, "Digital Coding of Waveforms" (1984), chapter 12: what a transform gains at a high rate, when each class of
coefficients gets the bits that its variance asks for. A class is a position: the column for the identity, ``dct_rows`` and ``hadamard``,
the row and column within a tile for ``block_dct``, a cell of 8 x 8 neighbouring frequencies for ``dct_2d``, which has each frequency once.

The logarithm of a variance that is estimated from M Gaussian values is too small by ln(M / 2) - digamma(M / 2) on average, which would
show as a gain where there is none: this is taken off.

Not responsible for: what a quantiser really gains (`_core.measure_transforms`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from haagenti import transform
from haagenti.reporting.analysis.sample import split_bands

CELL = 8
FLOOR = 1e-10
"""A variance below this share of the mean variance (-100 dB) counts as this, since a record's arithmetic is binary32."""

_DECIBELS = 10 / math.log(10)  # of a natural logarithm of powers
_TEXT = re.compile(r"(\w+?)(?:\((\d+)(?:, seed=(\d+))?\))?")


class CodingGain(NamedTuple):
    """A gain in dB, and the standard deviation that it would have for Gaussian noise of the same size."""

    gain_db: float
    standard_error_db: float


def coding_gain(matrix: np.ndarray, text: str, bands: Sequence[int] | None = None) -> CodingGain | None:
    """Of one transform on a matrix whose mean is zero.

    Args:
        matrix: (rows, cols) floats.
        text: of the transform as records spell it, such as ``block_dct(8)``.
        bands: rows of each part that is transformed for itself; None: the matrix is one part.

    Returns:
        None when there are no two classes, or no energy.

    Example:
        >>> ramp = np.cumsum(np.random.default_rng(0).standard_normal((64, 64)), axis=1, dtype=np.float64)
        >>> coding_gain(ramp - ramp.mean(), "dct_rows").gain_db > 6
        True
    """
    name, block = _parsed(text)[:2]
    parts = [coefficients(part, text) for part in split_bands(matrix, bands or [matrix.shape[0]])]
    if name == "block_dct":
        groups = _tile_classes(parts, block)
    elif name == "dct_2d":
        groups = _cell_classes(parts)
    else:
        groups = [np.concatenate(parts).T]
    return _gain_of(groups)


def coefficients(part: np.ndarray, text: str) -> np.ndarray:
    """The matrix after a transform, as records do it."""
    name, block, seed = _parsed(text)
    if name == "identity":
        return part
    if name == "dct_rows":
        return np.asarray(transform.dct(part, axis=-1))
    if name == "dct_2d":
        return np.asarray(transform.dctn(part, axes=(-2, -1)))
    if name == "block_dct":
        return np.asarray(transform.block_dct(part, block=(block, block)))
    return np.asarray(transform.hadamard(part, block=block, seed=seed))


def _parsed(text: str) -> tuple[str, int, int]:
    found = _TEXT.fullmatch(text)
    name, block, seed = found.groups() if found else (text, None, None)
    if name not in ("identity", "dct_rows", "dct_2d", "block_dct", "hadamard"):
        raise ValueError(f"unknown transform {text!r}")
    return name, int(block or 1), int(seed or 0)


def _tile_classes(parts: Sequence[np.ndarray], block: int) -> list[np.ndarray]:
    """(positions, tiles) of the whole tiles; a matrix narrower than a tile has tiles of its own width."""
    height = min(block, min(part.shape[0] for part in parts))
    width = min(block, parts[0].shape[1])
    found = []
    for part in parts:
        down, across = part.shape[0] // height, part.shape[1] // width
        tiles = part[: down * height, : across * width].reshape(down, height, across, width)
        found.append(tiles.transpose(1, 3, 0, 2).reshape(height * width, down * across))
    return [np.concatenate(found, axis=1)]


def _cell_classes(parts: Sequence[np.ndarray]) -> list[np.ndarray]:
    """One array of classes per size of cell: those at the right and lower edge are smaller."""
    found = []
    for part in parts:
        for rows in _cut(part.shape[0]):
            for cols in _cut(part.shape[1]):
                area = part[rows, cols]
                height, width = min(CELL, area.shape[0]), min(CELL, area.shape[1])
                cells = area.reshape(area.shape[0] // height, height, area.shape[1] // width, width)
                found.append(cells.transpose(0, 2, 1, 3).reshape(-1, height * width))
    return found


def _cut(length: int) -> list[slice]:
    """The whole cells, then the rest."""
    whole = length - length % CELL
    return [part for part in (slice(0, whole), slice(whole, length)) if part.start < part.stop]


def _gain_of(groups: Sequence[np.ndarray]) -> CodingGain | None:
    """From arrays of (classes, values of each). Classes weigh as their number of values."""
    total = sum(group.size for group in groups)
    energy = sum(float(np.square(group, dtype=np.float64).sum()) for group in groups)
    if sum(group.shape[0] for group in groups) < 2 or energy == 0:
        return None
    mean = energy / total
    logs = variance = 0.0
    for group in groups:
        n_values = group.shape[1]
        variances = np.square(group, dtype=np.float64).mean(axis=1) / mean
        share = group.size / total
        logs += share * (float(np.log(np.maximum(variances, FLOOR)).mean()) - digamma(n_values / 2) + math.log(n_values / 2))
        variance += share**2 * (trigamma(n_values / 2) - 2 / n_values) / group.shape[0]
    return CodingGain(-_DECIBELS * logs, _DECIBELS * math.sqrt(max(variance, 0.0)))


def digamma(x: float) -> float:
    """Derivative of ln gamma(x) for x > 0: upwards by psi(x) = psi(x + 1) - 1 / x, then its asymptotic series.

    Example:
        >>> round(digamma(0.5), 9)
        -1.963510026
    """
    below = 0.0
    while x < 10:
        below -= 1 / x
        x += 1
    u = 1 / (x * x)
    return below + math.log(x) - 0.5 / x - u * (1 / 12 - u * (1 / 120 - u * (1 / 252 - u / 240)))


def trigamma(x: float) -> float:
    """Derivative of digamma, in the same way.

    Example:
        >>> round(trigamma(0.5), 9)
        4.934802201
    """
    below = 0.0
    while x < 10:
        below += 1 / (x * x)
        x += 1
    u = 1 / (x * x)
    return below + 1 / x + u / 2 + u / x * (1 / 6 - u * (1 / 30 - u * (1 / 42 - u / 30)))
