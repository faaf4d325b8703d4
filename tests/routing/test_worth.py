"""The scale of docs/routing-model.md, number by number."""

from dataclasses import replace

from routing import worth
from routing.plan import StopAfter
from routing.problem import Placement
from routing.solve import solve
from tests.routing.builders import DAY, HOUR, MINUTE, at, problem, technician, visit, window

END = at(17)


def test_low_value_is_never_worth_an_hours_drive():
    for overdue in (0, 5, 400):
        for due_to in (None, at(8), at(8, 30)):
            low = visit(priority=0, overdue_days=overdue, due_to=due_to)
            assert worth.worth(low, END) < HOUR


def test_classes_are_ordered_and_far_apart():
    values = [worth.worth(visit(priority=p), END) for p in range(4)]
    assert values == [30 * MINUTE, 2 * HOUR, 8 * HOUR, 24 * HOUR]


def test_worth_grows_towards_the_date_and_past_it():
    far = worth.worth(visit(due_to=END + 30 * DAY), END)
    week = worth.worth(visit(due_to=END + 7 * DAY), END)
    last_chance = worth.worth(visit(due_to=END), END)
    overdue = worth.worth(visit(due_to=END, overdue_days=10), END)
    # A quarter; 1 - 3/4 × 7/14 = 5/8; the double; the double and 10 tenths.
    assert (far, week, last_chance, overdue) == (1_800, 4_500, 14_400, 21_600)


def test_hard_date_in_sight_stands_above_high_and_below_urgent():
    hard = worth.worth(visit(due_to=END, hard_due=True), END)
    assert worth.worth(visit(priority=2), END) < hard < worth.worth(visit(priority=3), END)


def test_sums_stay_below_two_to_the_31():
    most = worth.worth(visit(priority=3, hard_due=True, overdue_days=400), END)
    assert 2_000 * most < 2**31


def test_urgent_first_when_one_of_two_fits():
    day = technician(shift_end=at(9))
    for a, b in ((3, 1), (1, 3)):
        plan = solve(problem([visit("a", priority=a), visit("b", priority=b)], [day]), StopAfter(iterations=10))
        assert plan.assigned_ids == {"a" if a == 3 else "b"}


def test_hard_date_beats_a_visit_that_can_wait():
    asked = [visit("can-wait", 5, due_to=END + 30 * DAY), visit("last-day", 12, due_to=END, hard_due=True)]
    plan = solve(problem(asked, [technician(shift_end=at(9))]), StopAfter(iterations=10))
    assert plan.assigned_ids == {"last-day"}


def test_low_value_stays_out_and_comes_along_when_it_is_on_the_way():
    alone = solve(problem([visit("low", 40, priority=0)], [technician()]), StopAfter(iterations=10))
    assert alone.assigned_ids == frozenset()
    beside = [visit("low", 40, priority=0), visit("normal", 45)]
    assert len(solve(problem(beside, [technician()]), StopAfter(iterations=10)).assigned_ids) == 2


def test_urgent_work_goes_on_the_first_day():
    asked = problem([visit("v", priority=3)], [technician(day=1), technician(day=0)])
    plan = solve(asked, StopAfter(iterations=10))
    assert plan.routes[0].date.isoformat() == "2026-03-02"


def test_preferred_person_is_worth_a_quarter_of_an_hour():
    near, far = technician("near"), technician("far", start=visit("x", -6).point, end=visit("x", -6).point)
    # 6 minutes farther each way is 12 < 15: the wish wins; 8 each way is 16: it does not.
    plan = solve(problem([visit("v", preferred="far")], [near, far]), StopAfter(iterations=10))
    assert plan.routes[0].technician == "far"
    farther = replace(far, start=visit("x", -8).point, end=visit("x", -8).point)
    plan = solve(problem([visit("v", preferred="far")], [near, farther]), StopAfter(iterations=10))
    assert plan.routes[0].technician == "near"


def test_published_visit_changes_hands_only_for_half_an_hour():
    held = Placement(technician="far", start=at(10))
    spot = visit("x", -10).point
    days = [technician("near"), technician("far", start=spot, end=spot)]
    kept = solve(problem([visit("v", current=held, windows=(window(10, 10.25),))], days), StopAfter(iterations=10))
    # 40 minutes from far against 20 from near: 20 saved, 30 asked.
    assert (kept.routes[0].technician, kept.objective.moved, kept.objective.change_price) == ("far", 0, 0)
    spot = visit("x", -20).point
    days = [technician("near"), technician("far", start=spot, end=spot)]
    moved = solve(problem([visit("v", current=held, windows=(window(10, 10.25),))], days), StopAfter(iterations=10))
    assert (moved.routes[0].technician, moved.objective.moved) == ("near", 1)


def test_soft_date_costs_by_the_day_and_a_hard_one_forbids():
    late = technician(day=3)
    asked = problem([visit("v", due_to=at(12))], [late])
    plan = solve(asked, StopAfter(iterations=5))
    # Day 0 is the horizon's own first day: nothing waited, but due Monday noon and served Thursday: 3 begun days.
    assert plan.objective.delay_price == 3 * 720
    assert solve(problem([visit("v", due_to=at(12), hard_due=True)], [late]), StopAfter(iterations=5)).unassigned
