"""Least disturbance: what is published keeps its person and its minute unless a change earns its price."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.check import check
from routing.frame import build_frame
from routing.insert import orders_of
from routing.plan import StopAfter
from routing.problem import Grant, Placement, build_problem
from routing.repair import legalise, place_pinned, reinsert
from routing.solve import plan_of, solve
from routing.steady import LEAST_GAIN_S, SAME_S
from tests.routing.builders import MINUTE, at, generated, problem, technician, visit


def published(asked, plan):
    """The problem with the plan published."""
    where = {s.visit_id: Placement(technician=r.technician, start=s.start) for r in plan.routes for s in r.stops}
    visits = [replace(one, current=where.get(one.id, one.current)) for one in asked.visits]
    return replace(asked, visits=tuple(visits))


def disturbed(asked, plan):
    stands = {s.visit_id: (r.technician, s.start) for r in plan.routes for s in r.stops}
    found = set()
    for one in asked.visits:
        if one.current is None or one.id not in stands:
            continue
        who, start = stands[one.id]
        if who != one.current.technician:
            found.add(("hands", one.id))
        if abs(start - one.current.start) >= SAME_S:
            found.add(("time", one.id))
    return found


def test_a_time_set_by_hand_stays_though_the_planner_would_begin_sooner():
    asked = problem(
        [
            visit("a", 10, current=Placement(technician="anna", start=at(10))),
            visit("b", 20, current=Placement(technician="anna", start=at(14.5))),
        ],
        [technician("anna"), technician("boris")],
    )
    standing = plan_of(build_frame(asked), [[0, 1], []])
    assert [stop.start for stop in standing.routes[0].stops] == [at(10), at(14.5)]
    again = solve(asked, StopAfter(iterations=30), start=standing)
    assert {stop.visit_id: stop.start for route in again.routes for stop in route.stops} == {
        "a": at(10), "b": at(14.5),
    }  # fmt: skip


def test_a_new_visit_goes_into_the_gap_and_moves_nobody():
    asked = problem(
        [
            visit("a", 10, current=Placement(technician="anna", start=at(9))),
            visit("b", 10, current=Placement(technician="anna", start=at(14))),
            visit("new", 10),
        ],
        [technician("anna")],
    )
    standing = plan_of(build_frame(asked), [[0, 1]])
    plan = solve(asked, StopAfter(iterations=30), start=standing)
    assert plan.assigned_ids == {"a", "b", "new"}
    assert disturbed(asked, plan) == set()
    assert check(asked, plan) == []


def test_who_cannot_keep_a_visit_loses_it_and_it_is_said_whose_it_was():
    asked = problem(
        [visit("a", 10, skills={"gas": 1}, current=Placement(technician="anna", start=at(9)))],
        [replace(technician("anna"), name="Anna"), technician("boris", skills={"gas": Grant(level=1)})],
    )
    plan = solve(asked, StopAfter(iterations=10), start=plan_of(build_frame(asked), [[], []]))
    [stop] = plan.routes[0].stops
    assert (plan.routes[0].technician, stop.why.code, stop.why.params["from"]) == ("boris", "taken-over", "Anna")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 100_000), st.integers(4, 14), st.integers(1, 4))
def test_each_visit_that_is_disturbed_earns_its_price(seed, visits, technicians):
    """A few visits are new; against the published plan with these put in, what is gained pays for what is moved."""
    asked = generated(seed, visits, technicians)
    known = build_problem(asked.visits[: visits - 2], asked.days)
    before = solve(known, StopAfter(iterations=20), seed)
    now = published(asked, before)
    frame = build_frame(now)
    base = plan_of(frame, reinsert(frame, place_pinned(frame, legalise(frame, orders_of(frame, before)))))
    plan = solve(now, StopAfter(iterations=40), seed + 1, start=before)
    assert check(now, plan) == []
    more = len(disturbed(now, plan) - disturbed(now, base))
    assert base.objective.total - plan.objective.total >= LEAST_GAIN_S * more


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 100_000), st.integers(2, 12), st.integers(1, 3), st.integers(0, 60))
def test_planning_a_published_day_again_changes_nothing_whatever_its_hours(seed, visits, technicians, later):
    """Each route is published as late as it was set, not as early as it could be."""
    asked = generated(seed, visits, technicians, wishes=False)
    plan = solve(asked, StopAfter(iterations=40), seed)
    held = published(asked, plan)
    where = {one.id: one.current for one in held.visits}
    last = {route.stops[-1].visit_id: route for route in plan.routes}
    moved = []
    for one in held.visits:
        route = last.get(one.id)
        if route is not None and not one.windows and route.finish + later * MINUTE <= _end(asked, route):
            where[one.id] = replace(one.current, start=one.current.start + later * MINUTE)
        moved.append(replace(one, current=where[one.id]))
    again = replace(asked, visits=tuple(moved))
    replanned = solve(again, StopAfter(iterations=30), seed, start=plan)
    assert [route.visit_ids for route in replanned.routes] == [route.visit_ids for route in plan.routes]
    if later == 0:
        assert disturbed(again, replanned) == set()


def _end(asked, route):
    return asked.day_by_key[route.key].shift_end
