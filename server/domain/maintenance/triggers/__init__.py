"""The kinds of trigger. A new kind is one file here and one line in `TRIGGERS`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from server.domain.maintenance.triggers.age import AgeTrigger
from server.domain.maintenance.triggers.campaign import CampaignTrigger
from server.domain.maintenance.triggers.combined import AllOf, AnyOf, Combined
from server.domain.maintenance.triggers.condition import ConditionTrigger
from server.domain.maintenance.triggers.event import EventTrigger
from server.domain.maintenance.triggers.fixed import FixedTrigger
from server.domain.maintenance.triggers.floating import FloatingTrigger
from server.domain.maintenance.triggers.meter import MeterTrigger
from server.domain.maintenance.triggers.warranty_phase import WarrantyPhaseTrigger
from server.domain.maintenance.values import Problem, Trigger
from server.domain.reason import reason

TRIGGERS: tuple[type[Trigger], ...] = (
    FixedTrigger,
    FloatingTrigger,
    AgeTrigger,
    MeterTrigger,
    ConditionTrigger,
    WarrantyPhaseTrigger,
    EventTrigger,
    CampaignTrigger,
    AnyOf,
    AllOf,
)

_BY_KIND = {each.kind: each for each in TRIGGERS}


def trigger_from_json(document: Mapping[str, Any]) -> Trigger:
    """The trigger that `Trigger.to_json` described. Raises ValueError for an unknown kind or unusable fields."""
    kind = _BY_KIND.get(document.get("kind", ""))
    if kind is None:
        raise ValueError(f"unknown trigger kind: {document.get('kind')!r}")
    try:
        return kind.from_json(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"unusable {kind.kind} trigger: {error}") from error


def read_triggers(documents: Sequence[Mapping[str, Any]]) -> tuple[tuple[Trigger, ...], tuple[Problem, ...]]:
    """Triggers as people wrote them, and what cannot be read of them, field by field: `triggers.0.every`."""
    read, problems = [], []
    for index, document in enumerate(documents):
        found = _unreadable(document, f"triggers.{index}")
        problems += found
        if not found:
            read.append(trigger_from_json(document))
    return tuple(read), tuple(problems)


def _unreadable(document: Mapping[str, Any], path: str) -> list[Problem]:
    kind = _BY_KIND.get(str(document.get("kind", "")))
    if kind is None:
        why = reason("trigger-kind-unknown", kind=str(document.get("kind"))[:40], known=", ".join(_BY_KIND))
        return [Problem(field=f"{path}.kind", reason=why)]
    known = {each.name for each in dataclasses.fields(kind)} | {"kind"}  # type: ignore[arg-type]
    found = [
        Problem(field=f"{path}.{str(name)[:60]}", reason=reason("trigger-field-unknown", kind=kind.kind))
        for name in sorted(document.keys() - known)
    ]
    identity = document.get("id")
    if not isinstance(identity, str) or not 0 < len(identity) <= 60 or "\x00" in identity:
        found.append(Problem(field=f"{path}.id", reason=reason("trigger-without-id")))
    members = document.get("members")
    if issubclass(kind, Combined) and isinstance(members, list):
        for index, member in enumerate(each for each in members if isinstance(each, dict)):
            found += _unreadable({"id": f"{identity}.{index}"} | member, f"{path}.members.{index}")
    if found:
        return found
    try:
        kind.from_json(document)
    except KeyError as error:
        return [Problem(field=f"{path}.{error.args[0]}", reason=reason("trigger-field-missing"))]
    except (TypeError, ValueError, AttributeError):
        return [Problem(field=path, reason=reason("trigger-unreadable", kind=kind.kind))]
    return []


Combined.read_member = staticmethod(trigger_from_json)

__all__ = [
    "TRIGGERS",
    "AgeTrigger",
    "AllOf",
    "AnyOf",
    "CampaignTrigger",
    "ConditionTrigger",
    "EventTrigger",
    "FixedTrigger",
    "FloatingTrigger",
    "MeterTrigger",
    "WarrantyPhaseTrigger",
    "read_triggers",
    "trigger_from_json",
]
