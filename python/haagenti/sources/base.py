"""What a source of tensors is: a listing from headers alone, and the bytes of one tensor at a time.

Not responsible for: any file format.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    from typing_extensions import Self

    from haagenti.record import Record

PLAIN = "plain"  # the encoding of a tensor whose bytes are stored as they are


class SourceTensor(msgspec.Struct, frozen=True):
    """One tensor of a checkpoint, known from headers alone.

    Attributes:
        name: the tensor's own name.
        dtype: as safetensors spells it, e.g. ``"BF16"``.
        shape: dimensions.
        n_bytes: bytes of the decoded tensor in its own dtype.
        alias_of: name of an earlier tensor of the listing that shares its memory (a tied weight), else None.
        encoding: how the source stores it: ``"plain"`` or the encoding of its record.
        stored_bytes: bytes it takes in the source; 0 for an alias.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    n_bytes: int
    alias_of: str | None = None
    encoding: str = PLAIN
    stored_bytes: int = 0


class SideFile(msgspec.Struct, frozen=True):
    """A file beside the weights.

    Attributes:
        path: relative to the checkpoint's directory, with forward slashes.
        n_bytes: its size.
        left_out: why a conversion does not copy it, e.g. "weights in another format"; "" when it is copied.
    """

    path: str
    n_bytes: int
    left_out: str = ""


class Source(ABC):
    """A checkpoint opened for reading. Subclasses fill in `tensors` and `read`; the rest has defaults.

    Attributes:
        path: the file or directory.
        label: what the user called it, e.g. ``"org/name"``.
        kind: ``"directory"`` or ``"file"``.
        stem: name of the weight file a conversion writes, without extension.
        metadata: the checkpoint's own text metadata.
        stored_bytes: bytes of its weight files, headers included.
        notes: what a user should know about where it comes from.
    """

    path: Path
    label: str
    kind: Literal["directory", "file"] = "file"
    stem: str = "model"
    metadata: dict[str, str]
    stored_bytes: int = 0
    notes: tuple[str, ...] = ()

    @abstractmethod
    def tensors(self) -> list[SourceTensor]:
        """Every tensor, in a fixed order, an alias after its target. Reads headers only."""

    @abstractmethod
    def read(self, name: str) -> memoryview:
        """The tensor's little-endian row-major bytes, decoded when the source is compressed. The caller must not write to them."""

    def record(self, name: str) -> Record | None:
        """The record that stores the tensor; None when it is stored plainly."""
        return None

    def config(self) -> dict[str, Any] | None:
        """The model's ``config.json``; None when there is none."""
        return None

    def side_files(self) -> list[SideFile]:
        """The files beside the weights, those that are left out included."""
        return []

    def close(self) -> None:  # noqa: B027 (most sources have nothing to do)
        """Lets go of the files. Memory handed out by `read` stays valid."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
