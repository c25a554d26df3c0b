"""haagenti: compresses the weights of neural networks and runs the networks from the compressed form.

Importing it loads the C++ core, numpy and ml_dtypes; torch, transformers and everything else come with the first use of what needs them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from haagenti._core import (
    Compressor,
    Decompressor,
    ZstdDict,
    compress,
    compress_bound,
    compress_into,
    decompress,
    decompress_into,
    get_num_threads,
    set_num_threads,
)
from haagenti.byte_codecs import Algorithm, algorithms
from haagenti.errors import (
    CorruptError,
    DecompressionError,
    DeviceError,
    Error,
    InvalidArgumentError,
    IoError,
    TruncatedError,
    UnsupportedError,
)
from haagenti.quality import Quality, quality
from haagenti.record import Record, decode, encode

if TYPE_CHECKING:
    from haagenti import hf as hf
    from haagenti import numpy as numpy
    from haagenti import streaming as streaming
    from haagenti import torch as torch
    from haagenti import transform as transform
    from haagenti.compressed_file import open
    from haagenti.conversion import QualityGateError, convert
    from haagenti.files.opened_file import safe_open
    from haagenti.planning import Plan, plan
    from haagenti.reporting.analysis import Analysis, analyze
    from haagenti.reporting.inspection import inspect
    from haagenti.reporting.report import Report
    from haagenti.reporting.verification import verify

__version__ = "0.1.0"

_SUBMODULES = frozenset({"cli", "hf", "numpy", "streaming", "torch", "transform"})
_LAZY = {
    "open": "haagenti.compressed_file",
    "safe_open": "haagenti.files.opened_file",
    "plan": "haagenti.planning",
    "Plan": "haagenti.planning",
    "convert": "haagenti.conversion",
    "QualityGateError": "haagenti.conversion",
    "Report": "haagenti.reporting.report",
    "verify": "haagenti.reporting.verification",
    "inspect": "haagenti.reporting.inspection",
    "analyze": "haagenti.reporting.analysis",
    "Analysis": "haagenti.reporting.analysis",
}

__all__ = [
    "Algorithm",
    "Analysis",
    "Compressor",
    "CorruptError",
    "DecompressionError",
    "Decompressor",
    "DeviceError",
    "Error",
    "InvalidArgumentError",
    "IoError",
    "Plan",
    "Quality",
    "QualityGateError",
    "Record",
    "Report",
    "TruncatedError",
    "UnsupportedError",
    "ZstdDict",
    "algorithms",
    "analyze",
    "compress",
    "compress_bound",
    "compress_into",
    "convert",
    "decode",
    "decompress",
    "decompress_into",
    "encode",
    "get_num_threads",
    "inspect",
    "open",
    "plan",
    "quality",
    "safe_open",
    "set_num_threads",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"haagenti.{name}")
    if name in _LAZY:
        value = getattr(importlib.import_module(_LAZY[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'haagenti' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES, *_LAZY})
