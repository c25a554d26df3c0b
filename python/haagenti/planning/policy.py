"""From a checkpoint's listing to a plan: presets, and what a tensor's role changes about them.

Not responsible for: telling roles (`haagenti.planning.roles`), parsing rules (`haagenti.planning.rules`).
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from haagenti import dtypes
from haagenti.errors import InvalidArgumentError
from haagenti.planning.destination import fitted
from haagenti.planning.encodings import (
    LOSSY_DTYPES,
    SMALLEST_RECORD,
    canonical,
    expected_record_bytes,
    has_fixed_rate,
    is_flat,
    is_lossy,
    is_sparse,
    measures_transform,
    without_unfit_transform,
)
from haagenti.planning.plan_data import VERSION, Matrix, Plan, PlanEntry, Role
from haagenti.planning.roles import role_of, transposed_names
from haagenti.planning.rules import Rule, Rules, parse_rules
from haagenti.record import choose_matrix
from haagenti.sources import Source, SourceTensor, open_source
from haagenti.sources.base import PLAIN

LOSSLESS = "raw"
SMALL = "int8"  # in presets whose records of small tensors would be all header
SMALLEST_SPARSE = 16384  # elements; below, the header of a record takes more than 0.2 of the bits a weight that were asked for
SHORTEST_ROW = 16  # elements; below, the 16-bit scale of a row adds more than one bit to each of its weights


@dataclass(frozen=True)
class Preset:
    """Encodings before rules: of linear weights and convolutions, and of embeddings and heads."""

    linear: str
    embedding: str


PRESETS = {
    "lossless": Preset(LOSSLESS, LOSSLESS),
    "int8": Preset("int8", "int8"),
    "int4": Preset("int4", "int8"),
    "spectral": Preset("spectral(bits_per_weight=4.5)", "spectral(bits_per_weight=6, coefficients=int8)"),
    "dense": Preset(PLAIN, PLAIN),
}


def plan(
    src: str | os.PathLike[str] | Source,
    *,
    preset: str = "int4",
    rules: Rules | None = None,
    key: str | None = None,
    revision: str | None = None,
    dst: str | os.PathLike[str] | None = None,
) -> Plan:
    """Plans the conversion of a checkpoint; reads its headers only.

    Args:
        src: model directory, weight file, ``org/name``, or an open source.
        preset: ``"lossless"``, ``"int8"``, ``"int4"``, ``"spectral"`` or ``"dense"``.
        rules: ``{regex: encoding}`` or a sequence of rules; the first that matches a tensor's whole name decides.
        key: see `haagenti.sources.open_source`.
        revision: see `haagenti.sources.open_source`.
        dst: the output that the plan is for. Tied tensors and 1-D records, which only ``.hct`` files have, are then planned as they
            will be stored there; without it `haagenti.convert` settles that.

    Raises:
        InvalidArgumentError: unknown preset, a bad rule, or nothing to open at `src`.
        IoError, CorruptError: the source cannot be read.

    Example:
        >>> import os, tempfile, numpy as np, haagenti.numpy
        >>> folder = tempfile.mkdtemp()
        >>> source = os.path.join(folder, "a.safetensors")
        >>> weight = np.random.default_rng(0).standard_normal((64, 256), np.float32)
        >>> haagenti.numpy.save_file({"up.weight": weight, "up.bias": weight[0]}, source, encoding="plain")
        >>> for entry in plan(source, rules={".*bias": "raw"}).entries:
        ...     print(entry.name, entry.encoding, "|", entry.reason)
        up.bias raw(codec="zstd") | rule .*bias=raw(codec="zstd"); 1-D, so only .hct files have a record of it
        up.weight int4(group_size=32) | linear: preset int4
    """
    if preset not in PRESETS:
        raise InvalidArgumentError(f"preset: expected one of {', '.join(PRESETS)}, found {preset!r}")
    parsed = parse_rules(rules)
    if isinstance(src, Source):
        return _plan(src, preset, parsed, dst)
    with open_source(src, key=key, revision=revision) as source:
        return _plan(source, preset, parsed, dst)


def _plan(source: Source, preset: str, rules: Sequence[Rule], dst: str | os.PathLike[str] | None) -> Plan:
    config = source.config()
    tensors = [tensor if tensor.alias_of is None or not _says_untied(config) else _untied(tensor) for tensor in source.tensors()]
    transposed = transposed_names(tensors, config)
    used: set[Rule] = set()
    entries: dict[str, PlanEntry] = {}
    for tensor in tensors:
        if tensor.alias_of is not None:
            entries[tensor.name] = _alias_entry(tensor, entries[tensor.alias_of])
            continue
        rule = next((rule for rule in rules if rule.matches(tensor.name)), None)
        used.update([rule] if rule else [])
        entries[tensor.name] = _entry(tensor, PRESETS[preset], preset, rule, tensor.name in transposed)
    unmatched = [str(rule) for rule in rules if rule not in used]
    notes = [*source.notes, *_notes(tensors, preset)]
    made = Plan(VERSION, source.label, preset, list(entries.values()), [str(rule) for rule in rules], unmatched, notes)
    return made if dst is None else fitted(made, dst, config)


def _says_untied(config: Mapping[str, Any] | None) -> bool:
    """Whether the model's own config denies ties: then a tensor that is not stored would be missed, even if the memory was shared."""
    return config is not None and config.get("tie_word_embeddings") is False


