"""The kinds of trigger. A new kind is one file here and one line in `TRIGGERS`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.domain.maintenance.triggers.age import AgeTrigger
from server.domain.maintenance.triggers.fixed import FixedTrigger
from server.domain.maintenance.triggers.floating import FloatingTrigger
from server.domain.maintenance.triggers.warranty_phase import WarrantyPhaseTrigger
from server.domain.maintenance.values import Trigger

TRIGGERS: tuple[type[Trigger], ...] = (FixedTrigger, FloatingTrigger, AgeTrigger, WarrantyPhaseTrigger)

_BY_KIND = {each.kind: each for each in TRIGGERS}


def trigger_from_json(document: Mapping[str, Any]) -> Trigger:
    """The trigger that `Trigger.to_json` described. Raises ValueError for an unknown kind or unusable fields."""
    kind = _BY_KIND.get(document.get("kind", ""))
    if kind is None:
        raise ValueError(f"unknown trigger kind: {document.get('kind')!r}")
    try:
        return kind.from_json(document)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"unusable {kind.kind} trigger: {error}") from error


__all__ = [
    "TRIGGERS",
    "AgeTrigger",
    "FixedTrigger",
    "FloatingTrigger",
    "WarrantyPhaseTrigger",
    "trigger_from_json",
]
