"""Reasons against brute force: with the remedy the visit fits, without it it does not."""

import datetime as dt
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.check import check
from routing.explain import reasons, why
from routing.frame import build_frame
from routing.insert import orders_of
from routing.plan import StopAfter
from routing.problem import Grant, Pin
from routing.remedies import apply_remedy
from routing.repair import legalise
from routing.solve import plan_of, solve
from tests.routing.builders import HOUR, MINUTE, MONDAY, at, generated, lunch, problem, technician, visit, window


def fits_by_brute_force(asked, plan, visit_id):
    """Whether the judge accepts the visit at some position of some route; the others keep person and order."""
    frame = build_frame(asked)
    known = {v.id for v in asked.visits}
    routes = tuple(replace(route, stops=tuple(s for s in route.stops if s.visit_id in known)) for route in plan.routes)
    orders = orders_of(frame, replace(plan, routes=routes))
    v = frame.visit_numbers([visit_id])[0]
    for d, order in enumerate(orders):
        for position in range(len(order) + 1):
            grown = [list(o) for o in orders]
            grown[d].insert(position, v)
            trial = plan_of(frame, grown)
            if trial is not None and check(asked, trial) == []:
                return True
    return False


def only_reason(asked, orders, visit_id):
    plan = plan_of(build_frame(asked), orders)
    return plan, reasons(asked, plan)[visit_id]


def assert_remedy_is_true(asked, plan, visit_id, reason):
    assert not fits_by_brute_force(asked, plan, visit_id)
    assert fits_by_brute_force(apply_remedy(asked, visit_id, reason.remedy), plan, visit_id)


def test_missing_skill_names_who_would_need_it():
    asked = problem([visit("v", 10, skills={"gas": 2})], [technician("anna", skills={"gas": Grant(level=1)})])
    plan, (reason,) = only_reason(asked, [[]], "v")
    assert (reason.code, reason.params["skill"], reason.params["level"]) == ("no-skill", "gas", 2)
    assert (reason.remedy.code, reason.remedy.params["technician"]) == ("grant-skill", "anna")
    assert_remedy_is_true(asked, plan, "v", reason)


def test_expired_certificate_comes_with_its_date():
    expired = MONDAY - dt.timedelta(days=3)
    asked = problem([visit("v", skills={"gas": 1})], [technician(skills={"gas": Grant(expires=expired)})])
    plan, (reason,) = only_reason(asked, [[]], "v")
    assert (reason.code, reason.params["expires"]) == ("certificate-expired", expired.isoformat())
    assert reason.remedy.params["until"] == MONDAY.isoformat()
    assert_remedy_is_true(asked, plan, "v", reason)


def test_full_day_is_short_by_so_many_minutes():
    # a: 8:10 to 16:10, home 16:20. v between home and a: 30 minutes of work on the way, home 16:50, a shift to 16:36.
    asked = problem([visit("a", 10, service_s=8 * HOUR), visit("v", 5)], [technician(shift_end=at(16) + 36 * MINUTE)])
    plan, found = only_reason(asked, [[0]], "v")
    assert found[0].code == "short-of-time"
    assert found[0].params["short_min"] == 14
    assert_remedy_is_true(asked, plan, "v", found[0])
    too_little = replace(found[0].remedy, params={**found[0].remedy.params, "seconds": 13 * MINUTE})
    assert not fits_by_brute_force(apply_remedy(asked, "v", too_little), plan, "v")


def test_visit_in_the_way_is_named():
    asked = problem([visit("a", 10, service_s=8 * HOUR, priority=3), visit("v", 5)], [technician(shift_end=at(16.5))])
    plan, found = only_reason(asked, [[0]], "v")
    capacity = next(reason for reason in found if reason.code == "capacity")
    assert (capacity.params["visit"], capacity.params["other_priority"]) == ("a", 3)
    assert_remedy_is_true(asked, plan, "v", capacity)


def test_too_far_for_any_day():
    # Five hours there and five back with half an hour of work in a shift of nine hours: 90 minutes short.
    asked = problem([visit("v", 300)], [technician()])
    plan, (reason,) = only_reason(asked, [[]], "v")
    assert (reason.code, reason.params["short_min"]) == ("travel-infeasible", 90)
    assert_remedy_is_true(asked, plan, "v", reason)


def test_window_before_anybody_can_be_there():
    # At work from 8:00 and an hour away: the window that closes at 8:30 is missed by 30 minutes.
    asked = problem([visit("v", 60, windows=(window(8, 8.5),))], [technician()])
    plan, found = only_reason(asked, [[]], "v")
    assert (found[0].code, found[0].remedy.params["by_min"]) == ("window-closed", 30)
    assert found[0].remedy.params["at"] == at(9)
    assert_remedy_is_true(asked, plan, "v", found[0])


def test_window_without_a_shift_moves_towards_it():
    # Half an hour of work and ten minutes home by 17:00: 16:20 is the last start, 100 minutes too early.
    asked = problem([visit("v", 10, windows=(window(18, 19),))], [technician()])
    plan, found = only_reason(asked, [[]], "v")
    assert found[0].code == "no-shift"
    assert 100 <= found[0].remedy.params["by_min"] <= 101
    assert_remedy_is_true(asked, plan, "v", found[0])


def test_due_dates_outside_the_horizon():
    asked = problem([visit("v", due_from=at(8, 3), due_to=at(8, 9))], [technician()])
    plan, found = only_reason(asked, [[]], "v")
    assert (found[0].code, found[0].remedy.code) == ("not-due-yet", "move-due")
    assert_remedy_is_true(asked, plan, "v", found[0])


