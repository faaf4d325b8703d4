"""A day as a person has set it: what the planner made passes as set, and what cannot be kept is named by the judge."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.by_hand import Slot, plan_as_set, route_as_set
from routing.check import check
from routing.plan import StopAfter
from routing.problem import Grant, build_problem
from routing.solve import solve
from tests.routing.builders import HOUR, MINUTE, at, generated, lunch, problem, technician, visit, window


def slots_of(route):
    return [Slot(visit_id=stop.visit_id, start=stop.start, end=stop.end) for stop in route.stops]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 14), st.integers(1, 4))
def test_what_the_planner_made_breaks_no_rule_as_set(seed, visits, technicians):
    """Also where the plan's own break stands elsewhere in the gap: some place for it is always found again."""
    asked = generated(seed, visits, technicians)
    plan = solve(asked, StopAfter(iterations=15), seed=seed)
    inside = build_problem([one for one in asked.visits if one.id in plan.assigned_ids], asked.days)
    routes = [route_as_set(inside, inside.day_by_key[route.key], slots_of(route), at(12.5)) for route in plan.routes]
    assert check(inside, plan_as_set(inside, routes)) == []


def broken(visits, hours, **anna):
    """Codes that stand broken when the visits (half an hour each) begin at these hours."""
    asked = problem(visits, [technician("anna", **anna)])
    slots = [
        Slot(visit_id=one.id, start=at(hour), end=at(hour) + 30 * MINUTE)
        for one, hour in zip(visits, hours, strict=True)
    ]
    route = route_as_set(asked, asked.days[0], slots)
    return {one.code for one in check(asked, plan_as_set(asked, [route]))}


@pytest.mark.parametrize(
    ("code", "visits", "hours", "anna"),
    [
        ("skill-missing", [visit("a", skills={"gas": 1})], [9], {}),
        ("skill-missing", [visit("a", skills={"gas": 2})], [9], {"skills": {"gas": Grant(level=1)}}),
        ("outside-window", [visit("a", windows=(window(9, 10),))], [10.25], {}),
        ("overlap", [visit("a"), visit("b", 20)], [9, 9.25], {}),
        ("too-fast", [visit("a"), visit("b", 30)], [9, 9.6], {}),
        ("before-shift", [visit("a")], [8], {}),
        ("overtime", [visit("a")], [16.5], {}),
        ("break-in-work", [visit("a"), visit("b"), visit("c")], [12, 12.5, 13], {"pause": lunch(12, 12.5)}),
        ("before-due", [visit("a", due_from=at(10))], [9], {}),
        ("after-hard-due", [visit("a", due_to=at(10), hard_due=True)], [11], {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_rule_that_is_broken_by_hand_is_named_and_no_other(code, visits, hours, anna):
    assert broken(visits, hours, **anna) == {code}


def test_the_break_stands_in_the_gap_nearest_to_its_hour():
    asked = problem([visit("a"), visit("b")], [technician("anna", pause=lunch(11, 14, 30))])
    slots = [
        Slot(visit_id="a", start=at(12), end=at(13)),
        Slot(visit_id="b", start=at(14), end=at(15)),
    ]
    route = route_as_set(asked, asked.days[0], slots, at(12.75))
    assert route.pause_start == at(13)
    early = route_as_set(asked, asked.days[0], slots, at(11))
    assert early.pause_start == at(11)


def test_the_way_home_after_the_last_work_leaves_room_for_the_break():
    asked = problem([visit("a")], [technician("anna", pause=lunch(12, 13, 60))])
    route = route_as_set(asked, asked.days[0], [Slot(visit_id="a", start=at(12), end=at(12) + HOUR // 2)])
    assert route.finish == at(12.5) + HOUR + 10 * MINUTE
