"""The tests of this folder again, with the oldest transformers that is supported.

It is found at HAAGENTI_TRANSFORMERS_517, a directory made by ``pip install --target`` (``make test`` does that).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

VARIABLE = "HAAGENTI_TRANSFORMERS_517"
FOLDER = Path(__file__).parent
FILES = ("test_hf_contract.py", "test_hf_loading.py", "test_hf_compressed.py")


def environment() -> dict[str, str]:
    """With the old version before every other place that Python imports from."""
    directory = os.environ.get(VARIABLE, "")
    if not directory:
        pytest.skip(f"{VARIABLE} is not set: transformers 5.17 is not tested (make test sets it)")
    places = [directory, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    other = {key: value for key, value in os.environ.items() if key != VARIABLE and not key.startswith("PYTEST_")}
    return {**other, "PYTHONPATH": os.pathsep.join(places)}


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], env=environment(), capture_output=True, text=True, timeout=600, check=False)


def test_version() -> None:
    done = run("-c", "import transformers; print(transformers.__version__)")
    assert done.stdout.strip() == "5.17.0", done.stderr


def test_contract_and_loading() -> None:
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", *(str(FOLDER / file) for file in FILES))
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
