"""Saving a set of tensors to one file, ``.hct`` or safetensors: which encoding each gets, and the order in which they are written.

Not responsible for: the tensor types of numpy and torch, which arrive here as bytes; checkpoints of several files (`haagenti.convert`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from haagenti import _core, dtypes
from haagenti.errors import InvalidArgumentError
from haagenti.files.safetensors_writer import SafetensorsWriter, TensorSpec, check_metadata, header_size
from haagenti.record import Record, encode_bytes

StrPath = str | os.PathLike[str]
PLAIN = "plain"
Encodings = str | Mapping[str, str] | Callable[[str, Any], str]


@dataclass(frozen=True)
class Saved:
    """A tensor about to be saved.

    Attributes:
        name: Its name.
        dtype: As safetensors spells it.
        shape: Elements along each axis.
        encoding: ``"plain"`` or an encoding in the grammar, such as ``"int4(group_size=32)"``.
        raw: Gives its little-endian bytes in C order; called when they are needed, so that copies do not pile up.
        memory: Equal for tensors that are one and the same memory; None when it is shared with nothing.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    encoding: str
    raw: Callable[[], Any]
    memory: object = None

    def record(self) -> Record:
        """Encodes the tensor."""
        return encode_bytes(self.raw(), self.dtype, self.shape, self.encoding, name=self.name)


def encoding_of(encodings: Encodings, name: str, tensor: Any, default: str) -> str:
    """What a tensor is to be encoded with.

    Args:
        encodings: One for all, by name, or a function of name and tensor.
        name: The tensor's.
        tensor: Handed to the function.
        default: For names that a mapping leaves out.

    Returns:
        ``"plain"``, or the encoding in canonical spelling.

    Raises:
        InvalidArgumentError: Not an encoding.
    """
    if callable(encodings):
        text = encodings(name, tensor)
    elif isinstance(encodings, str):
        text = encodings
    else:
        text = encodings.get(name, default)
    if not isinstance(text, str):
        raise InvalidArgumentError(f"tensor {name!r}: encoding: expected str, found {type(text).__name__}")
    if text == PLAIN:
        return PLAIN
    try:
        return _core.format_encoding(*_core.parse_encoding(text))
    except InvalidArgumentError as error:
        raise InvalidArgumentError(f"tensor {name!r}: encoding: {error}") from None


def check_mapping(encodings: Encodings, names: Sequence[str]) -> None:
    """Checks that a mapping of encodings names tensors that are there.

    Raises:
        InvalidArgumentError: It names others.
    """
    if isinstance(encodings, Mapping):
        unknown = sorted(set(encodings) - set(names))
        if unknown:
            raise InvalidArgumentError(
                f"encoding: expected names of tensors to be saved, found {unknown[0]!r} (and {len(unknown) - 1} more)"
            )
    elif not isinstance(encodings, str) and not callable(encodings):
        raise InvalidArgumentError(f"encoding: expected str, mapping or function, found {type(encodings).__name__}")


def kind_of(path: StrPath) -> str:
    """``"hct"`` or ``"safetensors"``, by the suffix.

    Raises:
        InvalidArgumentError: Another suffix.
    """
    suffix = os.path.splitext(os.fspath(path))[1].lower()
    if suffix not in (".hct", ".safetensors"):
        raise InvalidArgumentError(f"{os.fspath(path)}: suffix: expected .hct or .safetensors, found {suffix!r}")
    return suffix[1:]


def save_hct(tensors: Sequence[Saved], path: StrPath, metadata: Mapping[str, str] | None) -> None:
    """Saves an ``.hct`` file; tensors of the same memory and encoding are stored once.

    Raises:
        InvalidArgumentError: A tensor is to be stored plainly, which ``.hct`` does not know.
        OSError: Writing failed; nothing is left behind.
    """
    for tensor in tensors:
        if tensor.encoding == PLAIN:
            raise InvalidArgumentError(
                f"tensor {tensor.name!r}: encoding: expected one for an .hct file, found 'plain'; use 'raw(codec=\"none\")'"
            )
    stored: dict[object, str] = {}
    writer = _core.HctWriter(os.fspath(path), check_metadata(metadata or {}), overwrite=True)
    try:
        for tensor in tensors:
            key = (tensor.memory, tensor.encoding)
            if tensor.memory is not None and key in stored:
                writer.alias(tensor.name, stored[key])
            else:
                writer.append(tensor.name, tensor.record().data)
                stored[key] = tensor.name
        writer.finish()
    except BaseException:
        with suppress(Exception):
            writer.abort()
        raise


def save_safetensors(tensors: Sequence[Saved], path: StrPath, metadata: Mapping[str, str] | None) -> None:
    """Saves a safetensors file: records first, then plain tensors by falling width, so that all are aligned.

    A tensor of one axis or none is stored plainly, and so is one whose record would not be smaller.

    Raises:
        OSError: Writing failed; nothing is left behind.
    """
    size = header_size([_spec(tensor) for tensor in tensors], metadata)
    plain = []
    with SafetensorsWriter(path, header_size=size, metadata=metadata, overwrite=True) as writer:
        for tensor in tensors:
            record = _smaller_record(tensor)
            if record is None:
                plain.append(tensor)
            else:
                writer.append_record(tensor.name, record.data, dtype=tensor.dtype, shape=tensor.shape, encoding=record.encoding)
        for tensor in _by_falling_width(plain):
            writer.append(tensor.name, tensor.raw(), dtype=tensor.dtype, shape=tensor.shape)


def _spec(tensor: Saved) -> TensorSpec:
    return TensorSpec(tensor.name, tensor.dtype, tensor.shape, None if _is_plain(tensor) else tensor.encoding)


def _is_plain(tensor: Saved) -> bool:
    return tensor.encoding == PLAIN or len(tensor.shape) < 2


def _smaller_record(tensor: Saved) -> Record | None:
    if _is_plain(tensor):
        return None
    record = tensor.record()
    n_plain = record.n_elements * dtypes.bits(tensor.dtype) // 8
    return record if record.n_bytes < n_plain else None


def _by_falling_width(tensors: Sequence[Saved]) -> Iterator[Saved]:
    return iter(sorted(tensors, key=lambda tensor: (-dtypes.bits(tensor.dtype), tensor.name)))
