"""Decodes int8 and int4 records with torch operations alone, from the text of the formats: the oracle of the compiled decoder.

    value = code * scale,   code: int8, or a nibble - 8;   scale: binary16, one a group of a row of a chunk

Formats: ``cpp/src/encoding/spec.md`` and ``cpp/src/quantize/spec.md``. Slow. Not responsible for: checksums, other encodings, bad records.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from haagenti import _core
from haagenti.errors import UnsupportedError
from haagenti.torch.tensors import to_torch_dtype

FIXED = struct.Struct("<4sHBBIHHQQQQQHHHH")
FIXED_SIZE = 128
HEADER_SIZE = struct.Struct("<I")
HEADER_SIZE_AT = 8
SEGMENT = struct.Struct("<HHHHQ")
CHUNK = struct.Struct("<QQ")
ALIGNMENT = 64

IDENTITY = 0  # transform
INT8, INT4 = 1, 2  # quantisers
NO_CODEC = 0
NIBBLE_BITS = 4
NIBBLE_MASK = 0x0F
INT4_OFFSET = 8
SCALE_BYTES = 2

_DTYPES: dict[int, str] = {row["wire"]: row["name"] for row in _core.dtypes()}


@dataclass(frozen=True)
class Header:
    """The fields that the decoder needs. ``segments[s][c]`` is the first byte and the size of chunk ``c``."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    perm: tuple[int, ...]
    n_rows: int
    row_length: int
    chunk_rows: int
    chunk_cols: int
    quantizer: int
    group_size: int
    segments: list[list[tuple[int, int]]]


def decode_reference(record: torch.Tensor) -> torch.Tensor:
    """Decodes a record.

    Args:
        record: (n_bytes,) uint8, an int8 or int4 record whose segments have no byte codec.

    Returns:
        The tensor in its own shape and dtype.

    Raises:
        UnsupportedError: Another encoding.
    """
    (header_size,) = HEADER_SIZE.unpack(bytes(record[HEADER_SIZE_AT : HEADER_SIZE_AT + HEADER_SIZE.size].tolist()))
    header = _parse(bytes(record[:header_size].tolist()))
    values = torch.zeros(header.n_rows, header.row_length)
    for chunk, (rows, cols) in enumerate(_grid(header)):
        n_rows, n_cols = rows.stop - rows.start, cols.stop - cols.start
        codes, scales = (record[offset : offset + size] for offset, size in (segment[chunk] for segment in header.segments))
        values[rows, cols] = _codes(codes, header.quantizer, n_rows, n_cols) * _scales(scales, header.group_size, n_rows, n_cols)
    ordered = values.to(header.dtype).reshape([header.shape[axis] for axis in header.perm])
    inverse = [header.perm.index(axis) for axis in range(len(header.perm))]
    return ordered.permute(inverse).contiguous()


def _codes(stored: torch.Tensor, quantizer: int, n_rows: int, n_cols: int) -> torch.Tensor:
    """(n_rows, n_cols) float32 from the codes segment of a chunk."""
    if quantizer == INT8:
        return stored.view(torch.int8).reshape(n_rows, n_cols).float()
    pairs = stored.reshape(n_rows, math.ceil(n_cols / 2)).int()
    nibbles = torch.stack((pairs & NIBBLE_MASK, pairs >> NIBBLE_BITS), dim=-1).reshape(n_rows, -1)
    return (nibbles[:, :n_cols] - INT4_OFFSET).float()


def _scales(stored: torch.Tensor, group_size: int, n_rows: int, n_cols: int) -> torch.Tensor:
    """(n_rows, n_cols) float32: each element's scale, from the scales segment of a chunk."""
    size = group_size or n_cols
    halves = stored.clone().view(torch.float16).reshape(n_rows, math.ceil(n_cols / size))
    return halves.float().repeat_interleave(size, dim=1)[:, :n_cols]


def _grid(header: Header) -> Iterator[tuple[slice, slice]]:
    """(rows, columns) of every chunk, in their order."""
    if header.n_rows and header.row_length:
        for row in range(0, header.n_rows, header.chunk_rows):
            for col in range(0, header.row_length, header.chunk_cols):
                yield (
                    slice(row, min(row + header.chunk_rows, header.n_rows)),
                    slice(col, min(col + header.chunk_cols, header.row_length)),
                )


def _parse(data: bytes) -> Header:
    fields = FIXED.unpack_from(data)
    dtype, rank, header_size, n_segments, params_size = fields[2:7]
    n_rows, row_length, chunk_rows, chunk_cols = fields[8:12]
    transform, quantizer = fields[12], fields[14]
    if transform != IDENTITY:
        raise UnsupportedError(f"transform: expected {IDENTITY} (identity), found {transform}")
    if quantizer not in (INT8, INT4):
        raise UnsupportedError(f"quantiser: expected {INT8} (int8) or {INT4} (int4), found {quantizer}")
    at_perm = FIXED_SIZE + 8 * rank
    at_params = at_perm + _round_up(rank, 8)
    at_segments = at_params + _round_up(params_size, 8)
    return Header(
        dtype=to_torch_dtype(_DTYPES[dtype]),
        shape=struct.unpack_from(f"<{rank}Q", data, FIXED_SIZE),
        perm=tuple(data[at_perm : at_perm + rank]),
        n_rows=n_rows,
        row_length=row_length,
        chunk_rows=chunk_rows,
        chunk_cols=chunk_cols,
        quantizer=quantizer,
        group_size=struct.unpack_from("<I", data, at_params)[0],
        segments=_segments(data, at_segments, n_segments, header_size),
    )


def _segments(data: bytes, at: int, n_segments: int, header_size: int) -> list[list[tuple[int, int]]]:
    """(offset, size) of every chunk of every segment."""
    at_chunk = at + SEGMENT.size * n_segments
    offset, segments = header_size, []
    for s in range(n_segments):
        _, codec, _, _, n_chunks = SEGMENT.unpack_from(data, at + SEGMENT.size * s)
        if codec != NO_CODEC:
            raise UnsupportedError(f"codec of segment {s}: expected {NO_CODEC} (none), found {codec}")
        offset = _round_up(offset, ALIGNMENT)
        chunks = []
        for _ in range(n_chunks):
            size, _ = CHUNK.unpack_from(data, at_chunk)
            chunks.append((offset, size))
            offset, at_chunk = offset + size, at_chunk + CHUNK.size
        segments.append(chunks)
    return segments


def _round_up(n: int, multiple: int) -> int:
    return math.ceil(n / multiple) * multiple
