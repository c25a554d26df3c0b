"""The JSON header of a safetensors file: parsing with every check, and writing.

    u64 n | n bytes of JSON, padded with spaces | data of the tensors, without holes

Source: https://github.com/huggingface/safetensors (README, "Format").
Not responsible for: reading or writing the data, or what haagenti keeps in ``__metadata__``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, NoReturn

import msgspec

from haagenti import dtypes
from haagenti.errors import CorruptError, InvalidArgumentError, TruncatedError

MAX_HEADER_SIZE = 100_000_000  # the limit of the safetensors library
METADATA_KEY = "__metadata__"
DATA_ALIGNMENT = 64  # so that records, whose sizes are multiples of 64, are all aligned

_Size = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class TensorInfo(msgspec.Struct, frozen=True):
    """Where one tensor lies.

    Attributes:
        dtype: As safetensors spells it, such as ``"BF16"``.
        shape: Elements along each axis.
        offset: Of its first byte, from the beginning of the file.
        n_bytes: Its size.
    """

    dtype: str
    shape: tuple[int, ...]
    offset: int
    n_bytes: int


class _Entry(msgspec.Struct):
    dtype: str
    shape: list[_Size]
    data_offsets: tuple[_Size, _Size]


def tensor_bytes(dtype: str, shape: Sequence[int]) -> int:
    """Bytes that a plainly stored tensor takes.

    Raises:
        InvalidArgumentError: Unknown dtype, a negative extent, more than 2**63 bits, or sub-byte elements that do not fill whole bytes.
    """
    n_bits = dtypes.bits(dtype)
    for extent in shape:
        if extent < 0:
            raise InvalidArgumentError(f"shape: expected extents >= 0, found {list(shape)}")
        n_bits *= extent if extent else 1
        if n_bits >= 2**63:
            raise InvalidArgumentError(f"shape: expected fewer than 2**63 bits, found {dtype} {list(shape)}")
    if 0 in shape:
        return 0
    if n_bits % 8:
        raise InvalidArgumentError(f"shape: expected a whole number of bytes, found {n_bits} bits for {dtype} {list(shape)}")
    return n_bits // 8


def parse_header_size(prefix: bytes, file_size: int, where: str) -> int:
    """Reads and checks the first 8 bytes.

    Returns:
        Bytes of the JSON that follows.

    Raises:
        TruncatedError: The file ends within the header.
        CorruptError: The header is larger than any reader accepts.
    """
    if len(prefix) < 8:
        raise TruncatedError(f"{where}: header size: expected 8 bytes, found {len(prefix)}")
    n = int.from_bytes(prefix[:8], "little")
    if n > MAX_HEADER_SIZE:
        raise CorruptError(f"{where}: header size: expected at most {MAX_HEADER_SIZE}, found {n}; perhaps not a safetensors file")
    if 8 + n > file_size:
        raise TruncatedError(f"{where}: header: expected {n} bytes after the first 8, found {file_size - 8}")
    return n


def parse_header(header: bytes, file_size: int, where: str) -> tuple[dict[str, TensorInfo], dict[str, str] | None]:
    """Parses the JSON and checks it against the file.

    Args:
        header: The JSON with its padding; the data begins after it.
        file_size: Of the whole file, in bytes.
        where: The file's name, for messages.

    Returns:
        The tensors in the order of their data, and ``__metadata__``, None when there is none.

    Raises:
        CorruptError: Not the JSON that safetensors prescribes, duplicate keys, an unknown dtype, a shape that disagrees with its
            bytes, holes, overlaps, or bytes after the last tensor.
        TruncatedError: The file ends before the data of the last tensor does.
    """
    raw = _decode_json(header, where)
    metadata = _parse_metadata(raw.pop(METADATA_KEY, None), where)
    entries = sorted(((name, _parse_entry(name, value, where)) for name, value in raw.items()), key=lambda item: item[1].data_offsets)
    data_start = 8 + len(header)
    infos: dict[str, TensorInfo] = {}
    position = 0
    for name, entry in entries:
        infos[name] = _place(name, entry, position, data_start, where)
        position = entry.data_offsets[1]
    _check_end(data_start + position, file_size, where)
    return infos, metadata


def encode_header(
    entries: Iterable[tuple[str, str, Sequence[int], tuple[int, int]]], metadata: Mapping[str, str] | None, size: int | None = None
) -> bytes:
    """Writes the 8 bytes of size, the JSON, and spaces up to ``size``, or up to a multiple of 64 when it is None.

    Args:
        entries: (name, dtype, shape, (first byte, end) in the data) of every tensor.
        metadata: Strings for ``__metadata__``.
        size: Bytes to fill.

    Raises:
        InvalidArgumentError: The header does not fit into ``size`` or is larger than readers accept.
    """
    tree: dict[str, object] = {} if metadata is None else {METADATA_KEY: dict(metadata)}
    for name, dtype, shape, offsets in entries:
        tree[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}
    text = msgspec.json.encode(tree)
    if size is None:
        size = align(8 + len(text))
    if 8 + len(text) > size:
        raise InvalidArgumentError(f"header: expected at most {size} bytes, the space reserved for it, found {8 + len(text)}")
    if size - 8 > MAX_HEADER_SIZE:
        raise InvalidArgumentError(f"header: expected at most {MAX_HEADER_SIZE} bytes, the limit of safetensors, found {size - 8}")
    return (size - 8).to_bytes(8, "little") + text.ljust(size - 8)


def align(n: int) -> int:
    """The next multiple of ``DATA_ALIGNMENT``."""
    return -(-n // DATA_ALIGNMENT) * DATA_ALIGNMENT


def _decode_json(header: bytes, where: str) -> dict[str, msgspec.Raw]:
    if not header.startswith(b"{"):
        raise CorruptError(f"{where}: header: expected a JSON object, beginning with '{{', found {bytes(header[:16])!r}")
    try:
        raw = msgspec.json.decode(header, type=dict[str, msgspec.Raw])
        json.loads(str(header, "utf-8"), object_pairs_hook=_refuse_duplicates, parse_constant=_refuse_constant)
    except _DuplicateKeyError as error:
        raise CorruptError(f"{where}: header: expected every key once, found {error.args[0]!r} twice") from None
    except (ValueError, RecursionError) as error:  # msgspec, json and UTF-8 errors are all ValueError
        raise CorruptError(f"{where}: header: expected a JSON object, found: {error}") from None
    return raw


class _DuplicateKeyError(Exception):
    """Carries the key; not a ValueError, or it would read as a syntax error."""


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> None:
    """Returns None, so that the second parse keeps no objects."""
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise _DuplicateKeyError(key)
        seen.add(key)


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text}, which JSON does not have")


def _parse_metadata(raw: msgspec.Raw | None, where: str) -> dict[str, str] | None:
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw, type=dict[str, str] | None)
    except msgspec.DecodeError as error:
        raise CorruptError(f"{where}: {METADATA_KEY}: expected strings by name: {error}") from None


def _parse_entry(name: str, raw: msgspec.Raw, where: str) -> _Entry:
    try:
        return msgspec.json.decode(raw, type=_Entry)
    except (msgspec.DecodeError, RecursionError) as error:
        raise CorruptError(f"{where}: tensor {name!r}: expected dtype, shape and data_offsets: {error}") from None


def _place(name: str, entry: _Entry, position: int, data_start: int, where: str) -> TensorInfo:
    """Checks one tensor against the end of the one before it."""
    start, stop = entry.data_offsets
    if start != position or stop < start:
        raise CorruptError(
            f"{where}: tensor {name!r}: data_offsets: expected to begin at {position}, where the previous tensor ends, "
            f"and not to run backwards, found {[start, stop]}"
        )
    try:
        n_bytes = tensor_bytes(entry.dtype, entry.shape)
    except InvalidArgumentError as error:
        raise CorruptError(f"{where}: tensor {name!r}: {error}") from None
    if stop - start != n_bytes:
        raise CorruptError(
            f"{where}: tensor {name!r}: data_offsets: expected {n_bytes} bytes for {entry.dtype} {entry.shape}, found {stop - start}"
        )
    return TensorInfo(entry.dtype, tuple(entry.shape), data_start + start, n_bytes)


def _check_end(expected: int, file_size: int, where: str) -> None:
    if expected > file_size:
        raise TruncatedError(f"{where}: file size: expected {expected} bytes as the header says, found {file_size}")
    if expected < file_size:
        raise CorruptError(f"{where}: file size: expected {expected} bytes as the header says, found {file_size}")