def test_hard_date_behind_the_first_shift():
    asked = problem([visit("v", due_to=at(7), hard_due=True)], [technician()])
    plan, found = only_reason(asked, [[]], "v")
    # Ten minutes of road from 8:00 on: 8:10 is 70 minutes after the date.
    assert (found[0].code, found[0].remedy.params["by_min"]) == ("due-date-passed", 70)
    assert_remedy_is_true(asked, plan, "v", found[0])


def test_window_outside_the_due_dates():
    asked = problem([visit("v", windows=(window(9, 10),), due_from=at(12))], [technician()])
    plan, found = only_reason(asked, [[]], "v")
    assert found[0].code == "outside-due-window"
    assert_remedy_is_true(asked, plan, "v", found[0])


def test_territory_names_the_branch():
    asked = problem([visit("v", branch="north")], [technician(branch="south")])
    plan, (reason,) = only_reason(asked, [[]], "v")
    assert (reason.code, reason.params["branch"]) == ("territory", "north")
    assert_remedy_is_true(asked, plan, "v", reason)


def test_low_value_and_a_long_way():
    # 40 minutes there and back for a visit worth 30: it fits and stays out; normal (2 h) would be worth it.
    asked = problem([visit("v", 20, priority=0)], [technician()])
    plan = solve(asked, StopAfter(iterations=5))
    (reason,) = plan.unassigned[0].reasons
    assert (reason.code, reason.params["extra_min"], reason.params["worth_min"]) == ("not-worth-detour", 40, 30)
    assert fits_by_brute_force(asked, plan, "v")
    assert solve(apply_remedy(asked, "v", reason.remedy), StopAfter(iterations=5)).unassigned == ()


def test_place_that_is_not_known():
    asked = problem([visit("v", point=None)], [technician()])
    _, (reason,) = only_reason(asked, [[]], "v")
    assert (reason.code, reason.remedy.code) == ("missing-geo", "locate-site")


def test_impossible_pin_is_an_error_about_the_pin():
    asked = problem(
        [visit("v", skills={"gas": 1}, pinned=Pin(technician="anna"))],
        [technician("anna"), technician("boris", skills={"gas": Grant()})],
    )
    plan = solve(asked, StopAfter(iterations=5))
    pin, *_ = plan.unassigned[0].reasons
    assert (pin.code, pin.params["cause"], pin.remedy.code) == ("pin-impossible", "no-skill", "unpin")
    assert pin.remedy.params["technician"] == "boris"
    assert check(asked, plan) == []
    assert_remedy_is_true(asked, plan, "v", pin)


def test_nobody_at_work():
    asked = problem([visit("v")], [])
    _, (reason,) = only_reason(asked, [], "v")
    assert reason.code == "no-technicians"


def test_why_gives_the_price_here_and_at_the_next_best():
    # Here: 10 minutes out and back = 20. Boris lives 30 minutes out: 20 there, 20 back = 40, 20 more.
    boris = technician("boris", start=(0.0, 1.0), end=(0.0, 1.0))
    far = problem([visit("x", 30)], []).visits[0].point
    asked = problem(
        [visit("v", 10, label="Boiler"), visit("w", 12, label="Lift")],
        [technician("anna"), replace(boris, start=far, end=far)],
    )
    plan = plan_of(build_frame(asked), [[0, 1], []])
    reason = why(asked, plan)["v"]
    # Without v the round to w costs 24 minutes as before: v lies on the way.
    assert (reason.code, reason.params["extra_min"]) == ("best-here", 0)
    assert (reason.params["next"], reason.params["next_extra_min"], reason.params["more_min"]) == ("boris", 40, 40)
    assert (reason.params["near"], reason.params["near_km"]) == ("Lift", 2.0)


def test_why_names_pins_and_the_only_person():
    asked = problem(
        [visit("p", pinned=Pin(technician="anna")), visit("s", skills={"gas": 1})],
        [technician("anna"), technician("boris", skills={"gas": Grant()})],
    )
    because = why(asked, plan_of(build_frame(asked), [[0], [1]]))
    assert (because["p"].code, because["s"].code) == ("pinned-here", "only-one")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 100_000), st.integers(2, 6), st.integers(1, 3))
def test_every_reason_equals_brute_force(seed, visits, technicians):
    asked = generated(seed, visits, technicians, load_minutes=120)
    frame = build_frame(asked)
    # Half of the visits in arbitrary legal routes: not a good plan, only a legal one.
    orders = legalise(frame, [list(range(d, visits, 2 * technicians)) for d in range(frame.n_days)])
    plan = plan_of(frame, orders)
    for visit_id, found in reasons(asked, plan, frame).items():
        assert found, visit_id
        fits = fits_by_brute_force(asked, plan, visit_id)
        assert fits == (found[0].code in ("fits", "not-worth-detour"))
        for reason in found:
            if reason.remedy is not None and not fits:
                changed = apply_remedy(asked, visit_id, reason.remedy)
                assert fits_by_brute_force(changed, plan, visit_id), (visit_id, reason)


def test_break_in_the_way_is_counted_in_the_minutes():
    # Without the break (45 min) the day would end at 16:50; with it 17:35, 35 minutes after the shift.
    asked = problem(
        [visit("a", 10, service_s=4 * HOUR), visit("v", 10, service_s=4 * HOUR + 30 * MINUTE)],
        [technician(pause=lunch(11, 13))],
    )
    plan, found = only_reason(asked, [[0]], "v")
    assert found[0].code == "short-of-time"
    assert found[0].params["short_min"] == 35
    assert_remedy_is_true(asked, plan, "v", found[0])
