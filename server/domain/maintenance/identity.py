"""Names of occurrences and of the visits made from them.

An occurrence is named by the plan's own cycle and by nothing that people can move, so that two servers, a repeated run
or a visit pulled forward can never make a second one.
"""

from __future__ import annotations

from uuid import UUID, uuid5

_OCCURRENCES = UUID("6f1d2a5e-8c47-5b0e-9a53-1f6c0b7d4e21")


def occurrence_id(plan_id: str, trigger_id: str, cycle_key: str) -> str:
    """UUIDv5 of (plan, trigger, cycle)."""
    return str(uuid5(_OCCURRENCES, f"{plan_id}\n{trigger_id}\n{cycle_key}"))


def visit_id(occurrence: str) -> str:
    """UUIDv5 of the occurrence: the one visit that may ever be generated from it."""
    return str(uuid5(UUID(occurrence), "visit"))
