"""Small model directories for the tests of this folder, whose helper modules it makes importable."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from checkpoints import save_model, tiny_llama


@pytest.fixture
def llama(tmp_path: Path) -> Path:
    """A small model in one shard."""
    return save_model(tmp_path / "llama", tiny_llama())


@pytest.fixture
def sharded(tmp_path: Path) -> Path:
    """The same in three shards."""
    return save_model(tmp_path / "sharded", tiny_llama(), n_shards=3)
