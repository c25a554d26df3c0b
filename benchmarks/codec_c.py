"""The C libraries called without Python in between: `codec_calls.c`, compiled against what this system links when a benchmark needs it.

Not responsible for choosing levels or data, nor for comparing anything.
"""

from __future__ import annotations

import ctypes
import functools
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

SOURCE = Path(__file__).with_name("codec_calls.c")
ARCHIVES = ("lz4", "brotlienc", "brotlidec", "brotlicommon", "deflate")  # linked statically where they can be, as the core links them
SHARED = ("zstd", "z", "m")


def _search_flags() -> list[str]:
    """Where headers and libraries are, besides the system's own folders."""
    prefix = os.environ.get("HAAGENTI_DEPS_PREFIX")
    if not prefix:
        return []
    folders = [*Path(prefix).glob("usr/lib/*-linux-gnu*"), Path(prefix) / "usr/lib"]
    return [f"-I{prefix}/usr/include", *(flag for folder in folders for flag in (f"-L{folder}", f"-Wl,-rpath,{folder}"))]


def _compile(library: Path, isal: bool) -> subprocess.CompletedProcess[str]:
    search = _search_flags()

    def archive(name: str) -> str:
        found = subprocess.run(["cc", *search, f"-print-file-name=lib{name}.a"], capture_output=True, text=True, check=True).stdout.strip()
        return f"-l:lib{name}.a" if "/" in found else f"-l{name}"

    libraries = [*(archive(name) for name in ARCHIVES), *(f"-l{name}" for name in SHARED)]
    extra = (["-DHAVE_ISAL"], ["-lisal"]) if isal else ([], [])
    command = ["cc", "-O2", "-shared", "-fPIC", *search, *extra[0], "-o", str(library), str(SOURCE), *libraries, *extra[1]]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@functools.cache
def load() -> ctypes.CDLL:
    """Compiles the calls once a process; with ISA-L where it is installed.

    Raises:
        RuntimeError: There is no C compiler, or headers are missing.
    """
    with tempfile.TemporaryDirectory(prefix="haagenti-benchmark-") as folder:
        path = Path(folder) / "codec_calls.so"
        outcome = _compile(path, isal=True)
        if outcome.returncode != 0:
            outcome = _compile(path, isal=False)
        if outcome.returncode != 0:
            raise RuntimeError(f"{SOURCE.name} does not compile:\n{outcome.stderr}")
        library = ctypes.CDLL(str(path))
    library.codec_open.argtypes = [ctypes.c_char_p, ctypes.c_int]
    library.codec_open.restype = ctypes.c_void_p
    size, address = ctypes.c_size_t, ctypes.c_void_p
    library.codec_run.argtypes = [address, ctypes.c_int, address, size, address, size, size, ctypes.POINTER(ctypes.c_double)]
    library.codec_run.restype = size
    library.codec_versions.restype = ctypes.c_char_p
    return library


def versions() -> str:
    """Of the libraries that the calls are compiled against."""
    return str(load().codec_versions().decode())


class CCodec:
    """Both directions of one library with contexts that are kept.

    Args:
        name: A row of the table in ``codec_calls.c``.
        level: As the library numbers it.

    Raises:
        LookupError: This build of the calls has no such row.
    """

    def __init__(self, name: str, level: int) -> None:
        self.name = name
        self.handle = load().codec_open(name.encode(), level)
        if not self.handle:
            raise LookupError(f"{name} is not among the compiled calls")

    def runner(self, direction: str, src: np.ndarray, dst: np.ndarray, loops: int = 1) -> Callable[[], tuple[int, float]]:
        """Returns a function that makes `loops` calls in C and returns the bytes written by the last and the seconds of one.

        Args:
            direction: ``"compress"`` or ``"decompress"``.
            src: uint8.
            dst: uint8, large enough.
            loops: Calls.
        """
        run = load().codec_run
        seconds = ctypes.c_double()
        decompress = int(direction == "decompress")
        arguments = (self.handle, decompress, src.ctypes.data, src.nbytes, dst.ctypes.data, dst.nbytes, loops, ctypes.byref(seconds))
        kept = (src, dst)  # the addresses stand for these

        def call() -> tuple[int, float]:
            n = run(*arguments)
            if n == 0 or not kept:
                raise RuntimeError(f"{self.name} refuses to {direction} {src.nbytes} bytes")
            return n, seconds.value / loops

        return call
