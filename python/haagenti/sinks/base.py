"""What a sink is: it takes tensors one at a time and its output appears, whole, when it is finished.

Not responsible for: any file format.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from haagenti.planning.plan_data import PlanEntry
from haagenti.record import Record

Read = Callable[[], memoryview]


class Sink(ABC):
    """An output under construction. `abort` leaves nothing behind; `finish` makes the output appear under `path`.

    Attributes:
        path: where the output will appear.
        directory: the folder, still under another name, that files beside the weights are written to; None when there is none.
        stored_bytes: bytes of the weight files, headers included; valid after `finish`, for a directory after `close`.
    """

    path: Path
    directory: Path | None = None
    stored_bytes: int = 0

    def refusal(self, entry: PlanEntry, record_bytes: int) -> str:
        """Why a record of this size is not taken and the tensor must be stored plainly; "" when it is taken."""
        return ""

    @abstractmethod
    def append_record(self, entry: PlanEntry, record: Record) -> None:
        """Stores a compressed tensor."""

    @abstractmethod
    def append_plain(self, entry: PlanEntry, read: Read) -> tuple[str, int]:
        """Stores a tensor's bytes as they are; `read` may be called later, up to `close`.

        Returns:
            How the output calls it, ``"plain"`` or an encoding, and the bytes that it takes.
        """

    @abstractmethod
    def append_alias(self, alias: str, target: str) -> None:
        """Gives the tensor appended last a second name."""

    def close(self) -> None:  # noqa: B027 (most sinks have nothing to do)
        """All tensors have been appended."""

    @abstractmethod
    def finish(self) -> None:
        """Makes the output appear under `path`."""

    @abstractmethod
    def abort(self) -> None:
        """Removes what has been written; does nothing after `finish`."""


def refuse_small_or_flat(entry: PlanEntry, record_bytes: int) -> str:
    """The rule of safetensors outputs.

    A 1-D tensor is never a record there: its payload could have the length that a reader without haagenti expects, and load.
    """
    if len(entry.shape) <= 1:
        return f"{len(entry.shape)}-D tensors are always stored plainly in safetensors files"
    if record_bytes >= entry.n_bytes:
        return f"a record of {record_bytes} bytes is not smaller than {entry.n_bytes}: stored plainly"
    return ""
