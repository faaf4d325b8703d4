"""Who goes where on one day: the product's own planner without its search, so that a day is quick and repeats."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from routing.explain import explained
from routing.frame import build_frame
from routing.plan import Plan
from routing.problem import Break, TechnicianDay, Visit, Window, build_problem
from routing.repair import repair
from routing.solve import plan_of
from server.actions.planning_problem import local_instant, local_span
from server.demo.jobs import Job
from server.demo.world import Branch, Technician


def plan_day(
    branch: Branch, day: date, jobs: Sequence[Job], technicians: Sequence[Technician], *, explain: bool = False
) -> Plan:
    """Routes of one day by regret insertion; `explain` adds why each stop is where it is, or nowhere."""
    shifts = [shift for one in technicians if (shift := _shift(branch, one, day)) is not None]
    problem = build_problem([_visit(job) for job in jobs], shifts)
    frame = build_frame(problem)
    plan = plan_of(frame, repair(frame, [[] for _ in shifts], rounds=1))
    assert plan is not None
    return explained(problem, plan, frame) if explain else plan


def on_duty(technicians: Sequence[Technician], day: date) -> list[Technician]:
    """Those whose week has a shift on this day."""
    return [one for one in technicians if any(shift["weekday"] == day.weekday() for shift in one.shifts)]


def _shift(branch: Branch, one: Technician, day: date) -> TechnicianDay | None:
    shift = next((each for each in one.shifts if each["weekday"] == day.weekday()), None)
    if shift is None:
        return None
    start, end = local_span(day, shift["start"], shift["end"], branch.tz)
    at = local_instant(day, shift["break_start"], branch.tz)
    return TechnicianDay(
        technician=one.id,
        date=day,
        start=one.starts_at,
        end=one.starts_at,
        shift_start=start,
        shift_end=end,
        pause=Break(earliest=at - 1800, latest=at + 1800, length_s=shift["break_minutes"] * 60),
        skills=one.skills,
        branch=branch.id,
        max_overtime_s=0,
        name=one.name,
    )


def _visit(job: Job) -> Visit:
    windows: tuple[Window, ...] = ()
    if job.window:
        windows = (Window(start=int(job.window[0].timestamp()), end=int(job.window[1].timestamp())),)
    return Visit(
        id=job.id,
        point=(job.site.lat, job.site.lon),
        service_s=job.minutes * 60,
        windows=windows,
        skills=dict.fromkeys(job.skills, 1),
        priority=job.priority,
        label=job.site.name,
    )
