"""How far restored values are from the original.

Not responsible for what a model does with them: see `haagenti.hf.evaluate`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from haagenti.array_input import as_array
from haagenti.errors import InvalidArgumentError

# By SNR in decibels: the cosine thresholds .998, .993, .98 and .95 of the tool that used these words, as 10 log10(1 / (1 - cosine^2)).
GRADES: tuple[tuple[float, str], ...] = ((24.0, "excellent"), (18.5, "good"), (14.0, "acceptable"), (10.0, "degraded"))

_PIECE = 1 << 20  # elements taken to binary64 at a time


@dataclass(frozen=True)
class Quality:
    """Measures of a restored tensor y against its original x.

    Attributes:
        mse: mean((y - x)^2).
        psnr_db: 10 log10(max(abs(x))^2 / mse), in dB; infinite for equal tensors.
        snr_db: 10 log10(sum(x^2) / sum((y - x)^2)), in dB; infinite for equal tensors.
        cosine: sum(x y) / (norm(x) norm(y)); 1 when both are zero.
        max_abs_error: max(abs(y - x)).
        relative_frobenius: norm(y - x) / norm(x); 0 for equal tensors.
        grade: By snr_db: excellent (>= 24), good (>= 18.5), acceptable (>= 14), degraded (>= 10), poor.
    """

    mse: float
    psnr_db: float
    snr_db: float
    cosine: float
    max_abs_error: float
    relative_frobenius: float
    grade: str

    @classmethod
    def from_sums(cls, n: int, signal: float, error: float, dot: float, max_abs: float, max_abs_error: float) -> Quality:
        """From sums over n elements.

        Args:
            n: Number of elements.
            signal: sum(x^2).
            error: sum((y - x)^2).
            dot: sum(x y).
            max_abs: max(abs(x)).
            max_abs_error: max(abs(y - x)).
        """
        mse = error / n if n else 0.0
        snr_db = _ratio_db(signal, error)
        restored = max(error - signal + 2 * dot, 0.0)  # sum(y^2)
        return cls(
            mse=mse,
            psnr_db=_ratio_db(max_abs * max_abs, mse),
            snr_db=snr_db,
            cosine=_cosine(dot, signal, restored, error),
            max_abs_error=max_abs_error,
            relative_frobenius=_relative(error, signal),
            grade=grade(snr_db),
        )


def grade(snr_db: float) -> str:
    """The word for an SNR in dB.

    Example:
        >>> grade(21.3)
        'good'
    """
    return next((word for bound, word in GRADES if snr_db >= bound), "poor")


def quality(original: Any, restored: Any) -> Quality:
    """Measures a restored tensor against its original, in binary64.

    Args:
        original: numpy array or torch tensor of real numbers, any shape.
        restored: The same shape.

    Raises:
        InvalidArgumentError: The shapes differ, or the elements are not real numbers.

    Example:
        >>> quality(np.ones(4, np.float32), np.full(4, 0.9, np.float32)).grade
        'good'
    """
    x, y = as_array(original), as_array(restored)
    if x.shape != y.shape:
        raise InvalidArgumentError(f"shape: expected that of the original, {x.shape}, found {y.shape}")
    if not _is_real(x.dtype) or not _is_real(y.dtype):
        raise InvalidArgumentError(f"dtype: expected real numbers, found {x.dtype} and {y.dtype}")
    flat_x, flat_y = x.reshape(-1), y.reshape(-1)
    with np.errstate(invalid="ignore", over="ignore"):  # NaN and infinity show in the result
        return Quality.from_sums(x.size, *_sums(flat_x, flat_y))


def _sums(flat_x: np.ndarray, flat_y: np.ndarray) -> tuple[float, float, float, float, float]:
    """signal, error, dot, max_abs and max_abs_error, as ``Quality.from_sums`` takes them."""
    signal = error = dot = top = top_error = 0.0
    for start in range(0, flat_x.size, _PIECE):
        a = flat_x[start : start + _PIECE].astype(np.float64)
        b = flat_y[start : start + _PIECE].astype(np.float64)
        difference = b - a
        signal += float((a * a).sum())
        error += float((difference * difference).sum())
        dot += float((a * b).sum())
        top = float(np.maximum(top, np.abs(a).max()))  # unlike max(), keeps a NaN
        top_error = float(np.maximum(top_error, np.abs(difference).max()))
    return signal, error, dot, top, top_error


def _ratio_db(power: float, noise: float) -> float:
    if math.isnan(power) or math.isnan(noise):
        return math.nan
    if noise == 0:
        return math.inf
    ratio = power / noise
    return ratio if math.isnan(ratio) or math.isinf(ratio) else 10 * math.log10(ratio) if ratio > 0 else -math.inf


def _relative(error: float, signal: float) -> float:
    if signal == 0:
        return 0.0 if error == 0 else math.inf
    return math.sqrt(error / signal)


def _cosine(dot: float, x_energy: float, y_energy: float, error: float) -> float:
    if error == 0:
        return 1.0
    norms = math.sqrt(x_energy) * math.sqrt(y_energy)
    return 0.0 if norms == 0 else dot / norms


def _is_real(dtype: np.dtype) -> bool:
    """Numbers, those of ml_dtypes (kind V) among them, but neither complex ones nor text."""
    return dtype.kind in "biufV"
