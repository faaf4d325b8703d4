"""The laws of the planner as a whole."""

import multiprocessing
import pickle
import sys
import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing import engines
from routing.check import check, measure
from routing.frame import build_frame
from routing.plan import StopAfter
from routing.problem import Grant, Pin, Placement
from routing.repair import repair
from routing.solve import plan_of, solve
from tests.routing.builders import HOUR, at, generated, lunch, problem, technician, visit, window

FEW = StopAfter(iterations=15)
quick = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(st.integers(0, 100_000), st.integers(0, 14), st.integers(0, 4), st.integers(1, 2))
def test_every_plan_passes_the_judge_and_drops_nothing_in_silence(seed, visits, technicians, days):
    asked = generated(seed, visits, technicians, days)
    plan = solve(asked, FEW, seed)
    assert check(asked, plan) == []
    assert plan.assigned_ids | {u.visit_id for u in plan.unassigned} == {v.id for v in asked.visits}
    assert all(u.reasons for u in plan.unassigned)
    assert all(stop.why is not None for route in plan.routes for stop in route.stops)
    assert plan.objective == measure(asked, plan)


@quick
@given(st.integers(0, 100_000), st.integers(1, 12), st.integers(1, 3))
def test_same_problem_seed_and_iterations_give_the_same_plan(seed, visits, technicians):
    asked = generated(seed, visits, technicians)
    assert solve(asked, FEW, 3) == solve(asked, FEW, 3)


@quick
@given(st.integers(0, 100_000), st.integers(1, 12), st.integers(1, 3))
def test_never_worse_than_the_start(seed, visits, technicians):
    asked = generated(seed, visits, technicians)
    first = solve(asked, StopAfter(iterations=40), seed)
    again = solve(asked, StopAfter(iterations=1), seed + 1, start=first)
    assert again.objective.total <= first.objective.total


@quick
@given(st.integers(0, 100_000), st.integers(2, 12), st.integers(1, 3))
def test_nothing_changed_in_the_input_changes_nothing_in_the_published_plan(seed, visits, technicians):
    asked = generated(seed, visits, technicians)
    plan = solve(asked, StopAfter(iterations=60), seed)
    published = {s.visit_id: Placement(technician=r.technician, start=s.start) for r in plan.routes for s in r.stops}
    again = problem([replace(v, current=published.get(v.id)) for v in asked.visits], asked.days)
    again = replace(again, places=asked.places, seconds=asked.seconds, metres=asked.metres)
    replanned = solve(again, StopAfter(iterations=30), seed, start=plan)
    assert [r.visit_ids for r in replanned.routes] == [r.visit_ids for r in plan.routes]


def test_visits_that_are_gone_and_people_who_are_ill_are_left_out_of_the_start():
    asked = generated(2, 15, 3)
    plan = solve(asked, FEW)
    ill = plan.routes[0].technician
    later = replace(asked, visits=asked.visits[1:], days=tuple(d for d in asked.days if d.technician != ill))
    again = solve(later, FEW, start=plan)
    assert check(later, again) == []


@pytest.mark.parametrize("missing", ["pyvrp", "vroom"])
def test_one_engine_missing_and_the_other_still_answers(monkeypatch, missing):
    asked = generated(5, 20, 4)
    monkeypatch.setitem(sys.modules, missing, None)
    plan = solve(asked, FEW)
    assert check(asked, plan) == []
    assert len(plan.assigned_ids) > 10


