"""Writes the golden files of this folder: records and containers that every later version must decode to the same bits.

They are written once, when a format gains something, and only read afterwards. Files that exist are left alone.

    python tests/golden/make_golden.py
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import ml_dtypes
import numpy as np

import haagenti
from haagenti import _core
from haagenti.record import encode

HERE = Path(__file__).parent

RECORDS = {
    "raw-zstd-bf16": ("raw", np.dtype(ml_dtypes.bfloat16), (24, 40), None),
    "raw-lz4-f32": ("raw(codec=lz4)", np.dtype(np.float32), (24, 40), None),
    "raw-none-i64": ("raw(codec=none)", np.dtype(np.int64), (3, 5, 2), None),
    "raw-0d-f64": ("raw(codec=none)", np.dtype(np.float64), (), None),
    "int8-row-f32": ("int8", np.dtype(np.float32), (24, 40), None),
    "int8-g32-f16": ("int8(group_size=32)", np.dtype(np.float16), (24, 40), None),
    "int4-g32-bf16": ("int4", np.dtype(ml_dtypes.bfloat16), (24, 41), None),
    "int4-g64-max-f32": ("int4(group_size=64, scale=max)", np.dtype(np.float32), (5, 130), None),
    "int4-transposed-f32": ("int4", np.dtype(np.float32), (33, 18), "transposed"),
    "int4-flat-f32": ("int4(group_axis=flat)", np.dtype(np.float32), (7, 9), None),
    "int4-hadamard-f32": ("int4(transform=hadamard)", np.dtype(np.float32), (9, 96), None),
    "int8-block-dct-f16": ("int8(transform=block_dct(16))", np.dtype(np.float16), (40, 50), None),
    "int4-dct-rows-f32": ("int4(transform=dct_rows)", np.dtype(np.float32), (5, 60), None),
    "spectral-int4-f32": ("spectral(transform=block_dct(16))", np.dtype(np.float32), (40, 50), None),
    "spectral-int8-gaps-bf16": (
        "spectral(retention=0.1, coefficients=int8, transform=hadamard)",
        np.dtype(ml_dtypes.bfloat16),
        (33, 160),
        None,
    ),
    "spectral-f16-f32": ("spectral(energy=0.9, coefficients=f16, transform=dct_2d)", np.dtype(np.float32), (12, 20), None),
    "spectral-f32-auto-f32": ("spectral(retention=1, coefficients=f32)", np.dtype(np.float32), (2049,), None),
    "int4-empty-f32": ("int4", np.dtype(np.float32), (0, 8), None),
}


def tensor(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Values that need no random generator: a quadratic sequence modulo a prime, about -1 .. 1."""
    n = int(np.prod(shape))
    i = np.arange(n, dtype=np.int64)
    values = (i * i * 37 + i * 11 + 5) % 1009
    return (values if dtype.kind == "i" else (values - 504) / np.float64(505)).astype(dtype).reshape(shape)


def write_once(path: Path, data: bytes) -> None:
    """Leaves a file that exists alone."""
    if not path.exists():
        path.write_bytes(data)
        print("wrote", path.name, len(data))


def main() -> None:
    """Writes what is missing, and the digests of what each file decodes to."""
    digests = HERE / "digests.json"
    known: dict[str, str] = json.loads(digests.read_text()) if digests.exists() else {}
    records = {}
    for name, (encoding, dtype, shape, matrix) in RECORDS.items():
        records[name] = encode(tensor(shape, dtype), encoding, matrix=matrix)
        write_once(HERE / f"{name}.hgtr", bytes(records[name].data))
        known.setdefault(name, hashlib.sha256(haagenti.decode(records[name]).tobytes()).hexdigest())
    if not (HERE / "container.hct").exists():
        writer = _core.HctWriter(HERE / "container.hct", {"made by": "make_golden.py", "empty": ""})
        for name in ("int4-g32-bf16", "raw-zstd-bf16", "raw-0d-f64", "int4-empty-f32"):
            writer.append(name, records[name].data)
        writer.alias("tied", "int4-g32-bf16")
        writer.finish()
    digests.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
