"""A plan as text.

Not responsible for: the plan itself.
"""

from __future__ import annotations

from haagenti.planning.plan_data import Plan, PlanEntry
from haagenti.reporting.tables import dimensions, plain_table, size

HEADER = ("tensor", "shape", "dtype", "encoding", "bytes", "expected", "reason")
RIGHT = (False, True, False, False, True, True, False)


def plan_table(plan: Plan) -> str:
    """One line a tensor, then totals, rules without effect, and notes."""
    table = plain_table(HEADER, [_row(entry) for entry in plan.entries], RIGHT)
    share = f" ({plan.expected_bytes / plan.source_bytes:.1%})" if plan.source_bytes else ""
    lines = [
        table,
        "",
        f"preset {plan.preset}: {len(plan.entries)} tensors, {size(plan.source_bytes)} -> about {size(plan.expected_bytes)}{share}, "
        f"{plan.bits_per_weight:.2f} bits/weight",
        *(f"rule without effect: {rule}" for rule in plan.unmatched_rules),
        *(f"note: {note}" for note in plan.notes),
    ]
    return "\n".join(lines)


def _row(entry: PlanEntry) -> list[str]:
    sizes = [str(entry.n_bytes), str(entry.expected_bytes)]
    return [entry.name, dimensions(entry.shape), entry.dtype, entry.encoding, *sizes, entry.reason]
