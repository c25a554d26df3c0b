"""The committed stub of the compiled module is the one that the module of today generates.

Not responsible for: its truth in types, which ``make lint`` checks with mypy.stubtest.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

GENERATOR = Path(__file__).parents[1] / "python" / "bindings" / "generate_stub.py"


def test_stub_is_up_to_date() -> None:
    pytest.importorskip("pybind11_stubgen", reason="needs the extra dev")
    spec = importlib.util.spec_from_file_location("generate_stub", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.STUB.read_text(encoding="utf-8") == module.generate(), "run `make stubs`"
