"""What makes a plan unusable, how triggers are written down, and what an occurrence is called."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from server.domain.local_time import instant_of, local_date
from server.domain.maintenance import (
    TRIGGERS,
    AgeTrigger,
    AllOf,
    AnyOf,
    AssetFacts,
    CampaignTrigger,
    ConditionTrigger,
    EventTrigger,
    Every,
    FixedTrigger,
    FloatingTrigger,
    MeterTrigger,
    PlanTask,
    SiteDays,
    State,
    WarrantyPhaseTrigger,
    expected,
    problems,
    read_triggers,
    trigger_from_json,
)
from server.domain.maintenance.identity import occurrence_id, visit_id
from server.domain.reason import Reason
from tests.domain.maintenance_builders import TRIGGER, a_plan


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"triggers": ()}, "triggers", "no-trigger"),
        ({"early_days": -1}, "early_days", "window-out-of-range"),
        ({"late_days": 9999}, "late_days", "window-out-of-range"),
        ({"horizon_days": 0}, "horizon_days", "horizon-out-of-range"),
        ({"service_minutes": 0}, "service_minutes", "minutes-out-of-range"),
        ({"ends_on": date(2025, 1, 1)}, "ends_on", "ends-before-start"),
        ({"kind": ""}, "kind", "no-kind"),
        ({"tz": "Mars/Olympus"}, "tz", "time-zone-unknown"),
        ({"tz": "../etc/passwd"}, "tz", "time-zone-unknown"),
    ],
)
def test_a_bad_plan_is_told_at_its_field(changes: dict[str, Any], field: str, code: str) -> None:
    assert [(each.field, each.reason.code) for each in problems(a_plan(**changes))] == [(field, code)]


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("", "rule-unreadable"),
        ("every Monday", "rule-unreadable"),
        ("FREQ=WEEKLY;FREQ=DAILY", "rule-unreadable"),
        ("INTERVAL=2", "rule-without-frequency"),
        ("FREQ=FORTNIGHTLY", "rule-without-frequency"),
        ("FREQ=SECONDLY", "rule-within-a-day"),
        ("FREQ=HOURLY;INTERVAL=36", "rule-within-a-day"),
        ("FREQ=DAILY;BYHOUR=9", "rule-part-unknown"),
        ("FREQ=DAILY;INTERVAL=0", "rule-part-unusable"),
        ("FREQ=DAILY;INTERVAL=-1", "rule-part-unusable"),
        ("FREQ=WEEKLY;BYDAY=XX", "rule-part-unusable"),
        ("FREQ=WEEKLY;BYDAY=2MO", "rule-part-unusable"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "rule-part-unusable"),
        ("FREQ=DAILY;UNTIL=tomorrow", "rule-part-unusable"),
        ("FREQ=MONTHLY;SKIP=FORWARD", "rule-part-unusable"),
        ("FREQ=DAILY;BYSETPOS=2", "rule-part-unusable"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "rule-impossible-day"),
        ("FREQ=DAILY;BYMONTH=4,6;BYMONTHDAY=31", "rule-impossible-day"),
        ("FREQ=DAILY;UNTIL=20200101", "rule-never-fires"),
    ],
)
def test_a_rule_that_cannot_be_used_says_why(rule: str, code: str) -> None:
    found = problems(a_plan(triggers=(FixedTrigger(id=TRIGGER, rule=rule),)))
    assert [(each.field, each.reason.code) for each in found] == [("triggers.0.rule", code)]


@pytest.mark.parametrize(
    ("trigger", "field", "code"),
    [
        (AgeTrigger(id=TRIGGER, every=Every(0, "months")), "triggers.0.every.count", "interval-out-of-range"),
        (FloatingTrigger(id=TRIGGER, every=Every(101, "years")), "triggers.0.every.count", "interval-out-of-range"),
        (AgeTrigger(id=TRIGGER, every=Every(1, "moons")), "triggers.0.every.unit", "interval-unit-unknown"),  # type: ignore[arg-type]
        (WarrantyPhaseTrigger(id=TRIGGER, phases=()), "triggers.0.phases", "no-phases"),
        (WarrantyPhaseTrigger(id=TRIGGER, phases=("m0",)), "triggers.0.phases.0", "phase-unknown"),
        (WarrantyPhaseTrigger(id=TRIGGER, phases=("m6", "m6")), "triggers.0.phases.1", "phase-twice"),
        (MeterTrigger(id=TRIGGER, meter="", every=500.0), "triggers.0.meter", "no-meter"),
        (MeterTrigger(id=TRIGGER, meter="hours", every=0.0), "triggers.0.every", "number-not-above-zero"),
        (
            MeterTrigger(id=TRIGGER, meter="h", every=1.0, rollover_at=-1.0),
            "triggers.0.rollover_at",
            "number-not-above-zero",
        ),
        (
            MeterTrigger(id=TRIGGER, meter="h", every=1.0, stale_days=0),
            "triggers.0.stale_days",
            "interval-out-of-range",
        ),
        (ConditionTrigger(id=TRIGGER, source="reading", code="bar"), "triggers.0.above", "one-limit"),
        (
            ConditionTrigger(id=TRIGGER, source="reading", code="bar", above=7.0, below=1.0),
            "triggers.0.above",
            "one-limit",
        ),
        (
            ConditionTrigger(id=TRIGGER, source="reading", code="bar", above=7.0, clear=8.0),
            "triggers.0.clear",
            "clear-beyond-limit",
        ),
        (ConditionTrigger(id=TRIGGER, source="answer", code="", equals="worn"), "triggers.0.code", "no-observation"),
        (EventTrigger(id=TRIGGER, on=(), after_days=(7,)), "triggers.0.on", "no-events"),
        (
            EventTrigger(id=TRIGGER, on=("preventive_maintenance",), after_days=(7,)),
            "triggers.0.on",
            "event-of-own-kind",
        ),
        (
            EventTrigger(id=TRIGGER, on=("repair_minor",), after_days=(7, 7)),
            "triggers.0.after_days.1",
            "window-out-of-range",
        ),
        (CampaignTrigger(id=TRIGGER, campaign="", due_on=date(2026, 9, 1)), "triggers.0.campaign", "no-campaign"),
        (CampaignTrigger(id=TRIGGER, campaign="B", due_on=date(2020, 9, 1)), "triggers.0.due_on", "before-start"),
        (
            AnyOf(id=TRIGGER, members=(AgeTrigger(id="a", every=Every(1, "years")),)),
            "triggers.0.members",
            "members-out-of-range",
        ),
        (
            AnyOf(
                id=TRIGGER,
                members=(FixedTrigger(id="a", rule="FREQ=SECONDLY"), AgeTrigger(id="b", every=Every(1, "years"))),
            ),
            "triggers.0.members.0.rule",
            "rule-within-a-day",
        ),
    ],
)
def test_a_bad_trigger_is_told_at_its_field(trigger: Any, field: str, code: str) -> None:
    assert [(each.field, each.reason.code) for each in problems(a_plan(triggers=(trigger,)))] == [(field, code)]


WEEK, YEAR = FixedTrigger(id="week", rule="FREQ=WEEKLY"), AgeTrigger(id="year", every=Every(1, "years"))


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"nesting": {"year": frozenset({"week"}), "week": frozenset({"year"})}}, "nesting.year", "nesting-circle"),
        ({"nesting": {"year": frozenset({"year"})}}, "nesting.year", "nesting-circle"),
        ({"nesting": {"year": frozenset({"month"})}}, "nesting.year", "no-such-trigger"),
        ({"absorb_days": 1000}, "absorb_days", "window-out-of-range"),
        ({"season": frozenset({13})}, "season", "no-such-month"),
        ({"credit_percent": 0}, "credit_percent", "interval-out-of-range"),
        ({"tasks": (PlanTask(code="oil"), PlanTask(code="oil"))}, "tasks.1.code", "task-twice"),
        ({"tasks": (PlanTask(code="oil", every_k_cycles=0),)}, "tasks.0.every_k_cycles", "interval-out-of-range"),
        ({"tasks": (PlanTask(code="oil", triggers=frozenset({"x"})),)}, "tasks.0.triggers", "no-such-trigger"),
        ({"days": SiteDays(country="XX")}, "country", "country-unknown"),
    ],
)
def test_a_bad_policy_is_told_at_its_field(changes: dict[str, Any], field: str, code: str) -> None:
    found = problems(a_plan(triggers=(WEEK, YEAR), **changes))
    assert (field, code) in [(each.field, each.reason.code) for each in found]


def test_a_machine_out_of_service_gets_no_new_plan() -> None:
    retired = AssetFacts(in_service=False)
    assert [(each.field, each.reason.code) for each in problems(a_plan(), retired)] == [("asset_id", "asset-retired")]
    assert problems(a_plan(active=False), retired) == ()


@pytest.mark.parametrize(
    ("document", "field", "code"),
    [
        ({"kind": "moon", "id": "a"}, "triggers.0.kind", "trigger-kind-unknown"),
        ({"kind": "age", "id": "a"}, "triggers.0.every", "trigger-field-missing"),
        (
            {"kind": "age", "id": "a", "every": {"count": 1, "unit": "years"}, "evry": 1},
            "triggers.0.evry",
            "trigger-field-unknown",
        ),
        ({"kind": "age", "every": {"count": 1, "unit": "years"}}, "triggers.0.id", "trigger-without-id"),
        ({"kind": "meter", "id": "a", "meter": "hours", "every": "500"}, "triggers.0", "trigger-unreadable"),
        (
            {"kind": "any_of", "id": "a", "members": [{"kind": "moon"}]},
            "triggers.0.members.0.kind",
            "trigger-kind-unknown",
        ),
        (
            {"kind": "any_of", "id": "a", "members": [{"kind": "any_of", "members": []}] * 2},
            "triggers.0",
            "trigger-unreadable",
        ),
    ],
)
def test_a_document_that_is_no_trigger_is_told_at_its_field(document: dict[str, Any], field: str, code: str) -> None:
    read, found = read_triggers([document])
    assert read == ()
    assert [(each.field, each.reason.code) for each in found][:1] == [(field, code)]


def test_two_triggers_may_not_share_an_id() -> None:
    twice = FixedTrigger(id="same", rule="FREQ=DAILY;INTERVAL=9")
    assert [each.reason.code for each in problems(a_plan(triggers=(twice, twice)))] == ["trigger-id-twice"]


def test_a_rare_date_that_people_do_mean_is_accepted() -> None:
    leap = FixedTrigger(id=TRIGGER, rule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29")
    assert problems(a_plan(triggers=(leap,), starts_on=date(2097, 1, 1))) == ()


@pytest.mark.parametrize(
    ("rule", "start", "dates"),
    [
        ("RRULE:FREQ=WEEKLY;BYDAY=MO,TH;COUNT=3", date(2026, 5, 4), ["2026-05-04", "2026-05-07", "2026-05-11"]),
        ("freq=monthly;byday=2TU;until=20260331T235959Z", date(2026, 1, 1), ["2026-01-13", "2026-02-10", "2026-03-10"]),
        (
            "FREQ=MONTHLY;BYMONTHDAY=31;SKIP=BACKWARD;COUNT=3",
            date(2026, 1, 1),
            ["2026-01-31", "2026-02-28", "2026-03-31"],
        ),
        ("FREQ=YEARLY;COUNT=3", date(2024, 2, 29), ["2024-02-29", "2025-02-28", "2026-02-28"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=2", date(2026, 1, 1), ["2026-01-31", "2026-02-28"]),
        ("FREQ=MONTHLY;SKIP=OMIT;COUNT=2", date(2026, 1, 31), ["2026-01-31", "2026-03-31"]),
    ],
)
def test_a_rule_gives_these_dates(rule: str, start: date, dates: list[str]) -> None:
    plan = a_plan(triggers=(FixedTrigger(id=TRIGGER, rule=rule),), starts_on=start)
    assert problems(plan) == ()
    assert [each.cycle_key for each in expected(plan, AssetFacts(), [], [], start, date(2027, 1, 1))] == dates


def test_single_dates_can_be_left_out_and_added() -> None:
    trigger = FixedTrigger(
        id=TRIGGER,
        rule="FREQ=MONTHLY;COUNT=3",
        without=frozenset({date(2026, 2, 15)}),
        also=frozenset({date(2026, 2, 20)}),
    )
    found = expected(a_plan(triggers=(trigger,)), AssetFacts(), [], [], date(2026, 1, 1), date(2026, 12, 31))
    assert [each.cycle_key for each in found] == ["2026-01-15", "2026-02-20", "2026-03-15"]


EXAMPLES = (
    FixedTrigger(id="a", rule="FREQ=WEEKLY", without=frozenset({date(2026, 2, 1)}), also=frozenset({date(2026, 3, 1)})),
    FloatingTrigger(id="b", every=Every(6, "months"), last_done_on=date(2026, 1, 2)),
    FloatingTrigger(id="b", every=Every(2, "weeks")),
    AgeTrigger(id="c", every=Every(1, "years")),
    WarrantyPhaseTrigger(id="d", phases=("m1", "end-30d")),
    MeterTrigger(id="e", meter="hours", every=500.0, baseline="last_done", rollover_at=100000.0, usual_per_day=8.0),
    MeterTrigger(id="e", meter="hours", every=250.0),
    ConditionTrigger(id="f", source="reading", code="bar", above=7.0, clear=6.0, cooldown_days=14),
    ConditionTrigger(id="f", source="answer", code="belt", equals="worn"),
    EventTrigger(id="g", on=("installed", "repair_minor"), after_days=(7, 30, 90)),
    CampaignTrigger(id="h", campaign="B-12", due_on=date(2026, 9, 1)),
    AnyOf(
        id="i",
        members=(FloatingTrigger(id="i.0", every=Every(6, "months")), MeterTrigger(id="i.1", meter="km", every=1e4)),
        resets="self",
    ),
    AllOf(id="j", members=(AgeTrigger(id="x", every=Every(1, "years")), FixedTrigger(id="y", rule="FREQ=MONTHLY"))),
)


@pytest.mark.parametrize("trigger", EXAMPLES, ids=lambda each: each.kind)
def test_a_trigger_reads_back_as_it_was_written(trigger: Any) -> None:
    assert trigger_from_json(trigger.to_json()) == trigger


def test_every_listed_kind_of_trigger_is_tried_here() -> None:
    assert {type(each) for each in EXAMPLES} == set(TRIGGERS)
    assert len({each.kind for each in TRIGGERS}) == len(TRIGGERS)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"kind": "moon", "id": "a"},
        {"kind": "age", "id": "a"},
        {"kind": "age", "id": "a", "every": {"count": "6", "unit": "months"}},
        {"kind": "age", "id": "a", "every": {"count": 6, "unit": "moons"}},
        {"kind": "calendar_fixed", "id": "a", "rule": "FREQ=DAILY", "also": ["soon"]},
    ],
)
def test_a_document_that_is_no_trigger_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="trigger"):
        trigger_from_json(document)


def test_names_are_the_same_on_every_server() -> None:
    """Fixed by this test: changing the naming would duplicate every visit that is already out there."""
    name = occurrence_id("plan", "trigger", "2026-05-04")
    assert name == "28e45236-5720-503b-9a60-8ed71932a412"
    assert visit_id(name) == "f4dd283c-a244-58f3-bcf5-0b9168a142ce"


def test_a_visit_pulled_forward_keeps_its_name() -> None:
    plan = a_plan(triggers=(FixedTrigger(id=TRIGGER, rule="FREQ=WEEKLY"),), starts_on=date(2026, 3, 23))
    before = expected(plan, AssetFacts(), [], [], date(2026, 3, 1), date(2026, 3, 23))
    after = expected(plan, AssetFacts(), [], [], date(2026, 3, 20), date(2026, 3, 23))
    assert [each.visit_id for each in before] == [each.visit_id for each in after]


def test_a_trigger_without_its_anchor_does_not_silence_the_others() -> None:
    plan = a_plan(
        triggers=(AgeTrigger(id="age", every=Every(6, "months")), FixedTrigger(id="fix", rule="FREQ=MONTHLY")),
    )
    found = expected(plan, AssetFacts(), [], [], date(2026, 1, 15), date(2026, 1, 31))
    assert [(each.trigger_id, each.state, each.due_on) for each in found] == [
        ("age", State.SUPPRESSED, None),
        ("fix", State.GENERATED, date(2026, 1, 15)),
    ]


def test_an_interval_that_does_not_move_on_is_refused_rather_than_counted_for_ever() -> None:
    plan = a_plan(triggers=(FloatingTrigger(id=TRIGGER, every=Every(0, "days")),))
    with pytest.raises(ValueError, match="counts from 1"):
        expected(plan, AssetFacts(), [], [], date(2026, 1, 1), date(2026, 2, 1))


def test_a_reason_reads_back_with_its_remedy() -> None:
    why = Reason("held", {"n": 2}, Reason("close-it", {"number": "V-1"}))
    assert Reason.from_json(why.to_json()) == why
    assert hash(Reason.from_json(why.to_json())) == hash(why)


@pytest.mark.parametrize(
    ("zone", "day", "utc"),
    [
        # Atlas counts 24 hours and turns 09:00 into 10:00 after these changes; the wall clock stays at nine here.
        ("Europe/Berlin", date(2026, 3, 28), "2026-03-28T08:00"),
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-29T07:00"),
        ("America/New_York", date(2026, 3, 8), "2026-03-08T13:00"),
        ("America/New_York", date(2026, 11, 1), "2026-11-01T14:00"),
        ("Asia/Kolkata", date(2026, 6, 1), "2026-06-01T03:30"),
        ("Europe/Moscow", date(2026, 3, 29), "2026-03-29T06:00"),
        # Half an hour of summer time.
        ("Australia/Lord_Howe", date(2026, 1, 15), "2026-01-14T22:00"),
        ("Australia/Lord_Howe", date(2026, 6, 15), "2026-06-14T22:30"),
        # Apia had no 30 December 2011: nine o'clock falls on the 31st.
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T19:00"),
    ],
)
def test_nine_in_the_morning_is_nine_on_the_wall(zone: str, day: date, utc: str) -> None:
    instant = instant_of(day, time(9), zone)
    assert instant.isoformat().startswith(utc)
    assert local_date(instant, zone) == (date(2011, 12, 31) if zone == "Pacific/Apia" else day)


def test_a_wall_time_that_does_not_exist_comes_after_the_gap() -> None:
    assert instant_of(date(2026, 3, 29), time(2, 30), "Europe/Berlin") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_an_instant_without_a_zone_has_no_date() -> None:
    with pytest.raises(ValueError, match="time zone"):
        local_date(datetime(2026, 3, 29), "UTC")
