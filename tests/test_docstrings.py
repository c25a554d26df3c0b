"""The examples in the docstrings run and print what they say, for every module of the package.

Not responsible for: which functions have an example.
"""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import haagenti


def module_names() -> list[str]:
    """Every Python module of the package, programs excepted."""
    found = [module.name for module in pkgutil.walk_packages(haagenti.__path__, "haagenti.")]
    return sorted(name for name in found if not name.endswith(("__main__", "._core")))


@pytest.mark.parametrize("name", module_names())
def test_examples(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.startswith("haagenti"):
            raise
        pytest.skip(f"needs the package {missing.name}")
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0, f"{result.failed} of {result.attempted} examples of {name}; what they printed is above"