def _untied(tensor: SourceTensor) -> SourceTensor:
    return msgspec.structs.replace(tensor, alias_of=None)


def _notes(tensors: Sequence[SourceTensor], preset: str) -> list[str]:
    n_lossy = sum(is_lossy(tensor.encoding) for tensor in tensors)
    if not n_lossy:
        return []
    if preset == "dense":
        return [f"{n_lossy} tensors of the source are lossy: what they lost does not come back"]
    return [f"{n_lossy} tensors of the source are lossy already: errors are measured against the source as it is and add up"]


def _alias_entry(tensor: SourceTensor, target: PlanEntry) -> PlanEntry:
    reason = f"tied to {target.name}: stored once"
    return PlanEntry(
        tensor.name, tensor.dtype, tensor.shape, tensor.n_bytes, target.encoding, target.matrix, role_of(tensor), reason, 0, target.name
    )


def _entry(tensor: SourceTensor, preset: Preset, preset_name: str, rule: Rule | None, transposed: bool) -> PlanEntry:
    role = role_of(tensor)
    matrix = _matrix(tensor, role, transposed)
    encoding, reason = _by_rule(tensor, rule) if rule else _by_role(tensor, role, matrix, preset, preset_name)
    if not is_lossy(encoding):  # gains nothing from another order, and reordering would cost a copy; rows fill whole bytes
        matrix = "flat" if dtypes.bits(tensor.dtype) < 8 else None
    elif is_flat(encoding):
        matrix = "flat"
    elif role == "convolution" and measures_transform(encoding):
        matrix = None
    fitting = without_unfit_transform(encoding, tensor.shape, matrix)
    if fitting != encoding:
        encoding, reason = fitting, f"{reason}; its Hadamard blocks do not divide the rows of this tensor: without a transform"
    encoding, expected, reason = _unless_larger(tensor, encoding, matrix, reason)
    return PlanEntry(tensor.name, tensor.dtype, tensor.shape, tensor.n_bytes, encoding, matrix, role, reason, expected)


def _matrix(tensor: SourceTensor, role: Role, transposed: bool) -> Matrix | None:
    if transposed:
        return "transposed"
    if len(tensor.shape) <= 1:
        return "flat"
    return "first" if role == "convolution" else "last"


def _by_rule(tensor: SourceTensor, rule: Rule) -> tuple[str, str]:
    if is_lossy(rule.encoding) and tensor.dtype not in LOSSY_DTYPES:
        return canonical(LOSSLESS), f"rule {rule}, but {tensor.dtype} is kept lossless: lossy encodings take {_lossy_dtypes()}"
    flat = "; 1-D, so only .hct files have a record of it" if len(tensor.shape) <= 1 and rule.encoding != PLAIN else ""
    return rule.encoding, f"rule {rule}{flat}"


def _by_role(tensor: SourceTensor, role: Role, matrix: Matrix | None, preset: Preset, name: str) -> tuple[str, str]:
    lossless = canonical(preset.linear if name == "dense" else LOSSLESS)
    if role == "vector":
        return PLAIN, f"{len(tensor.shape)}-D: small, stored as it is"
    if not is_lossy(preset.linear):
        return canonical(preset.linear), f"preset {name}"
    if tensor.dtype not in LOSSY_DTYPES:
        return lossless, f"{tensor.dtype} is kept lossless: lossy encodings take {_lossy_dtypes()}"
    if role in ("norm", "bias"):
        return lossless, f"{role}: small and sensitive, lossless"
    if role == "router":
        return lossless, "router: a small error can send a token to another expert, and it is small; lossless"
    if is_sparse(preset.linear) and math.prod(tensor.shape) < SMALLEST_SPARSE:
        return canonical(SMALL), f"{role} of fewer than {SMALLEST_SPARSE} elements: {SMALL} in preset {name}"
    if role in ("embedding", "head"):
        return canonical(preset.embedding), f"{role}: {preset.embedding} in preset {name}"
    if choose_matrix(tensor.shape, matrix).row_length < SHORTEST_ROW:
        return lossless, f"{role} with rows of fewer than {SHORTEST_ROW} elements: the scales would cost too much, lossless"
    measured = ", transform measured" if measures_transform(preset.linear) else ""
    return canonical(preset.linear), f"{role}{' (stored transposed)' if matrix == 'transposed' else ''}: preset {name}{measured}"


def _unless_larger(tensor: SourceTensor, encoding: str, matrix: Matrix | None, reason: str) -> tuple[str, int, str]:
    """Small tensors are stored plainly: their record's header and scales would outweigh what it saves."""
    if encoding == PLAIN:
        return PLAIN, tensor.n_bytes, reason
    expected = expected_record_bytes(encoding, tensor.dtype, tensor.shape, matrix)
    certain = has_fixed_rate(encoding) or tensor.n_bytes <= SMALLEST_RECORD
    if expected >= tensor.n_bytes and certain:
        return PLAIN, tensor.n_bytes, f"{reason}; a record of {expected} bytes would not be smaller than {tensor.n_bytes}: stored as it is"
    return encoding, min(expected, tensor.n_bytes), reason


def _lossy_dtypes() -> str:
    return ", ".join(sorted(LOSSY_DTYPES))
