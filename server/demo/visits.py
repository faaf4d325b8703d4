"""Visit rows: from a job, the stop it was given and the facts from on site."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from routing.plan import Stop
from schemas.entities.base import parse_instant
from server.actions.decide_coverage import keep, laying
from server.actions.plan_routes import reason_json
from server.demo.jobs import Job
from server.demo.money import decide
from server.demo.work import Facts
from server.demo.world import Branch, Technician, World
from server.store import models
from sync.states import PERFORMED, fold

KEPT_DAYS = 14
"""Finished work stays on the tablets so long."""


def visit_row(
    world: World,
    branch: Branch,
    job: Job,
    number: int,
    *,
    plan_state: str = "due",
    stop: Stop | None = None,
    position: int | None = None,
    technician: Technician | None = None,
    facts: Facts | None = None,
) -> models.Visit:
    """The row of one visit with all that is known of it; inside a transaction, for its coverage is laid down too."""
    row = models.Visit(
        company_id=world.company_id,
        id=job.id,
        number=f"V-{number}",
        origin=job.origin,
        occurrence_id=job.occurrence_id,
        plan_id=job.plan_id,
        kind=job.kind.code,
        title=job.kind.name[branch.locale],
        instructions=job.instructions,
        symptom=job.symptom,
        priority=job.priority,
        site_id=job.site.id,
        customer_id=job.site.customer_id,
        asset_ids=[job.asset.id] if job.asset else [],
        skills=job.skills,
        service_minutes=job.minutes,
        due_from=job.due_from,
        due_to=job.due_to,
        hard_due=job.hard_due,
        window_start=job.window[0] if job.window else None,
        window_end=job.window[1] if job.window else None,
        promised_by=job.window[1] if job.window else None,
        plan_state=plan_state,
        checklist_id=job.kind.checklist_id,
        locked=False,
        request_channel="phone" if job.origin == "request" else None,
        events=[], answers=[], readings=[], notes=[], findings=[], attachments=[], flags=[],
        exec_state="not_started",
        archived=False,
    )  # fmt: skip
    if stop and technician:
        give(row, branch, stop, position, technician)
    if facts:
        write(row, facts)
        finished = facts.finished_at
        row.archived = bool(finished and finished < world.now - timedelta(days=KEPT_DAYS))
    at = row.finished_at or row.started_at or row.planned_start or _noon(branch, job, world.now)
    decision, row.coverage_basis = decide(branch, job, at, row.finished_at)
    row.coverage_id = keep(decision, laying(world.company_id))
    return row


def give(row: models.Visit, branch: Branch, stop: Stop, position: int | None, technician: Technician) -> None:
    """Put a visit on a route."""
    row.assignee_id = technician.id
    row.planned_start = datetime.fromtimestamp(stop.start, UTC)
    row.planned_end = datetime.fromtimestamp(stop.end, UTC)
    row.route_position = position
    row.travel_s, row.travel_m = stop.travel_s, stop.travel_m
    row.why = reason_json(stop.why, branch.tz, row.planned_start.astimezone(ZoneInfo(branch.tz)).date())


def write(row: models.Visit, facts: Facts) -> None:
    """Put the facts on a visit and derive its state from them as the product does."""
    row.events, row.answers, row.readings = facts.events, facts.answers, facts.readings
    row.notes, row.findings = facts.notes, facts.findings
    row.signature, row.work_summary = facts.signature, facts.summary
    done = fold(facts.events)
    row.exec_state = done.state
    row.started_at, row.finished_at = parse_instant(done.started_at), parse_instant(done.finished_at)
    row.performed_by_id = done.performed_by if done.state in PERFORMED else None


def readings_of(row: models.Visit) -> list[models.MeterReading]:
    """The readings of a visit as rows that plans can ask for."""
    return [
        models.MeterReading(
            company_id=row.company_id,
            id=entry["id"],
            asset_id=entry["asset_id"],
            visit_id=row.id,
            meter=entry["meter"],
            value=entry["value"],
            unit=entry["unit"],
            taken_at=parse_instant(entry["at_corrected"]),
        )
        for entry in row.readings
    ]


def _noon(branch: Branch, job: Job, now: datetime) -> datetime:
    return branch.at(max(job.due_from, now.date()), time(12)) if job.due_from else now
