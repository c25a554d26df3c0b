"""Converts one model by several presets and measures size and quality of each.

Not responsible for: showing the numbers.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import haagenti
from haagenti.cli.progress import show_progress
from haagenti.hf.eval_report import EvalReport
from haagenti.hf.evaluation import compare_models, summarise
from haagenti.hf.opened import OpenedModel, open_model
from haagenti.hf.text import read_windows
from haagenti.hf.weights import parameter_sizes, signal_to_noise
from haagenti.reporting.report import overall_snr_db


@dataclass(frozen=True)
class Variant:
    """One way to convert: a name for the table and the directory, the preset, and rules before it."""

    name: str
    preset: str
    rules: tuple[tuple[str, str], ...] = ()


PRESETS = (Variant("lossless", "lossless"), Variant("int8", "int8"), Variant("int4", "int4"))

PRESETS_AND_LINEAR_ONLY = (*PRESETS, Variant("int4-linear-only", "int4", ((".*embed.*", "raw"),)))
"""The last one is how quantisers are usually compared: linear weights only, embeddings untouched."""


@dataclass(frozen=True)
class Point:
    """One row of the table.

    Attributes:
        model: Name of the model's directory.
        variant: Name of the conversion; "original" for none.
        n_bytes: Size of all weight files, headers included.
        bits_per_weight: 8 * n_bytes over the number of parameters, tied ones counted once.
        linear_bits_per_weight: Bits of the stored linear weights, scales and headers of their records included, over their number;
            None for a model without linear layers.
        snr_db: Over all parameters together; None when every one is exact.
        linear_snr_db: Over the lossy linear weights, as their records state it; None when there are none.
        perplexity: On the text.
        kl_mean: Mean KL(original || this) in nats.
        kl_p99: Its 99th percentile.
        top1: Share of positions where both rank the same token first.
        protocol: How the text was cut.
        convert_seconds: Time the conversion took.
    """

    model: str
    variant: str
    n_bytes: int
    bits_per_weight: float
    linear_bits_per_weight: float | None
    snr_db: float | None
    linear_snr_db: float | None
    perplexity: float
    kl_mean: float
    kl_p99: float
    top1: float
    protocol: str
    convert_seconds: float


def measure(model: Path, text: Path, out: Path, variants: Sequence[Variant], *, max_windows: int | None) -> list[Point]:
    """Converts ``model`` into ``out / <model>-<variant>`` and compares each with the original on ``text``.

    Returns:
        The original first, then one point per variant.
    """
    original = open_model(model, dtype="float32")
    windows = read_windows(text, original.tokenizer, max_windows=max_windows)
    seconds = []
    for variant in variants:
        started = time.perf_counter()
        haagenti.convert(model, _directory(out, model, variant), preset=variant.preset, rules=list(variant.rules), force=True)
        seconds.append(time.perf_counter() - started)
    converted = [open_model(_directory(out, model, variant), dtype="float32") for variant in variants]
    with show_progress(model.name, "windows") as progress:
        metrics = compare_models(original, converted, windows.windows, progress=progress)
    reports = [
        summarise(found, windows, original.path, other.path, os.fspath(text)) for found, other in zip(metrics, converted, strict=True)
    ]
    rows = zip(converted, variants, reports, seconds, strict=True)
    return [_original_point(original, reports[0]), *(_converted_point(original, *row) for row in rows)]


def _directory(out: Path, model: Path, variant: Variant) -> Path:
    return out / f"{model.name}-{variant.name}"


def _original_point(original: OpenedModel, report: EvalReport) -> Point:
    return Point(
        model=Path(original.path).name,
        variant="original",
        **_sizes(original),
        snr_db=None,
        perplexity=report.perplexity_original,
        kl_mean=0.0,
        kl_p99=0.0,
        top1=1.0,
        protocol=report.protocol,
        convert_seconds=0.0,
    )


def _converted_point(original: OpenedModel, converted: OpenedModel, variant: Variant, report: EvalReport, seconds: float) -> Point:
    return Point(
        model=Path(original.path).name,
        variant=variant.name,
        **_sizes(converted),
        snr_db=signal_to_noise(original, converted, parameter_sizes(original)),
        perplexity=report.perplexity_compressed,
        kl_mean=report.kl.mean,
        kl_p99=report.kl.p99,
        top1=report.top1,
        protocol=report.protocol,
        convert_seconds=seconds,
    )


def _sizes(stored: OpenedModel) -> dict[str, Any]:
    """What a point takes from the stored files: three sizes and the SNR of the linear weights."""
    inspection = haagenti.inspect(stored.path)
    totals = inspection.totals
    linear = [row.error for row in inspection.rows if row.role == "linear" and row.error is not None and row.alias_of is None]
    snr_db = overall_snr_db(linear)
    return {
        "n_bytes": totals.stored_bytes,
        "bits_per_weight": totals.bits_per_weight,
        "linear_bits_per_weight": totals.linear_bits_per_weight,
        "linear_snr_db": None if snr_db == math.inf else snr_db,
    }
