"""Each law is broken once, by hand, in a plan that was good; the judge must name it."""

import datetime as dt
from dataclasses import replace

import pytest

from routing.check import check, measure
from routing.frame import build_frame
from routing.plan import Reason, Unassigned
from routing.problem import Grant, Pin
from routing.solve import plan_of
from tests.routing.builders import HOUR, MINUTE, MONDAY, at, lunch, problem, technician, visit, window

ASKED = problem(
    [
        visit("a", 10, skills={"gas": 2}, branch="north"),
        visit("b", 30, windows=(window(10, 11),), due_from=at(9), due_to=at(16), hard_due=True),
        visit("c", 20, pinned=Pin(technician="anna", start=at(14))),
    ],
    [
        technician(
            "anna", skills={"gas": Grant(level=2, expires=MONDAY)}, branch="north", pause=lunch(), max_overtime_s=HOUR
        ),
        technician("boris", branch="south"),
    ],
)
GOOD = plan_of(build_frame(ASKED), [[0, 1, 2], []])


def codes(plan, asked=ASKED):
    return {violation.code for violation in check(asked, plan)}


def with_route(**changes):
    return replace(GOOD, routes=(replace(GOOD.routes[0], **changes),))


def with_stop(index, **changes):
    stops = list(GOOD.routes[0].stops)
    stops[index] = replace(stops[index], **changes)
    return with_route(stops=tuple(stops))


def changed_visit(number, **changes):
    visits = list(ASKED.visits)
    visits[number] = replace(visits[number], **changes)
    return problem(visits, ASKED.days)


def changed_anna(**changes):
    return problem(ASKED.visits, [replace(ASKED.days[0], **changes), ASKED.days[1]])


def test_good_plan_passes():
    assert check(ASKED, GOOD) == []


def test_dropped_visit():
    assert "visit-dropped" in codes(with_route(stops=GOOD.routes[0].stops[:2]))


def test_visit_planned_twice():
    assert "visit-twice" in codes(replace(GOOD, unassigned=(Unassigned(visit_id="a", reasons=(Reason(code="x"),)),)))


def test_visit_that_nobody_asked_for():
    assert "unknown-visit" in codes(with_stop(0, visit_id="ghost"))


def test_unassigned_without_a_reason():
    plan = with_route(stops=GOOD.routes[0].stops[1:])
    assert "no-reason" in codes(replace(plan, unassigned=(Unassigned(visit_id="a"),)))


def test_pinned_visit_left_out_without_the_error_about_its_pin():
    plan = with_route(stops=GOOD.routes[0].stops[:2])
    plan = replace(plan, unassigned=(Unassigned(visit_id="c", reasons=(Reason(code="short-of-time"),)),))
    assert "pin-dropped" in codes(plan)


def test_wrong_skill_level():
    assert "skill-missing" in codes(GOOD, changed_visit(0, skills={"gas": 3}))


def test_missing_skill():
    assert "skill-missing" in codes(GOOD, changed_visit(0, skills={"lift": 1}))


def test_certificate_counts_on_its_last_day_and_not_after():
    day_before = MONDAY - dt.timedelta(days=1)
    assert "certificate-expired" in codes(GOOD, changed_anna(skills={"gas": Grant(level=2, expires=day_before)}))


def test_another_branch():
    assert "territory" in codes(GOOD, changed_visit(0, branch="south"))


def test_begun_too_late_for_the_window():
    asked = changed_visit(1, windows=(window(9, 9.5),))
    assert "outside-window" in codes(GOOD, asked)


def test_before_and_after_the_due_dates():
    assert "before-due" in codes(GOOD, changed_visit(1, due_from=at(12)))
    assert "after-hard-due" in codes(GOOD, changed_visit(1, due_from=None, due_to=at(9)))


def test_overdue_and_soft_dates_forbid_nothing():
    assert "after-hard-due" not in codes(GOOD, changed_visit(1, due_from=None, due_to=at(9), overdue_days=3))
    assert "after-hard-due" not in codes(GOOD, changed_visit(1, due_from=None, due_to=at(9), hard_due=False))


def test_pin_moved_to_another_hour_or_person():
    assert "pin-moved" in codes(GOOD, changed_visit(2, pinned=Pin(technician="anna", start=at(15))))
    assert "pin-moved" in codes(GOOD, changed_visit(2, pinned=Pin(technician="boris")))


def test_two_visits_at_one_time():
    stop = GOOD.routes[0].stops[1]
    assert "overlap" in codes(with_stop(0, start=stop.start, end=stop.start + 30 * MINUTE))


def test_faster_than_the_road():
    first = GOOD.routes[0].stops[0]
    assert "too-fast" in codes(with_stop(0, arrive=first.arrive - MINUTE))


def test_faster_home_than_the_road():
    assert "too-fast" in codes(with_route(finish=GOOD.routes[0].finish - MINUTE))


def test_work_before_arrival_and_shorter_than_its_time():
    first = GOOD.routes[0].stops[0]
    assert "starts-before-arrival" in codes(with_stop(0, start=first.arrive - MINUTE))
    assert "wrong-service-time" in codes(with_stop(0, end=first.end - MINUTE))


def test_break_missing_late_inside_work_or_not_due():
    assert "break-missing" in codes(with_route(pause_start=None))
    assert "break-at-wrong-time" in codes(with_route(pause_start=at(13.5)))
    asked = changed_anna(pause=lunch(14, 14.5))
    assert "break-in-work" in codes(with_route(pause_start=at(14.25)), asked)
    assert "break-not-due" in codes(GOOD, changed_anna(pause=None))


def test_break_that_eats_the_drive():
    # Ten minutes from b to c are driven in ten minutes, so a break on the way leaves no time for the road.
    after_b = GOOD.routes[0].stops[1].end
    assert "too-fast" in codes(with_route(pause_start=after_b), changed_anna(pause=lunch(10, 11, 60)))


def test_leaving_before_the_shift():
    assert "before-shift" in codes(GOOD, changed_anna(shift_start=at(9)))


def test_overrun_beyond_the_overtime():
    # c ends at 14:30, 20 minutes home: 14:50. A shift to 13:30 with an hour of overtime is 20 minutes too short.
    found = check(changed_anna(shift_end=at(13.5)), GOOD)
    assert [v.numbers["over_s"] for v in found if v.code == "overtime"] == [20 * MINUTE]


def test_unknown_and_doubled_days():
    assert "unknown-day" in codes(with_route(technician="nobody"))
    assert "day-twice" in codes(replace(GOOD, routes=GOOD.routes * 2))
    assert "empty-route" in codes(with_route(stops=()))


def test_wrong_figures_are_a_violation_too():
    assert codes(replace(GOOD, objective=replace(GOOD.objective, travel_s=0))) == {"wrong-figures"}
    assert "wrong-travel" in codes(with_stop(0, travel_m=1))
    assert "wrong-travel" in codes(with_route(travel_s=1))
    assert "wrong-overtime" in codes(with_route(overtime_s=5))


def test_visit_without_a_place():
    assert "no-place" in codes(GOOD, changed_visit(0, point=None))


def test_objective_by_hand():
    # a at 10, b at 30, c at 20 and home: 10 + 20 + 10 + 20 minutes; nothing else has a price.
    objective = measure(ASKED, GOOD)
    assert objective.travel_s == pytest.approx(HOUR, abs=2)
    assert objective.travel_m == pytest.approx(60_000, abs=3)
    assert objective.total == objective.travel_s
