"""A pickled torch checkpoint (``.bin``, ``.pt``, ``.pth``, ``.th``) as a source.

Loaded with ``weights_only=True``, so no code of the file runs. Zip archives are mapped: only the tensors that are read come into memory.
Files of torch before 1.6 are plain pickles and are loaded whole.
Not responsible for: flattening the tree (`haagenti.torch.checkpoint_tree`), sharded checkpoints (`haagenti.sources.hf_directory`).
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import torch

from haagenti.errors import CorruptError, InvalidArgumentError, UnsupportedError
from haagenti.sources.base import Source, SourceTensor
from haagenti.torch.checkpoint_tree import flatten, select
from haagenti.torch.tensors import from_torch_dtype, logical_shape, raw_bytes


class PickleSource(Source):
    """A checkpoint file with tensors anywhere in a tree of dicts and lists.

    Args:
        path: the file.
        label: what the user called it.
        key: dotted name of the part of the tree that holds the tensors; None for the whole tree.

    Raises:
        CorruptError: not a torch checkpoint, or damaged.
        UnsupportedError: it holds objects that ``weights_only`` refuses, or tensors that are not dense.
        InvalidArgumentError: nothing is at `key`, or there are no tensors.
    """

    def __init__(self, path: Path, label: str | None = None, key: str | None = None) -> None:
        self.path = path
        self.label = label or str(path)
        self.stem = path.stem
        self.stored_bytes = path.stat().st_size
        tree = _load(path)
        self._values, self.metadata = flatten(tree if key is None else select(tree, key, str(path)), str(path))
        if not self._values:
            raise InvalidArgumentError(f"{path}: expected tensors{'' if key is None else f' under {key!r}'}, found none")
        self._tensors = self._listing()

    def tensors(self) -> list[SourceTensor]:
        return list(self._tensors)

    def read(self, name: str) -> memoryview:
        return raw_bytes(self._values[name]).data

    def _listing(self) -> list[SourceTensor]:
        first_name: dict[Hashable, str] = {}
        return [self._tensor(name, value, first_name) for name, value in self._values.items()]

    def _tensor(self, name: str, value: torch.Tensor, first_name: dict[Hashable, str]) -> SourceTensor:
        if value.layout != torch.strided or value.is_quantized or value.is_nested or value.device.type == "meta":
            kind = f"layout {value.layout}, dtype {value.dtype}, device {value.device}"
            raise UnsupportedError(f"{self.path}: tensor {name!r}: expected a dense tensor with data, found {kind}")
        try:
            dtype, shape = from_torch_dtype(value.dtype), logical_shape(value)
        except UnsupportedError as error:
            raise UnsupportedError(f"{self.path}: tensor {name!r}: {error}") from None
        target = first_name.setdefault(_memory(value), name) if value.numel() else name
        alias_of = None if target == name else target
        n_bytes = value.numel() * value.element_size()
        return SourceTensor(name, dtype, shape, n_bytes, alias_of, stored_bytes=0 if alias_of else n_bytes)


def _memory(value: torch.Tensor) -> Hashable:
    """Equal for tensors that are the same elements of the same storage; a view of another shape or part is a tensor of its own."""
    flags = (value.is_conj(), value.is_neg())
    return value.untyped_storage().data_ptr(), value.storage_offset(), value.dtype, tuple(value.shape), value.stride(), flags


def _load(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        text = str(error)
        if "weights_only" in text.lower() or "WeightsUnpickler" in text or "Unsupported" in text:
            raise UnsupportedError(f"{path}: holds objects that cannot be loaded without running its code: {_reason(text)}") from error
        raise CorruptError(f"{path}: not a torch checkpoint: {_reason(text)}") from error
    except RuntimeError as error:
        if "TorchScript" in str(error):
            raise UnsupportedError(f"{path}: a TorchScript program, not a checkpoint of tensors") from error
        raise _damaged(path, error) from error
    except (EOFError, ValueError, KeyError, IndexError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> CorruptError:
    return CorruptError(f"{path}: not a torch checkpoint, or damaged: {type(error).__name__}: {_reason(str(error))}")


def _reason(text: str) -> str:
    """The message of torch without its advice to switch the protection off."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    named = [line for line in lines if "GLOBAL" in line or "Unsupported" in line]
    return (named or lines or ["no reason given"])[0][:300]
