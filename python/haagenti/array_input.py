"""What users pass as a tensor, as a numpy array over the same memory.

Not responsible for torch itself: a torch tensor means that torch is loaded, and `haagenti.torch.tensors` knows it.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import numpy as np


def is_torch_tensor(x: Any) -> bool:
    """Whether x is a torch tensor; never imports torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


def as_array(x: Any) -> np.ndarray:
    """A numpy array of x, without a copy where its memory allows.

    Args:
        x: numpy array, torch CPU tensor, or anything ``numpy.asarray`` takes.

    Raises:
        InvalidArgumentError: A torch tensor that is not on the CPU.

    Example:
        >>> as_array([1.0, 2.0]).shape
        (2,)
    """
    if is_torch_tensor(x):
        array: np.ndarray = importlib.import_module("haagenti.torch.tensors").as_array(x)
        return array
    return np.asarray(x)
