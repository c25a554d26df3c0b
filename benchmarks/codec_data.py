"""What the benchmarks of byte codecs compress: standard corpora and neural-network weights.

Not responsible for: fetching anything. What is not there is left out, with a message.
"""

from __future__ import annotations

import functools
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import ml_dtypes
import numpy as np

from synthetic import weights

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[1] / "shared"
CARRIED = HERE.parent / "tests" / "models"
BF16_COLUMNS = 4096


@dataclass(frozen=True)
class Dataset:
    """Files that are compressed one by one.

    Attributes:
        name: Shown in tables.
        files: uint8 arrays.
    """

    name: str
    files: list[np.ndarray]

    @property
    def n_bytes(self) -> int:
        """Of all files together."""
        return sum(file.nbytes for file in self.files)


@functools.cache
def _silesia() -> list[np.ndarray]:
    """The files of Silesia that are there, in order of name; empty without them."""
    files = []
    for path in sorted((SHARED / "corpora" / "silesia-zips").glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            files += [np.frombuffer(archive.read(name), np.uint8) for name in archive.namelist() if not name.endswith("/")]
    if not files:
        print(f"no Silesia files in {SHARED / 'corpora'}: text and weights of tests/models stand in for them", file=sys.stderr)
    return files


def _read(folder: Path, pattern: str) -> list[np.ndarray]:
    return [np.fromfile(path, np.uint8) for path in sorted(folder.glob(pattern)) if path.is_file() and path.name != "SHA1SUM"]


def _carried() -> list[np.ndarray]:
    """A text and a model that the repository has itself."""
    return [*_read(CARRIED, "*.txt"), *_read(CARRIED / "stories260K", "*.safetensors")]


def bf16(n_bytes: int) -> np.ndarray:
    """(n_bytes,) uint8: synthetic weights as bf16, in rows of 4096; n_bytes is a multiple of 8192."""
    return weights(n_bytes // (2 * BF16_COLUMNS), BF16_COLUMNS).astype(ml_dtypes.bfloat16).view(np.uint8).reshape(-1)


def corpus_stream(n_bytes: int) -> np.ndarray:
    """The first n_bytes of Silesia's files joined, uint8; fewer when there are not so many."""
    parts, left = [], n_bytes
    for file in _silesia() or _carried():
        parts.append(file[:left])
        left -= parts[-1].nbytes
    return np.concatenate(parts)


def datasets(most_per_file: int, weight_bytes: int) -> list[Dataset]:
    """Everything there is.

    Args:
        most_per_file: What is longer is cut to its first so many bytes.
        weight_bytes: Of the synthetic weights.
    """
    silesia = [file[:most_per_file] for file in _silesia()]
    canterbury = _read(SHARED / "corpora" / "canterbury-corpus" / "canterbury", "*")
    model = _read(SHARED / "models" / "llama-books-22m", "*.safetensors")
    found = [
        Dataset("Silesia", silesia),
        Dataset("Canterbury", canterbury),
        Dataset("bf16 synthetic", [bf16(weight_bytes)]),
        Dataset("bf16 llama-books-22m", [file[:most_per_file] for file in model]),
    ]
    if not silesia:
        found.insert(0, Dataset("tests/models", _carried()))
    for dataset in found:
        if not dataset.files:
            print(f"{dataset.name} is not in {SHARED}: left out", file=sys.stderr)
    return [dataset for dataset in found if dataset.files]
