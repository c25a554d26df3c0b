"""A plan: the encoding and the reason of every tensor of a checkpoint, as typed data that goes to JSON and back.

Not responsible for: making one (`haagenti.planning.policy`) or carrying it out (`haagenti.conversion`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

import msgspec

from haagenti import dtypes
from haagenti.errors import InvalidArgumentError
from haagenti.files.safetensors_header import tensor_bytes
from haagenti.planning.encodings import canonical
from haagenti.sources.base import SourceTensor

VERSION = 1
Matrix = Literal["last", "first", "kernels", "transposed", "flat"]
Role = Literal["linear", "embedding", "head", "convolution", "router", "norm", "bias", "vector", "other"]


class PlanEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens to one tensor.

    Attributes:
        name, dtype, shape, n_bytes: the tensor, as its source lists it.
        encoding: ``"plain"`` (bytes as they are) or an encoding such as ``"int4(group_size=32)"``.
        matrix: how the tensor becomes a matrix: ``"last"``, ``"first"``, ``"kernels"``,
            ``"transposed"``, ``"flat"``; None for the default.
        role: what the tensor is in the model, as far as its name and shape tell.
        reason: why it gets this encoding.
        expected_bytes: estimate of what it takes in the output; 0 for an alias.
        alias_of: the tensor whose memory it shares: it is stored once.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    n_bytes: int
    encoding: str
    matrix: Matrix | None = None
    role: Role = "other"
    reason: str = ""
    expected_bytes: int = 0
    alias_of: str | None = None

    @property
    def n_elements(self) -> int:
        return math.prod(self.shape)


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The encodings of a whole checkpoint.

    Attributes:
        version: of this structure; 1.
        source: what was planned for.
        preset: the preset that the rules override.
        entries: one a tensor, in the order of the source.
        rules: ``"REGEX=ENCODING"``, as given.
        unmatched_rules: those that decided about no tensor.
        notes: what a user should know, e.g. that the source is lossy already.
    """

    version: int
    source: str
    preset: str
    entries: list[PlanEntry]
    rules: list[str] = []
    unmatched_rules: list[str] = []
    notes: list[str] = []

    @property
    def source_bytes(self) -> int:
        """Bytes of the tensors in their own dtypes, tied ones once."""
        return sum(entry.n_bytes for entry in self.entries if entry.alias_of is None)

    @property
    def expected_bytes(self) -> int:
        return sum(entry.expected_bytes for entry in self.entries)

    @property
    def bits_per_weight(self) -> float:
        """Expected bits per stored element."""
        n_elements = sum(entry.n_elements for entry in self.entries if entry.alias_of is None)
        return 8 * self.expected_bytes / n_elements if n_elements else 0.0

    def to_json(self) -> str:
        """The plan as JSON, readable and editable."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()

    @staticmethod
    def from_json(text: str | bytes) -> Plan:
        """Reads and checks a plan.

        Raises:
            InvalidArgumentError: the message carries the path of the wrong value, e.g. ``$.entries[3].encoding``.
        """
        try:
            plan = msgspec.json.decode(text, type=Plan)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise InvalidArgumentError(f"plan: {error}") from error
        check(plan)
        return plan

    def table(self) -> str:
        """One line a tensor: name, shape, dtype, encoding, expected bytes, reason; then the totals."""
        from haagenti.planning.plan_table import plan_table

        return plan_table(self)


def check(plan: Plan) -> None:
    """Checks what types cannot say.

    Raises:
        InvalidArgumentError: with the path of the wrong value.
    """
    if plan.version != VERSION:
        raise InvalidArgumentError(f"plan: $.version: expected {VERSION}, found {plan.version}")
    seen: set[str] = set()
    for i, entry in enumerate(plan.entries):
        _check_entry(entry, f"plan: $.entries[{i}]", seen)
        seen.add(entry.name)


def _check_entry(entry: PlanEntry, path: str, seen: set[str]) -> None:
    if entry.name in seen:
        raise InvalidArgumentError(f"{path}.name: {entry.name!r} is there twice")
    try:
        dtypes.bits(entry.dtype)
        canonical(entry.encoding)
        expected = tensor_bytes(entry.dtype, entry.shape)
    except InvalidArgumentError as error:
        raise InvalidArgumentError(f"{path} ({entry.name!r}): {error}") from error
    if entry.n_bytes != expected:
        raise InvalidArgumentError(f"{path}.n_bytes ({entry.name!r}): expected {expected}, found {entry.n_bytes}")
    if entry.matrix == "transposed" and len(entry.shape) != 2:
        raise InvalidArgumentError(f"{path}.matrix ({entry.name!r}): 'transposed' needs 2 dimensions, the shape is {entry.shape}")
    if entry.alias_of is not None and entry.alias_of not in seen:
        raise InvalidArgumentError(f"{path}.alias_of ({entry.name!r}): expected an earlier tensor, found {entry.alias_of!r}")


def check_against(plan: Plan, tensors: Iterable[SourceTensor]) -> None:
    """Checks that a plan is for exactly these tensors.

    Raises:
        InvalidArgumentError: a tensor is missing on either side, or dtype, shape or alias differ.
    """
    check(plan)
    entries = {entry.name: entry for entry in plan.entries}
    for tensor in tensors:
        entry = entries.pop(tensor.name, None)
        if entry is None:
            raise InvalidArgumentError(f"plan: no entry for tensor {tensor.name!r} of the source")
        for field in ("dtype", "shape", "alias_of"):
            expected, found = getattr(tensor, field), getattr(entry, field)
            untied = field == "alias_of" and found is None  # a plan may store a tied tensor twice
            if expected != found and not untied:
                raise InvalidArgumentError(f"plan: entry {tensor.name!r}: {field}: the source has {expected!r}, the plan {found!r}")
    if entries:
        raise InvalidArgumentError(f"plan: the source has no tensor {next(iter(entries))!r} ({len(entries)} such entries)")
