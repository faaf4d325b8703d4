"""The dispatcher's day as one document: who works, what is planned, what is nobody's, what needs a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from schemas.entities.base import iso
from schemas.office import reason_in
from server.actions.file_states import awaiting
from server.actions.planning_problem import (
    OVER_MIDNIGHT,
    break_start,
    local_span,
    may_have_started,
    shift_on,
    working_day,
)
from server.actions.read_fleet import signs_of
from server.config import APP_VERSION
from server.domain.fleet import clock_is_wrong, is_older, state_of, unsent_estimate
from server.domain.local_time import local_date
from server.problems import not_found
from server.store.models import Branch, Customer, Device, DeviceNotice, RouteStop, Site, Technician, Visit
from server.store.queries import conflicts, fleet, planning
from server.store.queries.filters import day_bounds
from server.store.transaction import snapshot
from server.text import say
from sync.states import OVER

UNSCHEDULED_LIMIT = 400
BRANCH_FIELDS = ("id", "name", "city", "tz", "lat", "lon", "locale", "currency")
SITE_FIELDS = (
    "id", "name", "address", "city", "lat", "lon", "contact_name", "contact_phone", "access_note", "danger_note",
)  # fmt: skip
WAITING = frozenset(
    {"no-skill", "certificate-expired", "missing-geo", "territory", "site-not-ready", "parts-missing", "locked"}
)
"""Reasons that only somebody else can lift: such a visit waits, whatever the routes look like."""

Row = tuple[Visit, Site, Customer]
Item = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The newest draft that includes the day, by visit."""

    plan_id: str
    stops: dict[str, RouteStop]
    reasons: dict[str, list[dict[str, Any]]]


def read_board(company_id: str, day: date, branch_id: str, *, now: datetime, locale: str) -> Item:
    """The board of one branch and local day, as of one moment; raises Problem `not-found` for an unknown branch."""
    with snapshot():
        return _board(company_id, day, branch_id, now, locale)


def _board(company_id: str, day: date, branch_id: str, now: datetime, locale: str) -> Item:
    branch = planning.branch(company_id, branch_id)
    if branch is None:
        raise not_found()
    start, end = day_bounds(day, branch.tz)
    open_conflicts = conflicts.open_count(company_id)
    people = planning.technicians(company_id, branch_id)
    devices = planning.devices_of(company_id, [one.id for one in people])
    notices = fleet.open_notices(company_id)
    draft = _draft(company_id, branch_id, day)
    staff = {one.id: one for one in people}
    rows = [
        row
        for row in planning.board_visits(company_id, branch_id, start, end + OVER_MIDNIGHT)
        if row[0].planned_start and working_day(staff.get(_whose(row[0]) or ""), row[0].planned_start, branch.tz) == day
    ]
    nobodys = planning.unscheduled(company_id, branch_id, day, UNSCHEDULED_LIMIT)
    if draft:
        drafted = {visit_id for visit_id, stop in draft.stops.items() if stop.date == day}
        rows = [row for row in rows if row[0].id not in draft.stops and row[0].id not in draft.reasons]
        rows += planning.rows_of(company_id, drafted)
        nobodys = [row for row in nobodys if row[0].id not in draft.stops]
        nobodys += planning.rows_of(company_id, draft.reasons.keys() - {row[0].id for row in nobodys})
    reasons = planning.latest_reasons(company_id, [visit.id for visit, _, _ in nobodys])
    if draft:
        reasons |= draft.reasons
    clashes = conflicts.open_by_visit(company_id, [visit.id for visit, _, _ in (*rows, *nobodys)])
    files = awaiting(company_id, [visit for visit, _, _ in rows])

    visits = [
        _visit(row, draft, devices, clashes, now, locale) | {"awaiting_media": files.get(row[0].id, 0)} for row in rows
    ]
    visits.sort(key=lambda item: (item["planned_start"] or "", item["id"]))
    unscheduled = [_nobodys(row, reasons, clashes, day, branch.tz, locale) for row in nobodys]
    technicians = [
        _technician(one, letter(n), branch, day, _device(devices.get(one.id), visits, notices, now), visits)
        for n, one in enumerate(people)
    ]
    return {
        "date": day.isoformat(),
        "branch": {name: getattr(branch, name) for name in BRANCH_FIELDS},
        "now": iso(now),
        "technicians": technicians,
        "visits": visits,
        "unscheduled": unscheduled,
        "draft": _draft_summary(draft, company_id),
        "conflicts_open": open_conflicts,
        "attention": _attention(open_conflicts, visits, technicians, unscheduled, locale, notices),
        "totals": _totals(visits, technicians),
    }


def _is_of_day(visit: Visit, day: date, people: dict[str, Technician], tz: str) -> bool:
    """Whether a visit is planned in a shift of the day."""
    planned = visit.planned_start
    return planned is not None and working_day(people.get(visit.assignee_id or ""), planned, tz) == day


def _whose(visit: Visit) -> str | None:
    """In whose row a visit stands: the technician's who did it, whoever has it by the plan."""
    return visit.performed_by_id or visit.assignee_id


