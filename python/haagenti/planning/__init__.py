"""Which encoding each tensor gets, and why, as plain data that can be printed, edited and read back.

Not responsible for: encoding anything.
"""

from __future__ import annotations

from haagenti.planning.plan_data import Plan, PlanEntry
from haagenti.planning.policy import PRESETS, plan
from haagenti.planning.rules import Rule, parse_rules

__all__ = ["PRESETS", "Plan", "PlanEntry", "Rule", "parse_rules", "plan"]
