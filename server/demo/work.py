"""What technicians did and wrote down on site: steps, answers, readings, notes, findings, signature."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from routing.plan import Route, Stop
from schemas.entities.base import iso
from server.demo.chance import Chance
from server.demo.jobs import Job
from server.demo.world import Branch, Technician
from sync.states import PERFORMED

OUTCOMES = {"done": 93, "partly_done": 4, "no_access": 3}
OUT_OF_LIMITS = 0.015


@dataclass(kw_only=True)
class Facts:
    """The entries of one visit, in their wire form, with the moments that they show."""

    outcome: str
    events: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    readings: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    signature: dict[str, Any] | None = None
    summary: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class Pen:
    """Writes entries as a technician's tablet would, with the server's stamps."""

    def __init__(self, technician: Technician, chance: Chance) -> None:
        self.chance = chance
        self.stamps = {"by": technician.id, "by_name": technician.name, "device_id": technician.device_id}

    def entry(self, at: datetime, **values: Any) -> dict[str, Any]:
        moment = iso(at)
        return {"id": self.chance.id(at), "at": moment, **values, **self.stamps, "at_corrected": moment}


def work_route(
    branch: Branch,
    technician: Technician,
    route: Route,
    jobs: dict[str, Job],
    chance: Chance,
    until: datetime | None = None,
) -> dict[str, Facts]:
    """Live through a route: each visit begins when the one before has ended; what comes after `until` is left out."""
    pen = Pen(technician, chance)
    free = datetime.fromtimestamp(route.depart, UTC)
    found: dict[str, Facts] = {}
    for stop in route.stops:
        job = jobs[stop.visit_id]
        facts, free = _visit(branch, job, stop, free, pen, until)
        if not facts.events:
            break
        found[stop.visit_id] = facts
        if facts.finished_at is None:
            break
    return found


def _visit(
    branch: Branch, job: Job, stop: Stop, free: datetime, pen: Pen, until: datetime | None
) -> tuple[Facts, datetime]:
    chance = pen.chance
    way = timedelta(seconds=round(stop.travel_s * chance.uniform(0.9, 1.15)))
    leave = max(free, datetime.fromtimestamp(stop.start, UTC) - way - timedelta(minutes=chance.randint(0, 9)))
    # Two visits at one address: still a step of its own, for steps of one moment have no order.
    arrive = leave + max(way, timedelta(seconds=40))
    begin = arrive + timedelta(minutes=chance.randint(1, 4))
    if job.window:
        begin = max(begin, job.window[0])
    spent = timedelta(seconds=round(job.minutes * 60 * chance.uniform(0.72, 1.16)))
    outcome = chance.choices(list(OUTCOMES), list(OUTCOMES.values()))[0]
    if job.kind.code in ("installation", "commissioning"):
        outcome = "done"
    words = branch.words
    here = {"lat": round(job.site.lat + chance.uniform(-2e-4, 2e-4), 6), "lon": round(job.site.lon, 6)}
    if outcome == "no_access":
        finish = arrive + timedelta(minutes=chance.randint(10, 20))
        steps = [("en_route", leave, {}), ("arrived", arrive, here),
                 ("no_access", finish, here | {"reason": chance.choice(words["no_access"])})]  # fmt: skip
    else:
        finish = begin + spent
        last = {"reason": chance.choice(words["partly"])} if outcome == "partly_done" else {}
        steps = [("en_route", leave, {}), ("arrived", arrive, here), ("started", begin, here), (outcome, finish, last)]
    accepted = max(leave - timedelta(minutes=chance.randint(4, 50)), free - timedelta(minutes=30))
    steps.insert(0, ("accepted", accepted, {}))
    facts = Facts(outcome=outcome)
    facts.events = [pen.entry(at, type=kind, **more) for kind, at, more in steps if until is None or at <= until]
    reached = [event["type"] for event in facts.events]
    if "started" in reached:
        facts.started_at = begin
        _write(facts, branch, job, begin, finish, pen, until)
    if outcome in reached:
        facts.finished_at = finish
        if outcome in PERFORMED:
            facts.summary = facts.events[-1].get("reason") or chance.choice(words["summary"])
            if chance.happens(0.62):
                facts.signature = _signature(branch, finish, pen)
    return facts, finish


def _write(
    facts: Facts, branch: Branch, job: Job, begin: datetime, finish: datetime, pen: Pen, until: datetime | None
) -> None:
    chance, words = pen.chance, branch.words
    items = job.kind.items[: len(job.kind.items) // 2] if facts.outcome == "partly_done" else job.kind.items
    step = (finish - begin) / (len(items) + 1)
    for position, item in enumerate(items, start=1):
        at = begin + step * position
        if until is not None and at > until:
            return
        value = _answer(item, job, branch, at, chance)
        if value is None:
            continue
        facts.answers.append(pen.entry(at, item=item["key"], value=value, note=None))
        if item["kind"] == "reading" and job.asset:
            reading = {"asset_id": job.asset.id, "meter": item["meter"], "value": value, "unit": item["unit"]}
            facts.readings.append(pen.entry(at, **reading))
        elif item["kind"] == "measure" and not item["min"] <= value <= item["max"]:
            facts.findings.append(_finding(job, item["key"], words, at, pen))
    if job.asset and job.asset.model.second and chance.happens(0.5):
        second = job.asset.model.second
        value = job.asset.meter(second["code"], begin.date())
        facts.readings.append(
            pen.entry(finish - step / 2, asset_id=job.asset.id, meter=second["code"], value=value, unit=second["unit"])
        )
    if chance.happens(0.3):
        facts.notes.append(pen.entry(finish - step / 3, text=chance.choice(words["note"])))
    if job.asset and chance.happens(0.03):
        facts.findings.append(_finding(job, None, words, finish - step / 3, pen))


def _answer(item: dict[str, Any], job: Job, branch: Branch, at: datetime, chance: Chance) -> Any:
    if item["kind"] == "check":
        return True
    if item["kind"] == "measure":
        return _measured(item, chance)
    if item["kind"] == "reading":
        return job.asset.meter(item["meter"], at.date()) if job.asset else None
    if item["kind"] == "photo":
        return None
    if item["key"] == "fault" and job.symptom:
        return job.symptom
    return chance.choice(branch.words["note"]) if item["mandatory"] or chance.happens(0.3) else None


def _measured(item: dict[str, Any], chance: Chance) -> float:
    """A value as it is met: near the good end of the limits, now and then just outside."""
    low, high = float(item["min"]), float(item["max"])
    # What has no unit is counted: people, pieces.
    places = 0 if item["unit"] is None else 2 if high <= 5 else 1 if high <= 100 else 0
    if chance.happens(OUT_OF_LIMITS):
        return round(high * chance.uniform(1.05, 1.3), places)
    span = min(high - low, max(low, 1) * 20)
    return round(low + span * chance.betavariate(3, 4), places)


def _finding(job: Job, item: str | None, words: dict[str, Any], at: datetime, pen: Pen) -> dict[str, Any]:
    severity = pen.chance.choices(("minor", "major", "critical"), (75, 21, 4))[0]
    asset = job.asset.id if job.asset else None
    return pen.entry(at, asset_id=asset, severity=severity, text=pen.chance.choice(words["finding"]), item=item)


def _signature(branch: Branch, at: datetime, pen: Pen) -> dict[str, Any]:
    """A name written in one or two strokes, as points of the pen with milliseconds."""
    chance = pen.chance
    strokes, x = [], 0.1
    for _ in range(chance.choice((1, 2))):
        tall, waves = chance.uniform(0.15, 0.3), chance.uniform(2, 5)
        points = [
            [round(x + 0.03 * step, 3), round(0.5 + tall * math.sin(step * waves / 3), 3), step * 16]
            for step in range(12)
        ]
        strokes.append(points)
        x += 0.4
    return pen.entry(at, name=chance.choice(branch.people["contacts"]), strokes=strokes)
