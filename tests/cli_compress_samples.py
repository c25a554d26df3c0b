"""What the tests of haagenti compress and haagenti decompress share: samples, a folder of their own, calls of the program.

Not responsible for: what is tested.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import haagenti

SUFFIXES = {"zstd": ".zst", "lz4": ".lz4", "lz4hc": ".lz4", "brotli": ".br", "deflate": ".deflate", "zlib": ".zz", "gzip": ".gz"}
PROGRAM = [sys.executable, "-c", "from haagenti.cli import main; main()"]
PACKAGES = str(Path(haagenti.__file__).resolve().parent.parent)

rng = np.random.default_rng(0)
DATA = b"".join(b"%d %s\n" % (i, b"x" * int(n)) for i, n in enumerate(rng.integers(0, 200, 3_000)))

Captured = pytest.CaptureFixture[str]


class Terminal(io.TextIOWrapper):
    """What a terminal is for the program."""

    def isatty(self) -> bool:
        """Says so."""
        return True


@pytest.fixture(autouse=True, name="folder")
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory; programs started in it find the package although PYTHONPATH may be relative."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([PACKAGES, os.environ.get("PYTHONPATH", "")]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names() -> list[str]:
    """What is in the working directory."""
    return sorted(os.listdir("."))


def write(name: str, data: bytes = DATA) -> str:
    """Makes a file."""
    Path(name).write_bytes(data)
    return name


def piped(arguments: list[str], data: bytes) -> bytes:
    """What a program makes of its stdin."""
    return subprocess.run(arguments, input=data, stdout=subprocess.PIPE, timeout=120, check=True).stdout


def program(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """The command line in a process of its own."""
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, timeout=120, check=False, **options)
