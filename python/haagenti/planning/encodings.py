"""What planning needs to know of encodings: canonical names, which lose something, and how large a record will be.

Not responsible for: the grammar and the table (both in the core), encoding.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from haagenti import _core, dtypes
from haagenti.record import choose_matrix, encode_bytes
from haagenti.sources.base import PLAIN

LOSSY_DTYPES = frozenset({"F32", "F16", "BF16"})  # what the lossy encodings take

# Share of the bytes that `raw` leaves of weights, measured on the matrices of benchmarks/synthetic.py; a trained bf16 Llama gave the same.
# Other types are counted as incompressible.
ZSTD_SHARE = {"BF16": 0.78, "F16": 0.92, "F32": 0.93}

LONGEST_SAMPLE = 2**16  # elements that are encoded to learn the rate; a multiple of every group size

UNSET = "unset"  # of the parameters of spectral that exclude each other
_SPARSE_BLOCK = 2048  # positions that share an index entry of 32 bits

_HADAMARD_BLOCK = re.compile(r"hadamard\((\d+)")

_FIXED_HEADER = 128
_CHUNK_BYTES = 2**20  # uncompressed bytes of a chunk
_CHUNK_TABLE_ENTRY = 16
SMALLEST_RECORD = 256  # bytes: header and tables of one chunk, then the chunk, each filled up to 64


def canonical(text: str) -> str:
    """An encoding's canonical spelling with every parameter that is not at its default; ``"plain"`` stays.

    Raises:
        InvalidArgumentError: not an encoding.
    """
    return PLAIN if text == PLAIN else _core.format_encoding(*_core.parse_encoding(text))


def is_lossy(text: str) -> bool:
    """Whether the encoding may change values."""
    return text != PLAIN and _lossy_names()[_core.parse_encoding(text)[0]]


@cache
def _lossy_names() -> dict[str, bool]:
    return {encoding["name"]: encoding["lossy"] for encoding in _core.encodings()}


def is_flat(text: str) -> bool:
    """Whether groups run over all elements as one row, which leaves no choice of the matrix."""
    return text != PLAIN and _core.parse_encoding(text)[1].get("group_axis") == "flat"


def has_fixed_rate(text: str) -> bool:
    """Whether the size of a record follows from the shape alone."""
    if is_sparse(text):
        return False
    return is_lossy(text) or _core.parse_encoding(text)[1].get("codec") == "none"


def is_sparse(text: str) -> bool:
    """Whether only a part of the values is kept, so that the size depends on them."""
    return text != PLAIN and "retention" in _core.parse_encoding(text)[1]


def measures_transform(text: str) -> bool:
    """Whether the encoder chooses the transform, and of a convolution the matrix, by measuring."""
    return text != PLAIN and _core.parse_encoding(text)[1].get("transform") == "auto"


def expected_record_bytes(encoding: str, dtype: str, shape: tuple[int, ...], matrix: str | None) -> int:
    """Bytes of the record: exact for fixed-rate encodings but for the chunk table, an estimate where an entropy coder decides.

    Raises:
        InvalidArgumentError: not an encoding, or one that does not take the dtype.
    """
    chosen = choose_matrix(shape, "flat" if is_flat(encoding) else matrix)
    n_rows, row_length = chosen.n_rows, chosen.row_length
    n_bytes = n_rows * row_length * dtypes.bits(dtype) // 8
    segments = _segments(encoding, dtype, n_rows, row_length, n_bytes)
    n_chunks = max(1, -(-n_bytes // _CHUNK_BYTES))
    header = _FIXED_HEADER + 9 * len(shape) + 24 + len(segments) * (16 + n_chunks * _CHUNK_TABLE_ENTRY)
    return _align(header) + sum(_align(size) for size in segments)


def _segments(encoding: str, dtype: str, n_rows: int, row_length: int, n_bytes: int) -> list[int]:
    name, params = _core.parse_encoding(canonical(encoding))
    if is_sparse(encoding):
        return [int(sparse_bits(params) * n_rows * row_length / 8)]
    if not _lossy_names()[name]:
        compressed = params.get("codec", "zstd") == "zstd"
        return [int(n_bytes * ZSTD_SHARE.get(dtype, 1.0)) if compressed else n_bytes]
    sample = max(1, min(row_length, LONGEST_SAMPLE))
    return [-(-size * n_rows * row_length // sample) for size in _segments_of_row(encoding, dtype, sample)]


def without_unfit_transform(encoding: str, shape: tuple[int, ...], matrix: str | None) -> str:
    """The encoding as it is, or with the identity where its Hadamard blocks do not divide the rows of the matrix."""
    if encoding == PLAIN:
        return encoding
    name, params = _core.parse_encoding(encoding)
    found = _HADAMARD_BLOCK.match(str(params.get("transform", "")))
    if found is None or choose_matrix(shape, matrix).row_length % int(found[1]) == 0:
        return encoding
    return _core.format_encoding(name, {**params, "transform": "identity"})


def sparse_bits(params: Mapping[str, Any]) -> float:
    """Expected bits a weight of a spectral record: what was asked for, or kept values, scales and mask for a share of them."""
    if params["bits_per_weight"] != UNSET:
        return float(params["bits_per_weight"])
    kept = float(params["retention"]) if params["retention"] != UNSET else float(params["energy"])  # a little more than white noise needs
    width = int(params["coefficients"].removeprefix("int").removeprefix("f"))
    scales = 16 / params["group_size"] if params["coefficients"].startswith("int") else 0
    mask = 0.0 if kept in (0.0, 1.0) else -kept * math.log2(kept) - (1 - kept) * math.log2(1 - kept)
    return kept * (width + scales) + mask + 32 / _SPARSE_BLOCK


@cache
def _segments_of_row(encoding: str, dtype: str, row_length: int) -> tuple[int, ...]:
    """Bytes of the segments of one row, as the encoder itself makes them: a fixed rate does not depend on the values."""
    record = encode_bytes(bytes(row_length * dtypes.bits(dtype) // 8), dtype, (1, row_length), encoding)
    return tuple(segment["n_bytes"] for segment in record.view.segments)


def _align(n: int) -> int:
    return -(-n // 64) * 64
