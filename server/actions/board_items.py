"""What the board shows of one visit, one technician and one tablet, in the reader's language."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from schemas.entities.base import iso
from schemas.office import reason_in
from server.actions.judge_routes import Broken, Driving, Pause
from server.actions.kind_titles import Titles
from server.actions.planning_problem import local_span, may_have_started, shift_on
from server.actions.read_fleet import signs_of
from server.actions.shown_day import Place, Row, whose
from server.config import APP_VERSION
from server.domain.fleet import clock_is_wrong, is_older, state_of, unsent_estimate
from server.domain.local_time import local_date
from server.store.models import Branch, Device, DeviceNotice, Technician
from server.text import say
from sync.states import OVER

Item = dict[str, Any]
SITE_FIELDS = (
    "id", "name", "address", "city", "lat", "lon", "contact_name", "contact_phone", "access_note", "danger_note",
)  # fmt: skip
WAITING = frozenset(
    {"no-skill", "certificate-expired", "missing-geo", "territory", "site-not-ready", "parts-missing", "locked"}
)
"""Reasons that only somebody else can lift: such a visit waits, whatever the routes look like."""


def visit_item(
    place: Place,
    device: Device | None,
    broken: list[Broken],
    leg: tuple[int, int] | None,
    conflicts: int,
    now: datetime,
    titles: Titles,
) -> Item:
    """A visit in a row; `leg`: seconds and metres of driving to it, as the day stands."""
    visit, stop, locale = place.visit, place.stop, titles.locale
    item = _summary((visit, place.site, place.customer), conflicts, titles)
    item |= {
        "assignee_id": place.technician_id,
        "planned_start": iso(place.start),
        "planned_end": iso(place.end),
        "draft": not place.is_told and visit.exec_state == "not_started",
        "broken": [one.told(locale) for one in broken],
    }
    if stop is not None:
        item |= {
            "route_position": stop.position,
            "travel_s": stop.travel_s,
            "travel_m": stop.travel_m,
            "why": reason_in(say, "route", stop.why, locale),
        }
    if leg is not None:
        item["travel_s"], item["travel_m"] = leg
    item["may_have_started"] = may_have_started(visit, device, now)
    limit = min((one for one in (visit.promised_by, visit.window_end) if one), default=None)
    done = visit.exec_state in OVER
    arrived = visit.started_at or place.start
    item["late_s"] = int((arrived - limit).total_seconds()) if limit and arrived > limit else 0
    item["at_risk"] = bool(limit and not done and limit - max(place.start, now) < timedelta(minutes=15))
    return item


def nobodys_item(
    row: Row, reasons: list[Item], is_stale: bool, conflicts: int, day: date, tz: str, titles: Titles
) -> Item:
    """A visit that is nobody's on the day, with why; reasons that need not hold any more are marked `stale`."""
    visit = row[0]
    told = [(reason_in(say, "route", reason, titles.locale) or {}) | {"stale": is_stale} for reason in reasons]
    must = (visit.hard_due and visit.due_to is not None and visit.due_to <= day) or visit.priority == 3
    must = must or bool(visit.promised_by and local_date(visit.promised_by, tz) <= day)
    waits = bool(reasons) and not is_stale and all(reason["code"] in WAITING for reason in reasons)
    return _summary(row, conflicts, titles) | {
        "assignee_id": None,
        "planned_start": None,
        "planned_end": None,
        "broken": [],
        "due_from": visit.due_from.isoformat() if visit.due_from else None,
        "due_to": visit.due_to.isoformat() if visit.due_to else None,
        "hard_due": visit.hard_due,
        "reasons": told,
        "group": "must" if must else "waiting" if waits else "fits",
        "at_risk": False,
        "late_s": 0,
        "may_have_started": False,
    }


def _summary(row: Row, conflicts: int, titles: Titles) -> Item:
    (visit, site, customer), locale = row, titles.locale
    decided = visit.coverage
    coverage: Item = {}
    if decided is not None:
        coverage = {
            "outcome": decided.outcome,
            "amount": decided.amount,
            "currency": decided.currency,
            "reason": reason_in(say, "coverage", decided.reason, locale),
            "lines": [line | {"reason": reason_in(say, "coverage", line["reason"], locale)} for line in decided.lines],
            "rules": [
                rule | {"reason": reason_in(say, "coverage", rule["reason"], locale)} for rule in decided.considered
            ],
        }
        coverage["text"] = coverage["reason"]["text"]
    return {
        "id": visit.id,
        "number": visit.number,
        "version": None,
        "title": titles.of(visit),
        "kind": visit.kind,
        "origin": visit.origin,
        "symptom": visit.symptom,
        "instructions": visit.instructions,
        "site": {name: getattr(site, name) for name in SITE_FIELDS},
        "customer_name": customer.name,
        "assignee_id": whose(visit),
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
        "conflicts": conflicts,
        "draft": False,
        "photos": len({entry["sha256"] for entry in visit.attachments or ()}),
        "awaiting_media": 0,
        "service_minutes": visit.service_minutes,
    }


def technician_item(
    one: Technician,
    sign: str,
    branch: Branch,
    day: date,
    pause: Pause,
    driving: Driving,
    device: Item,
    visits: list[Item],
) -> Item:
    """A row: who, from when to when, the break where the day as it stands has put it."""
    shift = shift_on(one, day)
    own = [item for item in visits if item["assignee_id"] == one.id]
    span = None
    if shift:
        begins, ends = local_span(day, shift["start"], shift["end"], branch.tz)
        span = {"start": _clock(begins), "end": _clock(ends), "break_start": None, "break_end": None}
        if pause is not None:
            span |= {"break_start": iso(pause[0]), "break_end": iso(pause[1])}
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
        "travel_km": round(driving.metres / 1000, 1),
    }


def device_item(device: Device | None, visits: list[Item], notices: list[DeviceNotice], now: datetime) -> Item:
    """A technician's tablet."""
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


def letter(n: int) -> str:
    """A, B … Z, AA, AB …: the sign of the n-th technician on the map and in the rows."""
    return (letter(n // 26 - 1) if n >= 26 else "") + chr(ord("A") + n % 26)


def _iso(moment: datetime | None) -> str | None:
    return iso(moment) if moment is not None else None


def _clock(seconds: int) -> str:
    return iso(datetime.fromtimestamp(seconds, ZoneInfo("UTC")))
