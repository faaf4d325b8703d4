import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.frame import FAR, build_frame
from routing.insert import best_insertions, exact_extra, masked_costs, ranked_insertions, slots_of
from routing.plan import StopAfter
from routing.repair import legalise
from routing.solve import plan_of, solve
from routing.timing import schedule
from tests.routing.builders import MINUTE, at, generated, problem, technician, visit, window


def spread(frame, visits):
    """Arbitrary legal orders of about half of the visits."""
    return legalise(frame, [list(range(d, visits, 2 * frame.n_days)) for d in range(frame.n_days)])


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 8), st.integers(1, 2), st.integers(1, 2))
def test_vectorised_insertion_is_legal_exactly_where_the_schedule_is(seed, visits, technicians, days):
    frame = build_frame(generated(seed, visits, technicians, days, load_minutes=100))
    orders = spread(frame, visits)
    outside = [v for v in range(visits) if all(v not in order for order in orders)]
    if not outside or not frame.n_days:
        return
    slots = slots_of(frame, list(enumerate(orders)))
    costs = masked_costs(frame, outside, slots)
    for row, v in enumerate(outside):
        for i in range(len(slots.day)):
            d, position = int(slots.day[i]), int(slots.position[i])
            grown = [*orders[d][:position], v, *orders[d][position:]]
            legal = bool(frame.eligible[v, d]) and schedule(frame, d, grown) is not None
            assert (costs[row, i] < FAR) == legal
            if legal and not frame.shift[d][2]:
                assert costs[row, i] == exact_extra(frame, d, orders[d], v, position)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 8), st.integers(1, 3))
def test_cheapest_insertion_equals_trying_every_position(seed, visits, technicians):
    frame = build_frame(generated(seed, visits, technicians, load_minutes=60))
    orders = spread(frame, visits)
    for v in range(visits):
        if any(v in order for order in orders):
            continue
        exact = [
            exact_extra(frame, d, orders[d], v, i)
            for d in range(frame.n_days)
            if frame.eligible[v, d]
            for i in range(len(orders[d]) + 1)
        ]
        ranked = ranked_insertions(frame, orders, v, count=1)
        assert (ranked[0][0] if ranked else FAR) == min(exact, default=FAR)


def test_three_places_for_an_urgent_call_by_hand():
    # Anna passes by (0 more), Boris drives 2 × 10 min for it, Clara with her hour of home 2 × 50 min.
    far = problem([visit("x", 60)], []).visits[0].point
    asked = problem(
        [visit("a", 20), visit("urgent", 10, priority=3)],
        [technician("anna"), technician("boris"), technician("clara", start=far, end=far)],
    )
    plan = plan_of(build_frame(asked), [[0], [], []])
    found = best_insertions(asked, plan, "urgent")
    assert [(i.technician, i.extra_travel_s) for i in found] == [
        ("anna", 0),
        ("boris", 20 * MINUTE),
        ("clara", 100 * MINUTE),
    ]
    assert (found[0].position, found[0].start) == (0, at(8) + 10 * MINUTE)


def test_no_place_is_an_empty_answer():
    asked = problem([visit("v", windows=(window(6, 7),))], [technician()])
    assert best_insertions(asked, plan_of(build_frame(asked), [[]]), "v") == []


def test_unknown_visit_is_the_callers_mistake():
    asked = problem([visit("v")], [technician()])
    with pytest.raises(KeyError):
        best_insertions(asked, plan_of(build_frame(asked), [[0]]), "w")


def test_taking_the_cheapest_insertion_costs_what_was_said():
    asked = generated(4, 20, 4)
    plan = solve(asked, StopAfter(iterations=5))
    frame = build_frame(asked)
    v = frame.visit_numbers([plan.routes[0].stops[0].visit_id])[0]
    orders = [[u for u in frame.visit_numbers(r.visit_ids) if u != v] for r in plan.routes]
    days = {day.key: d for d, day in enumerate(asked.days)}
    full = [[] for _ in asked.days]
    for route, order in zip(plan.routes, orders, strict=True):
        full[days[route.key]] = order
    extra, d, position = ranked_insertions(frame, full, v, count=1)[0]
    before = plan_of(frame, full).objective.total
    full[d].insert(position, v)
    after = plan_of(frame, full).objective
    assert after.total - before == extra - int(frame.unserved[v])
