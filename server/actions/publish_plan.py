"""A draft becomes what people drive: its visits change like by any other writer, so that the tablets hear of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from server.actions.day_draft import draft_of_day
from server.actions.decide_coverage import Agreements, decide_coverage, moved_day
from server.actions.judge_routes import Broken, Judged, Standing, judge_routes
from server.actions.planning_problem import NOT_BEGUN, may_have_started
from server.actions.shown_day import Changes, Place, ShownDay, difference, is_published_at, may_leave, shown_day
from server.extensions import db
from server.problems import Problem, not_found
from server.store.models import Device, RoutePlan, RouteStop, RouteUnassigned, Visit
from server.store.queries import drafts, planning
from server.store.stored import lock_documents
from server.store.transaction import snapshot, transactional
from server.store.types import new_id

MADE_FROM = frozenset(
    {
        "plan_state", "assignee_id", "planned_start", "site_id", "skills", "service_minutes", "window_start",
        "window_end", "promised_by", "due_from", "due_to", "hard_due",
    }
)  # fmt: skip
"""Fields of a visit that a draft was made from."""


def changes_of(company_id: str, plan_id: str) -> list[Changes]:
    """The difference between a plan and what is published, technician by technician."""
    plan = planning.plan(company_id, plan_id)
    if plan is None:
        raise not_found()
    stops = planning.stops(company_id, plan_id)
    left = planning.unassigned(company_id, plan_id)
    visits = planning.visits(company_id, [*(stop.visit_id for stop in stops), *(row.visit_id for row in left)])
    moves = [(visits[stop.visit_id], stop.technician_id, stop.start_at) for stop in stops if stop.visit_id in visits]
    return difference(moves, [visits[row.visit_id] for row in left if row.visit_id in visits])


@transactional
def publish_plan(company_id: str, plan_id: str, *, now: datetime, accepted: Collection[str] = ()) -> RoutePlan:
    """Publish a draft whole, or not at all.

    Raises Problem `plan-not-draft`; `plan-stale` when what happened since it was made contradicts it: a visit was
    cancelled, begun, locked, given to somebody or changed so that the draft was made from what is no longer true;
    `plan-breaks-rules` when it breaks rules that are not among the `accepted` (tokens of what the person has seen).
    """
    plan = planning.plan(company_id, plan_id, lock=True)
    if plan is None:
        raise not_found()
    if plan.state != "draft":
        raise Problem(409, "plan-not-draft")
    return _publish(plan, planning.stops(company_id, plan_id), planning.unassigned(company_id, plan_id), now, accepted)


@transactional
def publish_day(
    company_id: str, branch_id: str, day: date, *, user_id: str | None, now: datetime, accepted: Collection[str] = ()
) -> RoutePlan:
    """Publish all of one day that nobody has been told of; other days of the same draft stay a draft.

    What the draft moves from this day to another goes along. Raises Problem `nothing-to-publish`, and as
    `publish_plan` does.
    """
    branch = planning.branch(company_id, branch_id, lock=True)
    if branch is None:
        raise not_found()
    shown = shown_day(company_id, branch, day, now=now)
    if not shown.changes():
        raise Problem(409, "nothing-to-publish")
    plan = draft_of_day(company_id, shown, user_id=user_id, now=now)
    plan = planning.plan(company_id, plan.id, lock=True) or plan
    if plan.state != "draft":
        raise Problem(409, "plan-not-draft")
    every, left = planning.stops(company_id, plan.id), planning.unassigned(company_id, plan.id)
    here = [stop for stop in every if stop.date == day or stop.visit_id in shown.away]
    taken = [row for row in left if row.visit_id in shown.taken]
    if len(here) < len(every):
        plan = _part_of(plan, day, here, [row for row in left if row.visit_id not in shown.taken], taken)
        here, taken = planning.stops(company_id, plan.id), planning.unassigned(company_id, plan.id)
    else:
        taken = left
    return _publish(plan, here, taken, now, accepted)


def _part_of(
    whole: RoutePlan,
    day: date,
    stops: Sequence[RouteStop],
    kept: Sequence[RouteUnassigned],
    taken: Sequence[RouteUnassigned],
) -> RoutePlan:
    """One day of a draft as a draft of its own; the reasons of what found no place in either are in both."""
    part = RoutePlan(
        company_id=whole.company_id,
        id=new_id(),
        branch_id=whole.branch_id,
        date=day,
        horizon_days=1,
        state="draft",
        seed=whole.seed,
        objective=whole.objective,
        created_at=whole.created_at,
        created_by=whole.created_by,
    )
    db.session.add(part)
    db.session.flush()
    drafts.move_stops(whole.company_id, whole.id, part.id, [stop.visit_id for stop in stops])
    for row in (*kept, *taken):
        db.session.add(
            RouteUnassigned(
                company_id=row.company_id, plan_id=part.id, visit_id=row.visit_id, reasons=row.reasons
            )
        )  # fmt: skip
    for row in taken:
        db.session.delete(row)
    db.session.flush()
    return part


def _publish(
    plan: RoutePlan,
    stops: Sequence[RouteStop],
    left: Sequence[RouteUnassigned],
    now: datetime,
    accepted: Collection[str],
) -> RoutePlan:
    company_id = plan.company_id
    ids = [*(stop.visit_id for stop in stops), *(row.visit_id for row in left)]
    lock_documents(db.session(), company_id, ids)
    visits = planning.visits(company_id, ids, fresh=True)
    devices = planning.devices_of(company_id, {visit.assignee_id for visit in visits.values() if visit.assignee_id})
    changed = planning.changed_since(company_id, ids, plan.created_at)
    places: dict[str, RouteStop | None] = {row.visit_id: None for row in left}
    places |= {stop.visit_id: stop for stop in stops}
    stale = [
        visit_id
        for visit_id, stop in places.items()
        if _is_stale(visits.get(visit_id), stop, changed.get(visit_id, set()), devices, now)
    ]
    if stale:
        raise Problem(409, "plan-stale", n=len(stale), visits=stale)
    broken = broken_by(plan, {stop.date for stop in stops}, now=now)
    unseen = [one for one in broken if one.token not in accepted]
    if unseen:
        raise Problem(409, "plan-breaks-rules", n=len(unseen), members={"broken": [one.token for one in unseen]})
    agreed = Agreements(company_id)
    agreed.know(visits.values())
    for stop in stops:
        _give(visits[stop.visit_id], stop, now, agreed)
    for row in left:
        visit = visits.get(row.visit_id)
        if visit is not None and visit.plan_state in ("published", "planned") and may_leave(visit):
            visit.plan_state = "due"
            visit.assignee_id = None
            visit.planned_start = visit.planned_end = visit.route_position = None
            visit.travel_s = visit.travel_m = visit.why = None
    plan.state = "published"
    plan.published_at = now
    if broken:
        # Who published it knew of these.
        plan.objective = plan.objective | {"accepted": [one.told("en") for one in broken]}
    return plan


@dataclass(frozen=True, kw_only=True)
class Review:
    """What publishing a day would change and leave broken."""

    changes: list[Changes]
    broken: list[Broken]


def review_day(company_id: str, branch_id: str, day: date, *, now: datetime) -> Review:
    """What a person looks at before a day is published; raises Problem `not-found`."""
    with snapshot():
        branch = planning.branch(company_id, branch_id)
        if branch is None:
            raise not_found()
        shown = shown_day(company_id, branch, day, now=now)
        return Review(changes=shown.changes(), broken=broken_on(shown, now))


def broken_by(plan: RoutePlan, days: Iterable[date], *, now: datetime) -> list[Broken]:
    """The rules that publishing days of a draft would break."""
    branch = planning.branch(plan.company_id, plan.branch_id) if plan.branch_id else None
    found: list[Broken] = []
    for day in sorted(days) if branch is not None else ():
        found += broken_on(shown_day(plan.company_id, branch, day, now=now), now)  # type: ignore[arg-type]
    return found


def broken_on(shown: ShownDay, now: datetime) -> list[Broken]:
    """The rules that publishing a day would break: those that stand broken already were published knowingly."""
    before = [(one.token, one.params) for one in judge_places(shown, shown.told, now).broken]
    return [one for one in judge_day(shown, now).broken if (one.token, one.params) not in before]


def judge_day(shown: ShownDay, now: datetime) -> Judged:
    """A shown day before the judge."""
    return judge_places(shown, shown.places, now)


def judge_places(shown: ShownDay, places: Iterable[Place], now: datetime) -> Judged:
    """Some places of a day before the judge."""
    standing = [
        Standing(visit=one.visit, site=one.site, technician_id=one.technician_id, start=one.start, end=one.end)
        for one in places
    ]
    return judge_routes(shown.branch, shown.day, shown.people, standing, shown.devices, now)


def _is_stale(
    visit: Visit | None, stop: RouteStop | None, changed: set[str], devices: Mapping[str, Device], now: datetime
) -> bool:
    """Whether what happened since makes the draft wrong about a visit; `stop` is None for one that it leaves out."""
    if visit is None or visit.plan_state in ("cancelled", "merged"):
        return stop is not None
    stays = stop is not None and is_published_at(visit, stop.technician_id, stop.start_at)
    if stays:
        return False
    if stop is None and visit.plan_state != "published":
        return False
    if visit.exec_state not in NOT_BEGUN:
        return stop is not None and visit.assignee_id != stop.technician_id
    if visit.locked or may_have_started(visit, devices.get(visit.assignee_id or ""), now):
        return stop is not None
    return bool(changed & MADE_FROM)


def _give(visit: Visit, stop: RouteStop, now: datetime, agreed: Agreements) -> None:
    visit.route_position = stop.position
    visit.travel_s, visit.travel_m, visit.why = stop.travel_s, stop.travel_m, stop.why
    if visit.exec_state not in NOT_BEGUN or is_published_at(visit, stop.technician_id, stop.start_at):
        return
    before = visit.planned_start
    visit.assignee_id = stop.technician_id
    visit.planned_start = stop.start_at
    visit.planned_end = stop.end_at
    visit.plan_state = "published"
    if moved_day(visit, before):
        decide_coverage(visit, now=now, agreed=agreed)


@transactional
def discard_plan(company_id: str, plan_id: str) -> None:
    """Drop a draft; what is published stays as it is."""
    plan = planning.plan(company_id, plan_id, lock=True)
    if plan is None:
        raise not_found()
    if plan.state != "draft":
        raise Problem(409, "plan-not-draft")
    plan.state = "discarded"


@transactional
def discard_day(company_id: str, branch_id: str, day: date, *, now: datetime) -> None:
    """Drop what a draft makes of one day; its other days stay a draft, and what is published stays as it is.

    Raises Problem `not-found`, `plan-not-draft` where the day has no draft.
    """
    branch = planning.branch(company_id, branch_id, lock=True)
    if branch is None:
        raise not_found()
    shown = shown_day(company_id, branch, day, now=now)
    plan = planning.plan(company_id, shown.plan.id, lock=True) if shown.plan else None
    if plan is None or plan.state != "draft":
        raise Problem(409, "plan-not-draft")
    kept = 0
    for stop in planning.stops(company_id, plan.id):
        if stop.date == day or stop.visit_id in shown.away:
            db.session.delete(stop)
        else:
            kept += 1
    for row in planning.unassigned(company_id, plan.id):
        if row.visit_id in shown.taken:
            db.session.delete(row)
    if not kept:
        plan.state = "discarded"
