"""Stored tensors as numpy arrays: what `safe_open` gives for ``framework="np"``.

Not responsible for: decoding, or files.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from haagenti.errors import InvalidArgumentError
from haagenti.files.stored_tensor import PlainTensor, StoredTensor


def check_device(device: object) -> str:
    """Checks where arrays shall be.

    Raises:
        InvalidArgumentError: Not on the CPU.
    """
    if str(device) != "cpu":
        raise InvalidArgumentError(f"device: expected 'cpu' for numpy arrays, found {device!r}")
    return "cpu"


def whole(stored: StoredTensor, device: str) -> np.ndarray:
    """The whole tensor, C-contiguous, writable and independent of the file."""
    array = stored.array()
    return np.array(array, order="C") if isinstance(stored, PlainTensor) else np.asarray(array, order="C")


def part(stored: StoredTensor, index: Any, device: str) -> np.ndarray:
    """``tensor[index]`` by numpy's rules, C-contiguous, writable and independent of the file.

    Raises:
        IndexError: ``index`` does not fit the tensor.
    """
    block, rest = stored.block(index)
    selected = block[rest]
    keeps_more = isinstance(stored, PlainTensor) or selected.size < block.size
    return np.array(selected, order="C") if keeps_more else np.asarray(selected, order="C")
