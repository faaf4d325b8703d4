"""The draft of a day: found, or made from the day as it stands, so that it can be changed and published."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from server.actions.shown_day import ShownDay
from server.extensions import db
from server.store.models import RoutePlan, RouteStop, Visit
from server.store.queries import planning
from server.store.types import new_id

BY_HAND: dict[str, Any] = {"code": "by-hand", "params": {}}


def draft_of_day(company_id: str, shown: ShownDay, *, user_id: str | None, now: datetime) -> RoutePlan:
    """The day's draft with a stop for every visit that stands on the day, inside of the open transaction."""
    plan = shown.plan
    if plan is None:
        plan = RoutePlan(
            company_id=company_id,
            id=new_id(),
            branch_id=shown.branch.id,
            date=shown.day,
            horizon_days=1,
            state="draft",
            seed=0,
            objective={},
            created_at=now,
            created_by=user_id,
        )
        db.session.add(plan)
        db.session.flush()
    # Work that has begun stands on the day without its stop, and may have one in the draft all the same.
    there = {stop.visit_id for stop in planning.stops(company_id, plan.id)}
    for place in shown.places:
        if place.visit.id not in there and place.stop is None and place.visit.assignee_id == place.technician_id:
            db.session.add(stop_for(plan, place.visit, place.technician_id, shown.day, place.start, place.end))
    db.session.flush()
    return plan


def stop_for(plan: RoutePlan, visit: Visit, technician_id: str, day: date, start: datetime, end: datetime) -> RouteStop:
    """A stop at these times; where it stands in its route is worked out with the whole route."""
    return RouteStop(
        company_id=plan.company_id,
        plan_id=plan.id,
        visit_id=visit.id,
        technician_id=technician_id,
        date=day,
        position=visit.route_position or 1,
        arrive_at=start,
        start_at=start,
        end_at=end,
        travel_s=visit.travel_s or 0,
        travel_m=visit.travel_m or 0,
        why=visit.why or BY_HAND,
    )
