"""The result of an evaluation: what compression cost a model, as data, as text and as HTML.

Not responsible for: measuring it (``hf/evaluation.py``).
"""

from __future__ import annotations

import html
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

INDENT = 12 * " "


@dataclass(frozen=True)
class Distribution:
    """Mean, median, 99th percentile and maximum of a value over all positions."""

    mean: float
    median: float
    p99: float
    max: float

    @staticmethod
    def of(values: npt.NDArray[np.float64]) -> Distribution:
        """Summary of (n,) float64 values, n >= 1; percentiles interpolate linearly."""
        median, p99 = np.quantile(values, [0.5, 0.99])
        return Distribution(float(values.mean()), float(median), float(p99), float(values.max()))


@dataclass(frozen=True)
class Continuation:
    """One prompt continued greedily by both models; the first ``n_same_tokens`` new tokens agree."""

    prompt: str
    original: str
    compressed: str
    n_same_tokens: int
    n_tokens: int


@dataclass(frozen=True)
class EvalReport:
    """Original against compressed model on one text.

    Attributes:
        original: Directory of the original model.
        compressed: Directory of the compressed model.
        text: File the text came from.
        protocol: How it was cut.
        n_windows: Windows read.
        n_positions: Positions over which KL divergence, agreement and cosine are taken.
        n_predictions: Positions with a target, over which perplexity is taken.
        perplexity_original: exp of the mean negative log-likelihood.
        perplexity_compressed: The same of the compressed model.
        kl: KL(original || compressed) per position, in nats.
        top1: Share of positions where both rank the same token first.
        top5: Mean share of the original's five likeliest tokens found among the compressed model's five.
        cosine_mean: Mean cosine of the two vectors of logits.
        cosine_min: Smallest such cosine.
        continuations: One per prompt.
        seconds: Time taken, loading included.
    """

    original: str
    compressed: str
    text: str
    protocol: str
    n_windows: int
    n_positions: int
    n_predictions: int
    perplexity_original: float
    perplexity_compressed: float
    kl: Distribution
    top1: float
    top5: float
    cosine_mean: float
    cosine_min: float
    continuations: tuple[Continuation, ...]
    seconds: float

    @property
    def perplexity_change(self) -> float:
        """Relative change of the perplexity: 0.01 is one per cent worse."""
        return self.perplexity_compressed / self.perplexity_original - 1

    def rows(self) -> list[tuple[str, str]]:
        """The measurements as (name, formatted value), in reading order."""
        kl = self.kl
        return [
            ("perplexity, original", f"{self.perplexity_original:.4f}"),
            ("perplexity, compressed", f"{self.perplexity_compressed:.4f} ({100 * self.perplexity_change:+.2f} %)"),
            ("KL divergence, mean", f"{kl.mean:.6f} nats"),
            ("KL divergence, median", f"{kl.median:.6f} nats"),
            ("KL divergence, p99", f"{kl.p99:.6f} nats"),
            ("KL divergence, max", f"{kl.max:.6f} nats"),
            ("top-1 agreement", f"{100 * self.top1:.2f} %"),
            ("top-5 agreement", f"{100 * self.top5:.2f} %"),
            ("cosine of logits, mean", f"{self.cosine_mean:.6f}"),
            ("cosine of logits, min", f"{self.cosine_min:.6f}"),
        ]

    def to_json(self) -> str:
        """Every field as JSON; a value that is not finite becomes null."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()

    def table(self) -> str:
        """Plain text: the measurements, then the continuations."""
        width = max(len(name) for name, _ in self.rows())
        lines = [f"original    {self.original}", f"compressed  {self.compressed}", f"text        {self.text}: {self._extent()}", ""]
        lines += [f"{name:<{width}}  {value}" for name, value in self.rows()]
        for item in self.continuations:
            lines += ["", _named("prompt", item.prompt), _named("original", item.original), _named("compressed", item.compressed)]
            lines.append(f"{INDENT}the first {item.n_same_tokens} of {item.n_tokens} new tokens agree")
        return "\n".join(lines)

    def _extent(self) -> str:
        return f"{self.protocol}; {self.n_positions} positions, {self.n_predictions} predictions, {self.seconds:.1f} s"

    def _repr_html_(self) -> str:
        """Two tables for a notebook."""
        rows = "".join(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in self.rows())
        parts = [f"<p>{html.escape(self.compressed)} against {html.escape(self.original)}<br>{html.escape(self._extent())}</p>"]
        parts.append(f"<table>{rows}</table>")
        if self.continuations:
            parts.append("<table><tr><th>prompt</th><th>original</th><th>compressed</th></tr>")
            parts += [f"<tr>{_cell(item.prompt)}{_cell(item.original)}{_cell(item.compressed)}</tr>" for item in self.continuations]
            parts.append("</table>")
        return "".join(parts)


def _named(name: str, text: str) -> str:
    """A text of perhaps several lines beside its name."""
    return f"{name:<{len(INDENT)}}" + text.strip().replace("\n", f"\n{INDENT}")


def _cell(text: str) -> str:
    return f"<td style='text-align:left'>{html.escape(text)}</td>"
