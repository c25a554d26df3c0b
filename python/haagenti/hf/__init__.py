"""haagenti for transformers: importing this package lets ``AutoModel...from_pretrained`` load compressed directories.

Not responsible for: making them (`haagenti.convert`).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from haagenti.hf.config import HaagentiConfig, HaagentiLoadConfig
from haagenti.hf.quantizer import register

if TYPE_CHECKING:
    from haagenti.hf.evaluation import evaluate
    from haagenti.hf.generation import generate
    from haagenti.hf.loading import from_pretrained

_LAZY = {
    "evaluate": "haagenti.hf.evaluation",
    "from_pretrained": "haagenti.hf.loading",
    "generate": "haagenti.hf.generation",
}

__all__ = ["HaagentiConfig", "HaagentiLoadConfig", "evaluate", "from_pretrained", "generate", "register"]

register()


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'haagenti.hf' has no attribute {name!r}")
    value = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
