"""The dispatcher's day as one document: who works, what is planned, what is nobody's, what needs a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from schemas.entities.base import iso
from server.actions.board_items import Item, device_item, letter, nobodys_item, technician_item, visit_item
from server.actions.file_states import awaiting
from server.actions.judge_routes import Broken, Driving, Judged
from server.actions.kind_titles import titles
from server.actions.planning_problem import NOT_BEGUN, may_have_started, working_day
from server.actions.publish_plan import MADE_FROM, judge_day, judge_places
from server.actions.shown_day import (
    Row,
    ShownDay,
    changed_visits,
    difference,
    is_published_at,
    may_leave,
    shown_day,
    whose,
)
from server.domain.local_time import local_date
from server.problems import not_found
from server.store.models import DeviceNotice, Visit
from server.store.queries import conflicts, drafts, files, fleet, planning
from server.store.queries.filters import day_bounds
from server.store.transaction import snapshot
from server.text import say

AT_WORK = ("on_site", "working")
"""Where nobody can be at two visits at once; one that is paused may wait for the other."""
UNSCHEDULED_LIMIT = 400
BRANCH_FIELDS = ("id", "name", "city", "tz", "lat", "lon", "locale", "currency")


def read_board(company_id: str, day: date, branch_id: str, *, now: datetime, locale: str) -> Item:
    """The board of one branch and local day, as of one moment; raises Problem `not-found` for an unknown branch."""
    with snapshot():
        return _board(company_id, day, branch_id, now, locale)


def _board(company_id: str, day: date, branch_id: str, now: datetime, locale: str) -> Item:
    branch = planning.branch(company_id, branch_id)
    if branch is None:
        raise not_found()
    open_conflicts = conflicts.open_count(company_id)
    notices = fleet.open_notices(company_id)
    shown = shown_day(company_id, branch, day, now=now)
    judged = judge_day(shown, now)
    nobodys = _nobodys(company_id, shown)
    reasons = _reasons(company_id, shown, now)
    ids = [*(place.visit.id for place in shown.places), *(row[0].id for row in nobodys)]
    clashes = conflicts.open_by_visit(company_id, ids)
    missing = awaiting(company_id, [place.visit for place in shown.places])
    called = titles(company_id, locale)
    broken: dict[str, list[Broken]] = {}
    for one in judged.broken:
        broken.setdefault(one.visit_id, []).append(one)

    visits = [
        visit_item(
            place,
            shown.devices.get(place.technician_id),
            broken.get(place.visit.id, []),
            judged.driving.get(place.technician_id, Driving()).legs.get(place.visit.id),
            clashes.get(place.visit.id, 0),
            now,
            called,
        )
        | {"awaiting_media": missing.get(place.visit.id, 0)}
        for place in shown.places
    ]
    unscheduled = [
        nobodys_item(
            row,
            reasons.of.get(row[0].id, []),
            reasons.are_stale,
            clashes.get(row[0].id, 0),
            day,
            branch.tz,
            called,
        )
        for row in nobodys
    ]
    technicians = [
        technician_item(
            one,
            letter(n),
            branch,
            day,
            judged.pauses.get(one.id),
            judged.driving.get(one.id, Driving()),
            device_item(shown.devices.get(one.id), visits, notices, now),
            visits,
        )
        for n, one in enumerate(shown.people)
    ]
    return {
        "date": day.isoformat(),
        "branch": {name: getattr(branch, name) for name in BRANCH_FIELDS},
        "now": iso(now),
        "technicians": technicians,
        "visits": visits,
        "unscheduled": unscheduled,
        "reasons_at": iso(reasons.made_at) if reasons.made_at else None,
        "draft": _draft_summary(shown, judged, now),
        "unpublished": _unpublished(company_id, shown, now),
        "conflicts_open": open_conflicts,
        "attention": _attention(
            open_conflicts, files.quarantined(company_id), visits, technicians, unscheduled, locale, notices
        ),
        "totals": _totals(visits, technicians, judged.driven()),
    }


def _nobodys(company_id: str, shown: ShownDay) -> list[Row]:
    """What could be done on the day and is nobody's: due by then and in no draft, or taken off by the day's draft."""
    rows = planning.unscheduled(company_id, shown.branch.id, shown.day, UNSCHEDULED_LIMIT)
    rows = [row for row in rows if row[0].id not in shown.drafted]
    return rows + planning.rows_of(company_id, shown.taken.keys() - {row[0].id for row in rows})


@dataclass(frozen=True, kw_only=True)
class Reasons:
    """Why visits found no place on the day, by the newest plan of the day; stale when the day is another since."""

    of: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    are_stale: bool = False
    made_at: datetime | None = None


def _reasons(company_id: str, shown: ShownDay, now: datetime) -> Reasons:
    """A reason belongs to the plan that made it and to its days; of what has changed itself it says nothing more."""
    plan = next(iter(drafts.plans_on(company_id, shown.branch.id, shown.day)), None)
    if plan is None:
        return Reasons()
    found = {row.visit_id: row.reasons for row in planning.unassigned(company_id, plan.id)}
    if not found:
        return Reasons()
    people = {one.id for one in shown.people}
    changed = planning.changed_since(company_id, found.keys() | people, plan.created_at)
    # That the plan took a visit off its route is what the reason is about.
    about = MADE_FROM - {"plan_state", "assignee_id", "planned_start"}
    kept = {visit_id: why for visit_id, why in found.items() if not changed.get(visit_id, set()) & about}
    stops = {stop.visit_id: stop for stop in planning.stops(company_id, plan.id) if stop.date == shown.day}
    free = [
        place
        for place in shown.places
        if place.visit.exec_state in NOT_BEGUN
        and not may_have_started(place.visit, shown.devices.get(place.technician_id), now)
    ]
    same = {place.visit.id: (place.technician_id, place.start) for place in free}
    then = {visit_id: (stop.technician_id, stop.start_at) for visit_id, stop in stops.items() if visit_id in same}
    by_hand = any(stop.why.get("code") == "by-hand" for stop in stops.values())
    is_stale = same != then or by_hand or any(changed.get(one) for one in people)
    return Reasons(of=kept, are_stale=is_stale, made_at=plan.created_at)


def _draft_summary(shown: ShownDay, judged: Judged, now: datetime) -> Item | None:
    """What publishing the day would do, in the figures that the review shows too; None when nothing is to be told."""
    changes = shown.changes()
    if not changes:
        return None
    before = judge_places(shown, shown.told, now).driven()
    return {
        "plan_id": shown.plan.id if shown.plan else None,
        "changes": changed_visits(changes),
        "technicians": len(changes),
        "unassigned": len(shown.taken),
        "delta_m": judged.driven().metres - before.metres,
    }


def _unpublished(company_id: str, shown: ShownDay, now: datetime) -> list[Item]:
    """Every day from today on that has something nobody has been told of, with how many visits."""
    branch, staff = shown.branch, {one.id: one for one in shown.people}
    today = local_date(now, branch.tz)
    left = planning.visits(company_id, _left_out(company_id, shown, today) - shown.drafted.keys())
    visits = planning.visits(company_id, shown.drafted)
    planned = drafts.planned_only(company_id, branch.id, day_bounds(today, branch.tz)[0])
    moves: dict[date, list[tuple[Visit, str, datetime]]] = {}
    taken: dict[date, list[Visit]] = {}
    for visit_id, stop in shown.drafted.items():
        visit = visits.get(visit_id)
        if visit is None or is_published_at(visit, stop.technician_id, stop.start_at):
            continue
        days = {stop.date}
        if visit.plan_state in ("published", "planned") and visit.planned_start:
            days.add(working_day(staff.get(whose(visit) or ""), visit.planned_start, branch.tz))
        for each in days:
            moves.setdefault(each, []).append((visit, stop.technician_id, stop.start_at))
    for visit in planned:
        if visit.id not in shown.drafted and visit.id not in left and visit.planned_start and visit.assignee_id:
            on = working_day(staff.get(visit.assignee_id), visit.planned_start, branch.tz)
            moves.setdefault(on, []).append((visit, visit.assignee_id, visit.planned_start))
    for visit in left.values():
        if visit.planned_start and may_leave(visit):
            on = working_day(staff.get(visit.assignee_id or ""), visit.planned_start, branch.tz)
            taken.setdefault(on, []).append(visit)
    found = []
    for on in sorted(moves.keys() | taken.keys()):
        n = changed_visits(difference(moves.get(on, ()), taken.get(on, ())))
        if n and on >= today:
            found.append({"date": on.isoformat(), "changes": n})
    return found


def _left_out(company_id: str, shown: ShownDay, today: date) -> set[str]:
    """Visits that drafts of today and of coming days leave out."""
    plans = [one.id for one in shown.plans if one.date + timedelta(days=one.horizon_days) > today]
    return {row.visit_id for row in drafts.unassigned_of(company_id, plans)}


def _attention(
    waiting: int,
    held: int,
    visits: list[Item],
    technicians: list[Item],
    unscheduled: list[Item],
    locale: str,
    notices: list[DeviceNotice],
) -> list[Item]:
    found: list[tuple[str, Item, str]] = []
    if waiting:
        found.append(("conflicts-open", {"n": waiting}, "/conflicts"))
    if held:
        found.append(("files-quarantined", {"n": held}, "/files"))
    holders = {one["device"]["id"]: one["name"] for one in technicians if one["device"]["id"]}
    for notice in notices:
        if notice.device_id is None or notice.device_id in holders:
            whose = f"{holders[notice.device_id]}: " if notice.device_id else ""
            told = {"text": whose + say("device", notice.kind, notice.params, locale)}
            found.append((f"device-{notice.kind}", told, "/devices"))
    for one in technicians:
        if one["device"]["clock_is_wrong"]:
            minutes = round(abs(one["device"]["clock_offset_s"]) / 60)
            found.append(("clock-wrong", {"name": one["name"], "n": minutes}, "/devices"))
    for one in technicians:
        begun = [item for item in visits if item["assignee_id"] == one["id"] and item["exec_state"] in AT_WORK]
        if len(begun) > 1:
            sites = [item["site"]["name"] for item in begun]
            params: Item = {"name": one["name"], "n": len(begun), "sites": sites}
            found.append(("two-at-once", params, f"visit:{begun[-1]['id']}"))
    for item in visits:
        if item["at_risk"] or item["late_s"]:
            found.append(("promise-at-risk", _named(item), f"visit:{item['id']}"))
    for one in technicians:
        if one["device"]["state"] == "quiet" and any(
            item["assignee_id"] == one["id"] and item["may_have_started"] for item in visits
        ):
            found.append(("tablet-quiet", {"name": one["name"]}, f"technician:{one['id']}"))
    for item in unscheduled:
        if item["group"] == "must":
            found.append(("must-today", _named(item), f"visit:{item['id']}"))
    return [
        {"code": code, "params": params, "text": params.get("text") or say("board", code, params, locale), "link": link}
        for code, params, link in found[:50]
    ]


def _totals(visits: list[Item], technicians: list[Item], driving: Driving) -> Item:
    minutes = sum(item["service_minutes"] for item in visits)
    preventive = sum(item["service_minutes"] for item in visits if item["origin"] in ("plan", "proactive"))
    overtime = 0.0
    for one in technicians:
        ends = [item["planned_end"] for item in visits if item["assignee_id"] == one["id"] and item["planned_end"]]
        if one["shift"] and ends:
            over = datetime.fromisoformat(max(ends)) - datetime.fromisoformat(one["shift"]["end"])
            overtime += max(over.total_seconds(), 0)
    return {
        "driving_s": driving.seconds,
        "driving_m": driving.metres,
        "promises_at_risk": sum(1 for item in visits if item["at_risk"] or item["late_s"]),
        "proactive_share": round(preventive / minutes, 3) if minutes else None,
        "overtime_s": int(overtime),
    }


def _named(item: Item) -> Item:
    return {"site": item["site"]["name"], "number": item["number"]}