def test_no_engine_at_all_and_there_is_still_a_plan(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyvrp", None)
    monkeypatch.setitem(sys.modules, "vroom", None)
    assert len(solve(generated(5, 20, 4), FEW).assigned_ids) > 10


@quick
@given(st.integers(0, 100_000), st.integers(1, 12), st.integers(1, 3))
def test_what_the_engines_return_can_always_be_repaired(seed, visits, technicians):
    asked = generated(seed, visits, technicians, 2)
    frame = build_frame(asked)
    for orders in (
        engines.vroom_orders(frame, seconds=None, exploration=0),
        engines.pyvrp_orders(frame, seconds=None, iterations=20, seed=seed),
    ):
        if orders is not None:
            plan = plan_of(frame, repair(frame, orders))
            # The provisional reasons are filled in later; all other laws hold.
            assert check(asked, plan) == []


def test_seconds_are_kept_and_progress_is_heard():
    asked = generated(1, 60, 8)
    heard = []
    began = time.monotonic()
    plan = solve(asked, StopAfter(seconds=0.5, iterations=10**9), 0, progress=heard.append)
    # That many iterations would take days; how promptly it ends depends on the machine.
    assert time.monotonic() - began < 60
    assert [p.objective.total for p in heard] == sorted((p.objective.total for p in heard), reverse=True)
    assert heard[-1].objective.total == plan.objective.total
    assert all(check(asked, p) == [] for p in heard)


def test_no_visits_and_no_technicians_are_answers_too():
    assert solve(problem([], [technician()]), FEW).routes == ()
    assert solve(problem([visit()], []), FEW).unassigned[0].reasons[0].code == "no-technicians"


def test_pinned_visit_keeps_person_and_second_whatever_it_costs():
    pins = [visit("pin", 100, priority=0, pinned=Pin(technician="anna", start=at(12)))]
    others = [visit(f"v{i}", 10, priority=3) for i in range(12)]
    plan = solve(problem(pins + others, [technician("anna"), technician("boris")]), FEW)
    stop = next(s for r in plan.routes if r.technician == "anna" for s in r.stops if s.visit_id == "pin")
    assert stop.start == at(12)


def test_work_that_has_begun_asks_no_laws():
    begun = visit(
        "v", skills={"gas": 1}, windows=(window(8, 8.1),), pinned=Pin(technician="anna", start=at(9), begun=True)
    )
    plan = solve(problem([begun], [technician("anna")]), FEW)
    assert plan.routes[0].stops[0].start == at(9)


def test_two_pins_at_one_time_leave_one_error_about_a_pin():
    pins = [visit(n, pinned=Pin(technician="anna", start=at(9))) for n in ("a", "b")]
    plan = solve(problem(pins, [technician("anna")]), FEW)
    assert len(plan.assigned_ids) == 1
    assert plan.unassigned[0].reasons[0].code == "pin-impossible"


def test_certificate_that_ends_midweek_moves_the_visit_forward():
    days = [technician(day=d, skills={"gas": Grant(expires=technician(day=1).date)}) for d in range(4)]
    asked = problem([visit(f"v{i}", skills={"gas": 1}, service_s=3 * HOUR) for i in range(5)], days)
    plan = solve(asked, FEW)
    # Two visits of three hours fit in a day of nine, on two days.
    assert len(plan.assigned_ids) == 4
    assert {r.date for r in plan.routes} == {technician(day=0).date, technician(day=1).date}


def test_overtime_is_used_for_what_is_worth_it():
    day = technician(shift_end=at(9), max_overtime_s=HOUR)
    plan = solve(problem([visit("v", service_s=HOUR)], [day]), FEW)
    # 10 + 60 + 10 minutes in a shift of 60: 20 minutes over, at the double price.
    assert plan.objective.overtime_s == 20 * 60
    assert plan.objective.overtime_price == 2 * 20 * 60


def test_break_is_in_every_plan_that_needs_one():
    asked = problem([visit(f"v{i}", 5 * i) for i in range(1, 9)], [technician(pause=lunch())])
    plan = solve(asked, FEW)
    assert at(12) <= plan.routes[0].pause_start <= at(13)


def test_problem_and_plan_travel_to_another_process_and_back():
    asked = generated(6, 10, 2)
    assert pickle.loads(pickle.dumps(asked)) == asked
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        plan = pool.apply(solve, (asked, FEW, 1))
    assert plan == solve(asked, FEW, 1)


def test_a_day_of_150_visits_is_planned_well_in_a_few_iterations():
    """How long they take: `bench/plan.py`."""
    plan = solve(generated(1, 150, 20), StopAfter(iterations=20))
    # Regret insertion alone leaves some 97,000 s.
    assert plan.objective.total < 95_000
