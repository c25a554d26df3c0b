"""One ``.safetensors`` or ``.hct`` file as a source: plain tensors straight from the mapped file, compressed ones through their records.

Not responsible for: the file formats (`haagenti.files.tensor_file`), several shards with an index (`haagenti.sources.hf_directory`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from haagenti.files.safetensors_header import tensor_bytes
from haagenti.files.stored_tensor import CompressedTensor, PlainTensor, StoredTensor
from haagenti.files.tensor_file import open_tensor_file
from haagenti.record import Record
from haagenti.sources.base import PLAIN, Source, SourceTensor


class TensorFileSource(Source):
    """A single file, written by any tool or by haagenti.

    Raises:
        CorruptError, TruncatedError, UnsupportedError: a header, index or description is not valid.
    """

    def __init__(self, path: Path, label: str | None = None) -> None:
        self.path = path
        self.label = label or str(path)
        self.stem = path.stem
        self._file = open_tensor_file(path)
        self.metadata = dict(self._file.metadata)
        self.stored_bytes = path.stat().st_size
        first_name: dict[tuple[int, int], str] = {}
        self._tensors = [self._tensor(name, first_name) for name in self._file.names()]

    def tensors(self) -> list[SourceTensor]:
        return list(self._tensors)

    def read(self, name: str) -> memoryview:
        return decoded_bytes(self._file.tensor(name))

    def record(self, name: str) -> Record | None:
        stored = self._file.tensor(name)
        return stored.record if isinstance(stored, CompressedTensor) else None

    def _tensor(self, name: str, first_name: dict[tuple[int, int], str]) -> SourceTensor:
        stored, span = self._file.tensor(name), self._file.span(name)
        target = first_name.setdefault(span, name) if span[1] else name  # tensors without bytes share places without being tied
        encoding = stored.record.encoding if isinstance(stored, CompressedTensor) else PLAIN
        n_bytes = tensor_bytes(stored.dtype, stored.shape)
        shape = tuple(stored.shape)
        if target != name:
            return SourceTensor(name, stored.dtype, shape, n_bytes, target, encoding)
        return SourceTensor(name, stored.dtype, shape, n_bytes, None, encoding, span[1])


def decoded_bytes(stored: StoredTensor) -> memoryview:
    """The tensor's row-major bytes: those of the file, or a decoded copy."""
    if isinstance(stored, PlainTensor) or stored.is_packed:
        return stored.packed()
    array = np.ascontiguousarray(stored.array())
    return array.reshape(-1).view(np.uint8).data