def letter(n: int) -> str:
    """A, B … Z, AA, AB …: the sign of the n-th technician on the map and in the rows."""
    return (letter(n // 26 - 1) if n >= 26 else "") + chr(ord("A") + n % 26)


def _draft(company_id: str, branch_id: str, day: date) -> Draft | None:
    plan = next(iter(planning.drafts_on(company_id, branch_id, day)), None)
    if plan is None:
        return None
    return Draft(
        plan_id=plan.id,
        stops={stop.visit_id: stop for stop in planning.stops(company_id, plan.id)},
        reasons={left.visit_id: left.reasons for left in planning.unassigned(company_id, plan.id)},
    )


def _visit(
    row: Row, draft: Draft | None, devices: dict[str, Device], clashes: dict[str, int], now: datetime, locale: str
) -> Item:
    visit = row[0]
    item = _summary(row, clashes, locale)
    stop = draft.stops.get(visit.id) if draft else None
    if stop is not None:
        published = visit.plan_state == "published" and visit.assignee_id == stop.technician_id
        same = published and _near(visit.planned_start, stop.start_at)
        item |= {
            "assignee_id": stop.technician_id,
            "planned_start": iso(stop.start_at),
            "planned_end": iso(stop.end_at),
            "route_position": stop.position,
            "travel_s": stop.travel_s,
            "travel_m": stop.travel_m,
            "why": reason_in(say, "route", stop.why, locale),
            "draft": not same,
        }
    item["may_have_started"] = may_have_started(visit, devices.get(visit.assignee_id or ""), now)
    limit = min((one for one in (visit.promised_by, visit.window_end) if one), default=None)
    begins = stop.start_at if stop else visit.planned_start
    done = visit.exec_state in OVER
    arrived = visit.started_at or begins
    item["late_s"] = int((arrived - limit).total_seconds()) if limit and arrived and arrived > limit else 0
    item["at_risk"] = bool(limit and begins and not done and limit - max(begins, now) < timedelta(minutes=15))
    return item


def _nobodys(
    row: Row,
    reasons: dict[str, list[dict[str, Any]]],
    clashes: dict[str, int],
    day: date,
    tz: str,
    locale: str,
) -> Item:
    visit = row[0]
    found = reasons.get(visit.id, [])
    told = [reason_in(say, "route", reason, locale) for reason in found]
    must = (visit.hard_due and visit.due_to is not None and visit.due_to <= day) or visit.priority == 3
    must = must or bool(visit.promised_by and local_date(visit.promised_by, tz) <= day)
    waits = bool(found) and all(reason["code"] in WAITING for reason in found)
    return _summary(row, clashes, locale) | {
        "due_from": visit.due_from.isoformat() if visit.due_from else None,
        "due_to": visit.due_to.isoformat() if visit.due_to else None,
        "hard_due": visit.hard_due,
        "reasons": told,
        "group": "must" if must else "waiting" if waits else "fits",
        "at_risk": False,
        "late_s": 0,
        "may_have_started": False,
    }


def _summary(row: Row, clashes: dict[str, int], locale: str) -> Item:
    visit, site, customer = row
    coverage = dict(visit.coverage or {})
    if coverage:
        coverage = {
            "outcome": coverage["outcome"],
            "amount": coverage.get("amount"),
            "currency": coverage.get("currency"),
            "reason": reason_in(say, "coverage", coverage["reason"], locale),
            "rules": [
                rule | {"reason": reason_in(say, "coverage", rule["reason"], locale)} for rule in coverage["rules"]
            ],
        }
        coverage["text"] = coverage["reason"]["text"]
    return {
        "id": visit.id,
        "number": visit.number,
        "version": None,
        "title": visit.title,
        "kind": visit.kind,
        "origin": visit.origin,
        "symptom": visit.symptom,
        "instructions": visit.instructions,
        "site": {name: getattr(site, name) for name in SITE_FIELDS},
        "customer_name": customer.name,
        "assignee_id": _whose(visit),
        "planned_start": _iso(visit.planned_start),
        "planned_end": _iso(visit.planned_end),
        "route_position": visit.route_position,
        "travel_s": visit.travel_s,
        "travel_m": visit.travel_m,
        "why": reason_in(say, "route", visit.why, locale),
        "window_start": _iso(visit.window_start),
        "window_end": _iso(visit.window_end),
        "promised_by": _iso(visit.promised_by),
        "priority": visit.priority,
        "plan_state": visit.plan_state,
        "exec_state": visit.exec_state,
        "started_at": _iso(visit.started_at),
        "finished_at": _iso(visit.finished_at),
        "locked": visit.locked,
        "skills": visit.skills,
        "coverage": coverage or None,
        "flags": visit.flags,
        "conflicts": clashes.get(visit.id, 0),
        "draft": False,
        "photos": len({entry["sha256"] for entry in visit.attachments or ()}),
        "awaiting_media": 0,
        "service_minutes": visit.service_minutes,
    }


def _technician(one: Technician, sign: str, branch: Branch, day: date, device: Item, visits: list[Item]) -> Item:
    shift = shift_on(one, day)
    own = [item for item in visits if item["assignee_id"] == one.id]
    span = None
    if shift:
        begins, ends = local_span(day, shift["start"], shift["end"], branch.tz)
        span = {"start": _clock(begins), "end": _clock(ends), "break_start": None, "break_end": None}
        if shift.get("break_start"):
            pause = break_start(day, shift, branch.tz)
            span |= {"break_start": _clock(pause), "break_end": _clock(pause + shift["break_minutes"] * 60)}
    return {
        "id": one.id,
        "name": one.name,
        "letter": sign,
        "phone": one.phone,
        "shift": span,
        "home": {"lat": one.home_lat, "lon": one.home_lon},
        "skills": one.skills,
        "max_overtime_minutes": one.max_overtime_minutes,
        "device": device,
        "worked_minutes": sum(item["service_minutes"] for item in own),
        "travel_km": round(sum(item["travel_m"] or 0 for item in own) / 1000, 1),
    }


def _device(device: Device | None, visits: list[Item], notices: list[DeviceNotice], now: datetime) -> Item:
    if device is None:
        return {
            "id": None, "state": "never", "last_seen_at": None, "unsent": 0, "clock_offset_s": None,
            "clock_is_wrong": False, "app_version": None, "app_is_old": False, "notices": 0,
        }  # fmt: skip
    signs = signs_of(device)
    begun = sum(item["may_have_started"] for item in visits if item["assignee_id"] == device.technician_id)
    return {
        "id": device.id,
        "state": "fresh" if state_of(signs, now) == "fresh" else "quiet",
        "last_seen_at": _iso(device.last_seen_at),
        "unsent": unsent_estimate(signs, begun),
        "clock_offset_s": device.clock_offset_s,
        "clock_is_wrong": clock_is_wrong(signs),
        "app_version": device.app_version,
        "app_is_old": is_older(device.app_version, APP_VERSION),
        "notices": sum(one.device_id == device.id for one in notices),
    }


def _draft_summary(draft: Draft | None, company_id: str) -> Item | None:
    if draft is None:
        return None
    visits = planning.visits(company_id, draft.stops)
    changed = [
        stop
        for visit_id, stop in draft.stops.items()
        if (visit := visits.get(visit_id)) is not None
        and (
            visit.plan_state != "published"
            or visit.assignee_id != stop.technician_id
            or not _near(visit.planned_start, stop.start_at)
        )
    ]
    drawn = sum(stop.travel_m for stop in draft.stops.values())
    before = sum(visit.travel_m or 0 for visit in visits.values() if visit.plan_state == "published")
    return {
        "plan_id": draft.plan_id,
        "changes": len(changed),
        "technicians": len({stop.technician_id for stop in changed}),
        "unassigned": len(draft.reasons),
        "delta_m": drawn - before,
    }


def _attention(
    waiting: int,
    visits: list[Item],
    technicians: list[Item],
    unscheduled: list[Item],
    locale: str,
    notices: list[DeviceNotice],
) -> list[Item]:
    found: list[tuple[str, Item, str]] = []
    if waiting:
        found.append(("conflicts-open", {"n": waiting}, "/conflicts"))
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
    for item in visits:
        if item["at_risk"] or item["late_s"]:
            found.append(("promise-at-risk", _named(item), f"visit:{item['id']}"))
    for one in technicians:
        if one["device"]["state"] == "quiet" and one["shift"] and any(v["assignee_id"] == one["id"] for v in visits):
            found.append(("tablet-quiet", {"name": one["name"]}, f"technician:{one['id']}"))
    for item in unscheduled:
        if item["group"] == "must":
            found.append(("must-today", _named(item), f"visit:{item['id']}"))
    return [
        {"code": code, "params": params, "text": params.get("text") or say("board", code, params, locale), "link": link}
        for code, params, link in found[:50]
    ]


def _totals(visits: list[Item], technicians: list[Item]) -> Item:
    minutes = sum(item["service_minutes"] for item in visits)
    preventive = sum(item["service_minutes"] for item in visits if item["origin"] in ("plan", "proactive"))
    overtime = 0.0
    for one in technicians:
        ends = [item["planned_end"] for item in visits if item["assignee_id"] == one["id"] and item["planned_end"]]
        if one["shift"] and ends:
            over = datetime.fromisoformat(max(ends)) - datetime.fromisoformat(one["shift"]["end"])
            overtime += max(over.total_seconds(), 0)
    return {
        "driving_s": sum(item["travel_s"] or 0 for item in visits),
        "driving_m": sum(item["travel_m"] or 0 for item in visits),
        "promises_at_risk": sum(1 for item in visits if item["at_risk"] or item["late_s"]),
        "proactive_share": round(preventive / minutes, 3) if minutes else None,
        "overtime_s": int(overtime),
    }


def _near(planned: datetime | None, drafted: datetime) -> bool:
    return planned is not None and abs(planned - drafted) < timedelta(minutes=1)


def _named(item: Item) -> Item:
    return {"site": item["site"]["name"], "number": item["number"]}


def _iso(moment: datetime | None) -> str | None:
    return iso(moment) if moment is not None else None


def _clock(seconds: int) -> str:
    return iso(datetime.fromtimestamp(seconds, ZoneInfo("UTC")))
