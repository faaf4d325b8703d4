"""Which days a site works, and where a date falls that is none of them."""

from datetime import date, timedelta
from threading import Event, Thread, current_thread

import pytest
from holidays.holiday_base import HolidayBase

from server.domain.maintenance import (
    AgeTrigger,
    AssetFacts,
    Closure,
    Every,
    FixedTrigger,
    Shift,
    SiteDays,
    State,
    expected,
)
from tests.domain.maintenance_builders import TRIGGER, a_plan

RUSSIA = SiteDays(weekend=frozenset({5, 6}), country="RU")
GERMANY = SiteDays(weekend=frozenset({5, 6}), country="DE", region="BY")


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2024, 4, 27), True),  # a Saturday that was ordered to be a working day
        (date(2024, 4, 29), False),  # the Monday that was given for it
        (date(2024, 12, 28), True),
        (date(2024, 12, 30), False),
        (date(2024, 12, 31), False),
        (date(2026, 1, 9), False),  # transferred from Saturday, 3 January
        (date(2026, 5, 11), False),  # 9 May is a Saturday
        (date(2026, 6, 12), False),
        (date(2026, 6, 15), True),
    ],
)
def test_russias_transferred_working_days_are_known(day: date, works: bool) -> None:
    assert RUSSIA.works(day) is works


def test_holidays_of_a_part_of_a_country_hold_only_there() -> None:
    epiphany = date(2026, 1, 6)
    assert not GERMANY.works(epiphany)
    assert SiteDays(weekend=frozenset({5, 6}), country="DE").works(epiphany)


def test_a_year_that_another_thread_is_still_filling_has_its_holidays(monkeypatch: pytest.MonkeyPatch) -> None:
    new_year = date(2041, 1, 1)
    filling, answered = Event(), Event()
    fill = HolidayBase._populate

    def slowly(self: HolidayBase, year: int) -> None:
        if current_thread() is other:
            filling.set()
            answered.wait(60)
        fill(self, year)

    monkeypatch.setattr(HolidayBase, "_populate", slowly)
    other = Thread(target=RUSSIA.works, args=(new_year,))
    other.start()
    assert filling.wait(60)
    works = RUSSIA.works(new_year)
    answered.set()
    other.join()
    assert not works


def test_the_sites_own_days_stand_above_the_countrys() -> None:
    summer = Closure(first=date(2026, 7, 20), last=date(2026, 8, 16), name="Works holiday")
    site = SiteDays(weekend=frozenset({5, 6}), country="RU", closed=(summer,), open=frozenset({date(2026, 8, 1)}))
    assert not site.works(date(2026, 7, 22))
    assert site.works(date(2026, 8, 1)), "a Saturday inside of the closure, opened for us"
    assert site.closure(date(2026, 7, 22)) == summer
    assert site.next_working(date(2026, 7, 20), 1) == date(2026, 8, 1)


def test_a_calendar_reads_back_as_it_was_written() -> None:
    site = SiteDays(
        weekend=frozenset({6}),
        country="DE",
        region="BY",
        closed=(Closure(first=date(2026, 7, 20), last=date(2026, 8, 16), name="Urlaub"),),
        open=frozenset({date(2026, 8, 1)}),
    )
    assert SiteDays.from_json(site.to_json()) == site


@pytest.mark.parametrize(
    ("shift", "changes", "target", "window"),
    [
        (Shift.NONE, {}, "2026-05-09", ("2026-05-09", "2026-05-09")),
        (Shift.FORWARD, {}, "2026-05-12", ("2026-05-12", "2026-05-12")),
        (Shift.BACKWARD, {}, "2026-05-08", ("2026-05-08", "2026-05-08")),
        (Shift.NEAREST, {}, "2026-05-08", ("2026-05-08", "2026-05-08")),
        # The window begins and ends on a working day, and reaches to the day that the visit was moved to.
        (Shift.FORWARD, {"early_days": 7, "late_days": 1}, "2026-05-12", ("2026-05-04", "2026-05-12")),
        # A date that must be kept is not moved past its last day: the working day before is taken.
        (
            Shift.FORWARD,
            {"early_days": 7, "late_days": 2, "hard_due": True},
            "2026-05-08",
            ("2026-05-04", "2026-05-08"),
        ),
    ],
)
def test_victory_day_on_a_saturday(shift: Shift, changes: dict[str, int], target: str, window: tuple[str, str]) -> None:
    rule = FixedTrigger(id=TRIGGER, rule="FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=9")
    plan = a_plan(triggers=(rule,), shift=shift, days=RUSSIA, horizon_days=90, **changes)
    [decision] = expected(plan, AssetFacts(), [], [], date(2026, 4, 1), date(2026, 12, 31))
    assert (decision.due_on, decision.cycle_key) == (date(2026, 5, 9), "2026-05-09")
    assert str(decision.target_on) == target
    assert (str(decision.window_from), str(decision.window_to)) == window
    assert decision.reason.code == ("due" if shift is Shift.NONE else "due-moved")


@pytest.mark.parametrize("shift", [Shift.FORWARD, Shift.BACKWARD, Shift.NEAREST])
def test_shifts_never_move_the_anchor_in_ten_years(shift: Shift) -> None:
    start = date(2024, 1, 31)
    trigger = AgeTrigger(id=TRIGGER, every=Every(1, "months"))
    facts = AssetFacts(commissioned_on=start)
    plain = a_plan(triggers=(trigger,), starts_on=start)
    moved = a_plan(triggers=(trigger,), starts_on=start, shift=shift, days=RUSSIA)
    until = date(2034, 1, 31)
    before = expected(plain, facts, [], [], start, until)
    after = expected(moved, facts, [], [], start, until)
    assert len(after) == 120
    assert [each.due_on for each in after] == [each.due_on for each in before]
    assert [each.occurrence_id for each in after] == [each.occurrence_id for each in before]
    shifted = [each for each in after if each.target_on != each.due_on]
    assert len(shifted) > 30
    assert all(each.target_on and RUSSIA.works(each.target_on) for each in after)
    assert all(abs(each.target_on - each.due_on) <= timedelta(days=12) for each in shifted)


def test_a_day_off_is_left_out_where_the_plan_says_so() -> None:
    rule = FixedTrigger(id=TRIGGER, rule="FREQ=WEEKLY;BYDAY=SA")
    plan = a_plan(triggers=(rule,), starts_on=date(2026, 5, 1), shift=Shift.SKIP, days=RUSSIA)
    found = expected(plan, AssetFacts(), [], [], date(2026, 5, 1), date(2026, 5, 9))
    assert [(each.state, each.reason.code) for each in found] == [(State.SUPPRESSED, "day-off")] * 2


def test_a_closure_without_a_working_day_near_is_named() -> None:
    year = Closure(first=date(2026, 1, 1), last=date(2026, 12, 31), name="Rebuilding")
    rule = FixedTrigger(id=TRIGGER, rule="FREQ=MONTHLY")
    plan = a_plan(triggers=(rule,), starts_on=date(2026, 6, 1), shift=Shift.NEAREST, days=SiteDays(closed=(year,)))
    [first, *_] = expected(plan, AssetFacts(), [], [], date(2026, 6, 1), date(2026, 6, 30))
    assert (first.state, first.reason.code) == (State.SUPPRESSED, "site-closed")
    assert first.reason.params["closed_to"] == "2026-12-31"
