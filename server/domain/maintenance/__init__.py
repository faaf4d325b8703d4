"""When preventive and proactive work is due, and why there is or is not a visit on each date."""

from server.domain.maintenance.calendar import Every, add_months
from server.domain.maintenance.expected import NO_ANCHOR, expected
from server.domain.maintenance.problems import problems
from server.domain.maintenance.triggers import (
    TRIGGERS,
    AgeTrigger,
    FixedTrigger,
    FloatingTrigger,
    WarrantyPhaseTrigger,
    trigger_from_json,
)
from server.domain.maintenance.values import (
    AssetFacts,
    CatchUp,
    Completion,
    Cycle,
    Decision,
    OpenPrevious,
    Plan,
    Problem,
    Recorded,
    State,
    Trigger,
    VisitState,
)

__all__ = [
    "NO_ANCHOR",
    "TRIGGERS",
    "AgeTrigger",
    "AssetFacts",
    "CatchUp",
    "Completion",
    "Cycle",
    "Decision",
    "Every",
    "FixedTrigger",
    "FloatingTrigger",
    "OpenPrevious",
    "Plan",
    "Problem",
    "Recorded",
    "State",
    "Trigger",
    "VisitState",
    "WarrantyPhaseTrigger",
    "add_months",
    "expected",
    "problems",
    "trigger_from_json",
]
