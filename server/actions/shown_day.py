"""A branch's day as the office sees it: what is published, and over it what its draft would make of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from server.actions.planning_problem import NOT_BEGUN, OVER_MIDNIGHT, working_day
from server.domain.local_time import local_date
from server.store.models import Branch, Customer, Device, RoutePlan, RouteStop, RouteUnassigned, Site, Technician, Visit
from server.store.queries import drafts, planning
from server.store.queries.filters import day_bounds

SAME = timedelta(minutes=1)
"""Less than this is not another time."""

Row = tuple[Visit, Site, Customer]


@dataclass(frozen=True, kw_only=True)
class Place:
    """A visit in a technician's row; `stop` is None where no draft speaks of it."""

    visit: Visit
    site: Site
    customer: Customer
    technician_id: str
    start: datetime
    end: datetime
    stop: RouteStop | None = None

    @property
    def is_told(self) -> bool:
        """Whether its technician has been told of just this."""
        return is_published_at(self.visit, self.technician_id, self.start)


@dataclass
class Changes:
    """What a draft changes for one technician; moved visits name where from and where to."""

    technician_id: str
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    moved: list[dict[str, Any]] = field(default_factory=list)

    @property
    def visit_ids(self) -> list[str]:
        return [*self.added, *self.removed, *(move["visit_id"] for move in self.moved)]


@dataclass(frozen=True, kw_only=True)
class ShownDay:
    """One day of a branch: who works, who has what, and what the day's draft takes off it.

    `taken`: published here, and with the draft nobody's, with its reasons. `away`: published here, drafted to another
    day. `drafted`: every visit that an open draft of the branch has a place for. `told`: the day as people know it.
    `plans`: all open drafts of the branch.
    """

    branch: Branch
    day: date
    people: list[Technician]
    devices: Mapping[str, Device]
    plan: RoutePlan | None
    plans: Sequence[RoutePlan]
    places: list[Place]
    taken: dict[str, RouteUnassigned]
    away: dict[str, RouteStop]
    drafted: Mapping[str, RouteStop]
    known: Mapping[str, Visit]
    told: list[Place]

    def changes(self) -> list[Changes]:
        """The difference to what is published, technician by technician: what publishing this day does."""
        moves = [(place.visit, place.technician_id, place.start) for place in self.places]
        moves += [(self.known[one], stop.technician_id, stop.start_at) for one, stop in self.away.items()]
        return difference(moves, [self.known[one] for one in self.taken])


def is_published_at(visit: Visit, technician_id: str, start: datetime) -> bool:
    """Whether a visit is published to that person for that time."""
    if visit.plan_state != "published" or visit.assignee_id != technician_id or visit.planned_start is None:
        return False
    return abs(visit.planned_start - start) < SAME


def may_leave(visit: Visit) -> bool:
    """Whether a plan that has no room for a visit may take it from its technician."""
    return visit.exec_state in NOT_BEGUN and not visit.locked


def difference(moves: Iterable[tuple[Visit, str, datetime]], taken: Iterable[Visit]) -> list[Changes]:
    """What changes for whom when visits go to a technician and time, and others leave theirs; work begun stays."""
    found: dict[str, Changes] = {}

    def of(technician_id: str) -> Changes:
        return found.setdefault(technician_id, Changes(technician_id=technician_id))

    for visit, technician_id, start in moves:
        if visit.exec_state not in NOT_BEGUN or is_published_at(visit, technician_id, start):
            continue
        if visit.plan_state != "published" or visit.assignee_id is None:
            of(technician_id).added.append(visit.id)
        elif visit.assignee_id != technician_id:
            of(technician_id).added.append(visit.id)
            of(visit.assignee_id).removed.append(visit.id)
        else:
            of(technician_id).moved.append({"visit_id": visit.id, "from": visit.planned_start, "to": start})
    for visit in taken:
        if visit.plan_state == "published" and visit.assignee_id and may_leave(visit):
            of(visit.assignee_id).removed.append(visit.id)
    return [found[key] for key in sorted(found)]


def changed_visits(changes: Sequence[Changes]) -> int:
    """How many visits change; one that changes hands is one."""
    return len({one for each in changes for one in each.visit_ids})


def whose(visit: Visit) -> str | None:
    """In whose row a visit stands: the technician's who did it, whoever has it by the plan."""
    return visit.performed_by_id or visit.assignee_id


def end_of(visit: Visit, start: datetime) -> datetime:
    return visit.planned_end or start + timedelta(minutes=visit.service_minutes)


def shown_day(company_id: str, branch: Branch, day: date, *, now: datetime) -> ShownDay:
    """Read a day inside of an open transaction."""
    start, end = day_bounds(day, branch.tz)
    people = planning.technicians(company_id, branch.id)
    staff = {one.id: one for one in people}
    plans, drafted = drafts.open_drafts(company_id, branch.id, min(day, local_date(now, branch.tz)))
    plan = drafts.newest_on(plans, day)
    left = {row.visit_id: row for row in planning.unassigned(company_id, plan.id)} if plan else {}
    rows = {
        row[0].id: row
        for row in planning.board_visits(company_id, branch.id, start, end + OVER_MIDNIGHT)
        if row[0].planned_start and working_day(staff.get(whose(row[0]) or ""), row[0].planned_start, branch.tz) == day
    }
    told = [
        Place(
            visit=visit,
            site=site,
            customer=customer,
            technician_id=str(whose(visit)),
            start=visit.planned_start,
            end=end_of(visit, visit.planned_start),
        )
        for visit, site, customer in rows.values()
        if visit.plan_state == "published" and visit.planned_start
    ]
    here = {visit_id for visit_id, stop in drafted.items() if stop.date == day}
    rows |= {row[0].id: row for row in planning.rows_of(company_id, here - rows.keys())}
    places, taken, away = [], {}, {}
    for visit_id, (visit, site, customer) in rows.items():
        stop = drafted.get(visit_id) if visit.exec_state in NOT_BEGUN else None
        if stop is not None and stop.date != day:
            away[visit_id] = stop
            continue
        if stop is None and visit_id in left and may_leave(visit):
            taken[visit_id] = left[visit_id]
            continue
        begins = stop.start_at if stop else visit.planned_start
        who = stop.technician_id if stop else whose(visit)
        if begins is None or who is None or visit.plan_state in ("cancelled", "merged"):
            continue
        places.append(
            Place(
                visit=visit, site=site, customer=customer, technician_id=who, start=begins,
                end=stop.end_at if stop else end_of(visit, begins), stop=stop,
            )
        )  # fmt: skip
    places.sort(key=lambda place: (place.start, place.visit.id))
    return ShownDay(
        branch=branch,
        day=day,
        people=people,
        devices=planning.devices_of(company_id, staff),
        plan=plan,
        plans=plans,
        places=places,
        taken=taken,
        away=away,
        drafted=drafted,
        told=told,
        known={visit_id: row[0] for visit_id, row in rows.items()},
    )
