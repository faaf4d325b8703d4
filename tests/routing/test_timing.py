"""The clock of a route against a slow search over all positions and seconds, and by hand."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.check import check
from routing.frame import build_frame
from routing.problem import Window
from routing.solve import plan_of
from routing.timing import schedule
from tests.routing.builders import HOUR, MINUTE, at, lunch, problem, technician, visit, window


def test_route_times_by_hand():
    # 8:00 + 10 min drive = 8:10, 30 min of work, 20 min on to the next, 30 min of work, 30 min home.
    frame = build_frame(problem([visit("a", 10), visit("b", 30)], [technician()]))
    timed = schedule(frame, 0, [0, 1])
    assert timed is not None
    assert timed.start == (at(8) + 10 * MINUTE, at(9))
    assert timed.finish == at(10)
    assert timed.travel_s == HOUR


def test_one_leaves_home_later_rather_than_wait_at_the_first_door():
    frame = build_frame(problem([visit("a", 10, windows=(window(10, 11),))], [technician()]))
    timed = schedule(frame, 0, [0])
    assert timed is not None
    assert (timed.depart, timed.arrive, timed.start) == (at(9) + 50 * MINUTE, (at(10),), (at(10),))


def test_second_window_is_taken_when_the_first_has_closed():
    spans = (window(7, 8), window(9, 10))
    frame = build_frame(problem([visit("a", 10, windows=spans)], [technician()]))
    timed = schedule(frame, 0, [0])
    assert timed is not None
    assert timed.start == (at(9),)


def test_break_falls_between_visits_and_delays_the_rest():
    # Work a until 8:40, drive 20 min, ready 9:00; the break may begin at 8:50 at the earliest: on the way.
    pause = lunch(8.75 + 1 / 12, 9, 30)
    frame = build_frame(problem([visit("a", 10), visit("b", 30)], [technician(pause=pause)]))
    timed = schedule(frame, 0, [0, 1])
    assert timed is not None
    assert timed.pause_start == at(8) + 50 * MINUTE
    assert timed.start[1] == at(9.5)


def test_break_after_the_return_costs_nothing():
    frame = build_frame(problem([visit("a", 10)], [technician(pause=lunch(12, 13))]))
    timed = schedule(frame, 0, [0])
    assert timed is not None
    assert (timed.finish, timed.pause_start) == (at(8) + 50 * MINUTE, at(12))


def test_work_across_the_only_hour_for_the_break_is_not_legal():
    long = visit("a", 10, service_s=8 * HOUR)
    frame = build_frame(problem([long], [technician(pause=lunch(12, 12.5))]))
    assert schedule(frame, 0, [0]) is None


def test_overtime_is_counted_from_the_end_of_the_shift():
    long = visit("a", 10, service_s=9 * HOUR)
    frame = build_frame(problem([long], [technician(max_overtime_s=HOUR)]))
    timed = schedule(frame, 0, [0])
    assert timed is not None
    assert timed.overtime_s == 20 * MINUTE
    assert schedule(build_frame(problem([long], [technician()])), 0, [0]) is None


times = st.integers(0, 18).map(lambda n: at(8) + n * 30 * MINUTE)


@st.composite
def small_days(draw):
    """One person, up to four visits, windows and a break on a grid of half hours."""
    visits = []
    for i in range(draw(st.integers(1, 4))):
        spans = []
        for _ in range(draw(st.integers(0, 2))):
            low = draw(times)
            spans.append(Window(start=low, end=low + draw(st.integers(0, 4)) * 30 * MINUTE))
        visits.append(
            visit(
                f"v{i}",
                draw(st.sampled_from([0.5, 10, 20, 45])),
                service_s=draw(st.integers(0, 3)) * 30 * MINUTE,
                windows=tuple(spans),
            )
        )
    pause = None
    if draw(st.booleans()):
        low = draw(times)
        pause = replace(lunch(), earliest=low, latest=low + draw(st.integers(0, 3)) * 30 * MINUTE)
    return problem(visits, [technician(pause=pause, max_overtime_s=draw(st.sampled_from([0, HOUR])))])


def _slow_finish(asked, order):
    """Earliest legal return by trying the break in each gap, as plainly as it can be said."""
    day = asked.days[0]
    best = None
    for gap in [None] if day.pause is None else range(len(order) + 2):
        now, here, legal = day.shift_start, day.start, True
        for i, v in enumerate([*order, None]):
            to = day.end if v is None else asked.visits[v].point
            way = int(asked.seconds[asked.place_index[here], asked.place_index[to]])
            if gap == i:
                begin = max(now, day.pause.earliest)
                legal &= begin <= day.pause.latest
                now = max(now + way, begin) + day.pause.length_s
            else:
                now += way
            if v is not None:
                windows = sorted(asked.visits[v].windows, key=lambda w: w.start)
                starts = [max(now, w.start) for w in windows if now <= w.end] if windows else [now]
                legal &= bool(starts)
                now = min(starts, default=now) + asked.visits[v].service_s
                here = to
        if gap == len(order) + 1:
            legal &= now <= day.pause.latest
        if legal and now <= day.shift_end + day.max_overtime_s:
            best = now if best is None else min(best, now)
    return best


@settings(max_examples=150, deadline=None)
@given(small_days())
def test_schedule_equals_the_slow_search_and_passes_the_judge(asked):
    frame = build_frame(asked)
    order = list(range(len(asked.visits)))
    timed = schedule(frame, 0, order)
    assert (None if timed is None else timed.finish) == _slow_finish(asked, order)
    if timed is not None:
        plan = plan_of(frame, [order])
        assert check(asked, plan) == []
        assert all(a.end <= b.arrive for a, b in pairwise(plan.routes[0].stops))
