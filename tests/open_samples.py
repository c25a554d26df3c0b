"""What the tests of files that haagenti.open writes share: files, forked children and fresh processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import haagenti

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
PACKAGE_FOLDER = str(Path(haagenti.__file__).resolve().parent.parent)


def written(path: Path, data: bytes, mode: str = "wb") -> Path:
    with haagenti.open(path, mode) as file:
        file.write(data)
    return path


def in_child(call: Callable[[], object]) -> int:
    """The exit status of a forked child that calls and then ends."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            call()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def python(code: str, *arguments: object, folder: Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """A fresh process without options for warnings."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"} | {"PYTHONPATH": PACKAGE_FOLDER}
    command = [sys.executable, "-c", f"import haagenti, os, sys\n{code}", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=environment, check=True, **{"stderr": subprocess.PIPE, **options})
