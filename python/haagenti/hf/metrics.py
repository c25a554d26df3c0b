"""Compares the logits of two models position by position.

Not responsible for: producing the logits, or summarising positions to a report.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from haagenti.hf.text import NO_TARGET

Floats = npt.NDArray[np.float64]

CHUNK_ELEMENTS = 1 << 20
"""Logits widened to float64 at a time: 8 MiB a copy, and about six copies live."""

TOP_K = 5


@dataclass(frozen=True)
class PositionMetrics:
    """One value per position, original model against compressed.

    Attributes:
        nll_original: (n,) float64, negative log-likelihood of the target in nats; NaN where there is no target.
        nll_compressed: The same of the compressed model.
        kl: (n,) float64, KL(original || compressed) in nats.
        top1: (n,) float64, 1 where both models rank the same token first, else 0.
        top5: (n,) float64, share of the original's five likeliest tokens that are among the compressed model's five.
        cosine: (n,) float64, cosine of the two vectors of logits.
    """

    nll_original: Floats
    nll_compressed: Floats
    kl: Floats
    top1: Floats
    top5: Floats
    cosine: Floats

    @staticmethod
    def concatenate(parts: list[PositionMetrics]) -> PositionMetrics:
        """Joins the positions of several windows in the order given."""
        return PositionMetrics(*(np.concatenate([getattr(part, name) for part in parts]) for name in _FIELDS))


_FIELDS = tuple(PositionMetrics.__dataclass_fields__)


def compare_logits(original: torch.Tensor, compressed: torch.Tensor, targets: torch.Tensor) -> PositionMetrics:
    """Compares two matrices of logits; every reduction is done in float64, a few rows at a time.

    Args:
        original: (n, vocab) float32, logits of the original model.
        compressed: (n, vocab) float32, logits of the compressed model.
        targets: (n,) int64, the token that follows; ``NO_TARGET`` where none is counted.
    """
    n_rows = max(1, CHUNK_ELEMENTS // original.shape[-1])
    chunks = zip(*(torch.split(tensor, n_rows) for tensor in (original, compressed, targets)), strict=True)
    return PositionMetrics.concatenate([_compare_chunk(a, b, target) for a, b, target in chunks])


def _compare_chunk(a: torch.Tensor, b: torch.Tensor, targets: torch.Tensor) -> PositionMetrics:
    a, b = a.double(), b.double()
    log_p, log_q = a.log_softmax(-1), b.log_softmax(-1)
    top_a, top_b = _top(a), _top(b)
    values = (
        _nll(log_p, targets),
        _nll(log_q, targets),
        _kl(log_p, log_q),
        (top_a[:, 0] == top_b[:, 0]).double(),
        (top_a[:, :, None] == top_b[:, None, :]).any(-1).double().mean(-1),
        torch.nn.functional.cosine_similarity(a, b, dim=-1),
    )
    return PositionMetrics(*(value.cpu().numpy() for value in values))


def _nll(log_p: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """-log p(target) per row, NaN where there is no target."""
    nll = -log_p.gather(-1, targets.clamp_min(0)[:, None])[:, 0]
    return nll.masked_fill(targets == NO_TARGET, torch.nan)


def _kl(log_p: torch.Tensor, log_q: torch.Tensor) -> torch.Tensor:
    """Sum of p (log p - log q) per row; terms with p = 0 are 0. It is never negative, so a rounding below 0 is cut off."""
    p = log_p.exp()
    terms = torch.where(p > 0, p * (log_p - log_q), 0.0)
    return terms.sum(-1).clamp_min(0.0)


def _top(logits: torch.Tensor) -> torch.Tensor:
    """(n, 5) tokens of the largest logits, largest first; fewer for a smaller vocabulary."""
    return logits.topk(min(TOP_K, logits.shape[-1]), dim=-1).indices
