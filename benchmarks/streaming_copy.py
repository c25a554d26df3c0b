"""The copy that memory-bound work is compared with, compiled from `streaming_copy.c` when a benchmark needs it.

Not responsible for timing.
"""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

SOURCE = Path(__file__).with_name("streaming_copy.c")


def load() -> Callable[[np.ndarray, np.ndarray], None]:
    """Compiles the copy.

    Returns:
        ``copy(dst, src)`` for uint8 arrays: writes all of dst (a multiple of 4096 bytes, 32-aligned) and reads all of src (4096 bytes at
        least, at most as many as dst).

    Raises:
        subprocess.CalledProcessError: There is no working C compiler, or the machine is no x86.
    """
    with tempfile.TemporaryDirectory(prefix="haagenti-benchmark-") as folder:
        library = Path(folder) / "streaming_copy.so"
        subprocess.run(["cc", "-O3", "-shared", "-fPIC", "-o", str(library), str(SOURCE)], check=True)
        function = ctypes.CDLL(str(library)).streaming_copy
    function.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t]
    function.restype = None

    def copy(dst: np.ndarray, src: np.ndarray) -> None:
        if not 4096 <= src.nbytes <= dst.nbytes or dst.nbytes % 4096 or dst.ctypes.data % 32:
            raise ValueError(f"expected an aligned multiple of 4096 bytes to write, found {dst.nbytes} from {src.nbytes}")
        function(dst.ctypes.data, dst.nbytes, src.ctypes.data, src.nbytes)

    return copy


def aligned(n_bytes: int) -> np.ndarray:
    """(n_bytes,) uint8 zeros that start at a multiple of 64."""
    whole = np.zeros(n_bytes + 64, np.uint8)
    start = -whole.ctypes.data % 64
    return whole[start : start + n_bytes]
