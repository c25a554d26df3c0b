"""What the kind of an output changes about a plan: safetensors files have no second names and no 1-D records.

Not responsible for: presets, rules and roles (`haagenti.planning.policy`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import msgspec

from haagenti.planning.plan_data import Plan, PlanEntry, Role
from haagenti.sources.base import PLAIN

KEEPS_NAMES = ".hct"  # in such a file a tied tensor is a second name of the same record
TIED_ROLES: frozenset[Role] = frozenset({"embedding", "head"})  # what "tie_word_embeddings" speaks of


def fitted(plan: Plan, dst: str | os.PathLike[str], config: Mapping[str, Any] | None) -> Plan:
    """The plan as it will be carried out for an output.

    Args:
        plan: for any output.
        dst: the output; its extension tells its kind.
        config: the model's ``config.json``, None when there is none.
    """
    if _keeps_names(dst):
        return plan
    plan = untied(plan, dst, config)
    return msgspec.structs.replace(plan, entries=[_flat_is_plain(entry) for entry in plan.entries])


def untied(plan: Plan, dst: str | os.PathLike[str], config: Mapping[str, Any] | None) -> Plan:
    """The plan with tied tensors stored under every name, unless any reader of the output knows that they are tied.

    Readers of safetensors files know it from ``tie_word_embeddings`` in ``config.json`` alone, and only of embeddings and heads.

    Args:
        plan: see `fitted`.
        dst: see `fitted`.
        config: see `fitted`.
    """
    if _keeps_names(dst):
        return plan
    says_tied = config is not None and config.get("tie_word_embeddings") is True
    targets = {entry.name: entry for entry in plan.entries if entry.alias_of is None}
    entries = []
    for entry in plan.entries:
        stays = entry.alias_of is None or (says_tied and {entry.role, targets[entry.alias_of].role} <= TIED_ROLES)
        entries.append(entry if stays else _again(entry, targets))
    n_again = sum(old is not new for old, new in zip(plan.entries, entries, strict=True))
    if not n_again:
        return plan
    note = f"{n_again} tied tensors are stored again under their own names: config.json does not say that they are tied"
    return msgspec.structs.replace(plan, entries=entries, notes=[*plan.notes, note])


def _again(entry: PlanEntry, targets: Mapping[str, PlanEntry]) -> PlanEntry:
    target = targets[str(entry.alias_of)]
    reason = f"tied to {target.name}, which readers of safetensors files would not know: stored again"
    return msgspec.structs.replace(
        entry, encoding=target.encoding, matrix=target.matrix, reason=reason, expected_bytes=target.expected_bytes, alias_of=None
    )


def _flat_is_plain(entry: PlanEntry) -> PlanEntry:
    if len(entry.shape) > 1 or entry.encoding == PLAIN or entry.alias_of is not None:
        return entry
    reason = f"{entry.reason}; stored as it is"
    return msgspec.structs.replace(entry, encoding=PLAIN, matrix=None, reason=reason, expected_bytes=entry.n_bytes)


def _keeps_names(dst: str | os.PathLike[str]) -> bool:
    return PurePath(dst).suffix.lower() == KEEPS_NAMES
