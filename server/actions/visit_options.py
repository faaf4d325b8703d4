"""What it costs to put one visit into each technician's day, computed exactly, before anything is moved."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from routing.problem import build_problem
from server.actions.planning_problem import asked_visit, pose
from server.problems import not_found
from server.store.queries import planning, visits
from server.store.transaction import snapshot
from server.text import say

Option = dict[str, Any]


def visit_options(company_id: str, visit_id: str, day: date, *, now: datetime, locale: str) -> list[Option]:
    """The best place for the visit in each technician's day, cheapest first; empty when it fits nowhere.

    `extra_s` is what the whole route grows by in the planner's price, `travel_s` the driving alone.
    """
    with snapshot():
        visit = visits.visit(company_id, visit_id)
        site = visits.site(company_id, visit.site_id) if visit else None
        if visit is None or site is None:
            raise not_found()
        question = pose(company_id, site.branch_id, day, 1, now=now)
        asked = replace(asked_visit(visit, site, question.branch, day, now), pinned=None, current=None)
        device = planning.devices_of(company_id, [one.technician for one in question.problem.days])
    others = [one for one in question.problem.visits if one.id != visit_id]
    problem = build_problem([*others, asked], question.problem.days)
    names = {one.technician: one.name for one in problem.days}
    from routing.insert import best_insertions

    found = best_insertions(
        problem, replace(question, problem=problem).as_it_stands(), visit_id, count=len(problem.days)
    )
    return [
        {
            "technician_id": one.technician,
            "name": names[one.technician],
            "start_at": datetime.fromtimestamp(-(-one.start // 60) * 60, UTC),
            "position": one.position + 1,
            "extra_s": one.extra_s,
            "travel_s": one.extra_travel_s,
            "reachable": one.technician in device,
            "text": say(
                "board",
                "option",
                {"name": names[one.technician], "minutes": round(one.extra_travel_s / 60)},
                locale,
            ),
        }
        for one in found
    ]
