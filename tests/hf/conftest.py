"""Tiny random models as transformers saves them, and what `haagenti.convert` makes of them; each is made once a session."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TQDM_DISABLE", "1")
pytest.importorskip("transformers")
sys.path.insert(0, str(Path(__file__).parent))

from tiny_models import Directories


@pytest.fixture(scope="session")
def directories(tmp_path_factory: pytest.TempPathFactory) -> Directories:
    """``directories.source("gpt2")`` and ``directories.converted("gpt2", "int4")``."""
    return Directories(tmp_path_factory.mktemp("models"))
