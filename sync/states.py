"""The visit's two coupled state machines, as folds.

The field side (`exec_state`) is the fold of events written on site; the office side (`plan_state`) is a value
that only the office sets, through `plan_move`. An event that is illegal where it stands is kept and flagged,
never dropped, and does not move the state. `tests/vectors/states.json` pins this fold for every client.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sync.change import Json

ExecState = Literal[
    "not_started", "accepted", "en_route", "on_site", "working", "paused",
    "done", "partly_done", "no_access", "refused", "reviewed", "closed",
]  # fmt: skip
PlanState = Literal["due", "planned", "published", "withdrawn", "cancelled", "merged"]

LEADS_TO: dict[str, ExecState] = {
    "accepted": "accepted",
    "en_route": "en_route",
    "arrived": "on_site",
    "started": "working",
    "paused": "paused",
    "resumed": "working",
    "done": "done",
    "partly_done": "partly_done",
    "no_access": "no_access",
    "refused": "refused",
    "reviewed": "reviewed",
    "closed": "closed",
    "returned": "accepted",
}
"""Event type -> the field state that it leads to; `undo` leads back to where the undone event stood."""

LEGAL_FROM: dict[str, frozenset[ExecState]] = {
    "accepted": frozenset({"not_started"}),
    "en_route": frozenset({"not_started", "accepted"}),
    "arrived": frozenset({"not_started", "accepted", "en_route"}),
    "started": frozenset({"not_started", "accepted", "en_route", "on_site"}),
    "paused": frozenset({"working"}),
    "resumed": frozenset({"paused"}),
    "done": frozenset({"working", "paused"}),
    "partly_done": frozenset({"working", "paused"}),
    "no_access": frozenset({"not_started", "accepted", "en_route", "on_site", "working"}),
    "refused": frozenset({"not_started", "accepted", "en_route", "on_site", "working", "paused"}),
    "reviewed": frozenset({"done", "partly_done", "no_access", "refused"}),
    "closed": frozenset({"reviewed"}),
    "returned": frozenset({"done", "partly_done", "no_access", "refused", "reviewed"}),
}

OFFICE_EVENTS = frozenset({"reviewed", "closed", "returned"})
"""What the office makes of finished work. No tablet sends them, and no undo takes them back."""

FINISHED: frozenset[str] = frozenset({"done", "partly_done", "no_access", "refused"})
PERFORMED: frozenset[str] = frozenset({"done", "partly_done"})
REVIEWED: frozenset[str] = frozenset({"reviewed", "closed"})
"""What the office makes of finished work."""

OVER: frozenset[str] = FINISHED | REVIEWED
UNDER_WAY: frozenset[str] = frozenset({"en_route", "on_site", "working", "paused"})

PLAN_MOVES: dict[PlanState, frozenset[PlanState]] = {
    "due": frozenset({"planned", "published", "cancelled", "merged"}),
    "planned": frozenset({"due", "published", "cancelled", "merged"}),
    "published": frozenset({"published", "withdrawn", "cancelled", "merged", "due"}),
    "withdrawn": frozenset({"due", "planned", "published", "cancelled"}),
    "cancelled": frozenset({"due", "planned", "published"}),
    "merged": frozenset(),
}


@dataclass(frozen=True, kw_only=True)
class Execution:
    """What the events of one visit say: state, who did it, when, and which events were out of order."""

    state: ExecState
    performed_by: str | None
    started_at: str | None
    finished_at: str | None
    illegal: tuple[str, ...]
    starters: tuple[str, ...]


def moment(entry: Json) -> str:
    """The time an entry counts from: corrected where the server has corrected it, else the device's own."""
    return str(entry.get("at_corrected") or entry["at"])


def in_order(entries: Iterable[Json]) -> list[Json]:
    """Entries by time, then id, so that the order of arrival cannot matter."""
    return sorted(entries, key=lambda entry: (moment(entry), entry["id"]))


def standing(findings: Iterable[Json]) -> list[Json]:
    """The findings that count, by time: one that is said again of the same item and machine (its cause became known)
    takes the place of what was said before; those that name no item stand each by itself."""
    last: dict[tuple[str | None, ...], Json] = {}
    for found in in_order(findings):
        last[(found["item"], found.get("asset_id")) if found.get("item") else (None, found["id"])] = found
    return list(last.values())


def fold(events: Iterable[Json]) -> Execution:
    """Fold the events of a visit. Instants are ISO 8601 text in UTC with `Z`; ids are compared as text.

    An undone event counts as never made; an undo of what the office has judged since (reviewed, closed or returned),
    or of the office's own word, is illegal itself. Work that was returned is finished by nobody. With two people's
    events in one visit the first finishing event names the performer, and `starters` names everybody who began.
    """
    ordered = in_order(events)
    void = _void_undos(ordered)
    undone = {event.get("undoes") for event in ordered if event["type"] == "undo" and event["id"] not in void}
    state: ExecState = "not_started"
    performed_by = started_at = finished_at = None
    illegal: list[str] = []
    starters: list[str] = []
    for event in ordered:
        kind = event["type"]
        if event["id"] in void:
            illegal.append(event["id"])
        if kind == "undo" or event["id"] in undone:
            continue
        if kind == "started" and event.get("by") and event["by"] not in starters:
            starters.append(event["by"])
        if state not in LEGAL_FROM[kind]:
            illegal.append(event["id"])
            continue
        state = LEADS_TO[kind]
        if kind == "started" and started_at is None:
            started_at = moment(event)
        if state in FINISHED:
            finished_at = moment(event)
            performed_by = event.get("by") if state in PERFORMED else None
        if kind == "returned":
            finished_at = performed_by = None
    return Execution(
        state=state,
        performed_by=performed_by,
        started_at=started_at,
        finished_at=finished_at,
        illegal=tuple(illegal),
        starters=tuple(starters),
    )


def ended_as(events: Iterable[Json]) -> ExecState:
    """How the work itself stands, whatever the office has made of it since: `done` of a visit that is closed."""
    return fold([event for event in events if event["type"] not in ("reviewed", "closed")]).state


def _void_undos(ordered: list[Json]) -> frozenset[str]:
    places = {event["id"]: place for place, event in enumerate(ordered)}
    judged = [place for place, event in enumerate(ordered) if event["type"] in OFFICE_EVENTS]
    void = set()
    for place, event in enumerate(ordered):
        target = places.get(event.get("undoes") or "") if event["type"] == "undo" else None
        if target is not None and (target in judged or any(target < one < place for one in judged)):
            void.add(event["id"])
    return frozenset(void)


def may_move_plan(current: PlanState, target: PlanState, exec_state: str) -> bool:
    """Whether the office may move a visit's plan state: by the table, and never once the work is finished."""
    if current == target:
        return True
    return exec_state not in OVER and target in PLAN_MOVES[current]
