"""What transforms gain on the tensors of a model, measured: `analyze` and what it returns.

Not responsible for: printing or drawing it (`haagenti.cli`).
"""

from __future__ import annotations

from haagenti.reporting.analysis.measure import analyze
from haagenti.reporting.analysis.results import Analysis

__all__ = ["Analysis", "analyze"]
