"""Laws of the maintenance core, on random plans, and its agreement with a naive model."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.maintenance import (
    LONGEST,
    AgeTrigger,
    AllOf,
    AnyOf,
    AssetFacts,
    CampaignTrigger,
    CatchUp,
    Closure,
    Completion,
    ConditionTrigger,
    EventTrigger,
    Every,
    FixedTrigger,
    FloatingTrigger,
    MeterTrigger,
    OpenPrevious,
    Plan,
    PlanTask,
    Reading,
    Recorded,
    Shift,
    SiteDays,
    State,
    VisitState,
    WarrantyPhaseTrigger,
    add_months,
    expected,
    look_on,
)
from server.domain.maintenance.site_days import EVERY_DAY
from tests.domain.conftest import tries
from tests.domain.maintenance_builders import TRIGGER, a_plan, done, occurrence, recorded, stored
from tests.domain.naive_plan import Naive, every_days, every_months, on_weekday

START = date(2024, 1, 1)
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
dates = st.dates(START, date(2027, 12, 31))
intervals = st.builds(Every, st.integers(1, 9), st.sampled_from(["days", "weeks", "months", "years"])).filter(
    lambda every: every.unit != "days" or every.count > 3
)
fixed_rules = st.one_of(
    st.builds("FREQ=DAILY;INTERVAL={}".format, st.integers(5, 60)),
    st.builds("FREQ=WEEKLY;INTERVAL={};BYDAY={}".format, st.integers(1, 5), st.sampled_from(DAYS)),
    st.builds("FREQ=MONTHLY;INTERVAL={}".format, st.integers(1, 7)),
)


@dataclass
class Situation:
    plan: Plan
    facts: AssetFacts
    completions: list[Completion]
    existing: list[Recorded]
    today: date

    def decide(self, until: date, **changes: Any) -> list[Any]:
        now = replace(self, **changes)
        return expected(now.plan, now.facts, now.completions, now.existing, now.today, until)


def simple(identity: str) -> st.SearchStrategy[Any]:
    phases = st.lists(st.sampled_from(["m1", "m6", "m18", "d10", "end-30d", "end-2m"]), min_size=1, unique=True)
    return st.one_of(
        st.builds(FixedTrigger, id=st.just(identity), rule=fixed_rules),
        st.builds(FloatingTrigger, id=st.just(identity), every=intervals),
        st.builds(AgeTrigger, id=st.just(identity), every=intervals),
        st.builds(WarrantyPhaseTrigger, id=st.just(identity), phases=phases.map(tuple)),
        st.builds(
            MeterTrigger,
            id=st.just(identity),
            meter=st.just("hours"),
            every=st.sampled_from([100.0, 250.0, 1000.0]),
            baseline=st.sampled_from(["grid", "last_done"]),
            usual_per_day=st.none() | st.just(8.0),
        ),
        st.builds(
            ConditionTrigger,
            id=st.just(identity),
            source=st.just("reading"),
            code=st.just("bar"),
            above=st.just(7.0),
            clear=st.none() | st.just(5.0),
            cooldown_days=st.sampled_from([0, 30]),
        ),
        st.builds(
            EventTrigger,
            id=st.just(identity),
            on=st.sampled_from([("repair_minor",), ("commissioned", "repair_minor")]),
            after_days=st.sampled_from([(7,), (7, 30, 90)]),
        ),
        st.builds(CampaignTrigger, id=st.just(identity), campaign=st.sampled_from(["B-1", "B-2"]), due_on=dates),
    )


def triggers(identity: str) -> st.SearchStrategy[Any]:
    members = st.lists(simple("m"), min_size=2, max_size=3).map(tuple)
    both = [
        st.builds(kind, id=st.just(identity), members=members, resets=st.sampled_from(["all", "self"]))
        for kind in (AnyOf, AllOf)
    ]
    return st.one_of(simple(identity), *both)


russian = SiteDays(weekend=frozenset({5, 6}), country="RU")
summer = SiteDays(weekend=frozenset({6}), closed=(Closure(first=date(2026, 7, 20), last=date(2026, 8, 16)),))
TASKS = (PlanTask(code="oil"), PlanTask(code="belt", every_k_cycles=2), PlanTask(code="bolts", every_k_cycles=3))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    chosen = [draw(triggers(TRIGGER))] + ([draw(triggers("t2"))] if draw(st.booleans()) else [])
    nested = len(chosen) == 2 and draw(st.booleans())
    return a_plan(
        triggers=tuple(chosen),
        starts_on=draw(st.dates(START, date(2025, 12, 31))),
        ends_on=draw(st.none() | dates.filter(lambda day: day >= date(2026, 1, 1))),
        early_days=draw(st.integers(0, 20)),
        late_days=draw(st.integers(0, 20)),
        hard_due=draw(st.booleans()),
        horizon_days=draw(st.integers(1, 120)),
        open_previous=draw(st.sampled_from(OpenPrevious)),
        catch_up=draw(st.sampled_from(CatchUp)),
        only_in_warranty=draw(st.booleans()),
        shift=draw(st.sampled_from(Shift)),
        days=draw(st.sampled_from([EVERY_DAY, russian, summer])),
        season=draw(st.sampled_from([frozenset(), frozenset({4, 5, 6, 7, 8, 9})])),
        tasks=draw(st.sampled_from([(), TASKS])),
        nesting={"t2": frozenset({TRIGGER})} if nested else {},
        absorb_days=draw(st.none() | st.integers(0, 40)),
    )


def readings(draw: st.DrawFn) -> tuple[Reading, ...]:
    """Hours that rise, now and then with a number that cannot be, and pressures that come and go."""
    days = sorted(draw(st.lists(dates, max_size=6, unique=True)))
    steps = draw(st.lists(st.integers(-20, 900), min_size=len(days), max_size=len(days)))
    hours = [
        Reading(id=f"h{at}", meter="hours", on=day, value=1000.0 + sum(steps[: at + 1])) for at, day in enumerate(days)
    ]
    found = draw(st.lists(st.tuples(dates, st.integers(3, 9)), max_size=6, unique=True))
    return (*hours, *(Reading(id=f"b{at}", meter="bar", on=day, value=bar) for at, (day, bar) in enumerate(found)))


@st.composite
def facts_known(draw: st.DrawFn) -> AssetFacts:
    return AssetFacts(
        commissioned_on=draw(st.none() | st.dates(date(2020, 1, 1), date(2025, 12, 31))),
        in_service=draw(st.booleans()),
        out_of_service_from=draw(st.none() | dates),
        warranty_starts_on=draw(st.none() | dates),
        warranty_ends_on=draw(st.none() | dates),
        contract_ends_on=draw(st.none() | dates),
        readings=readings(draw),
        campaigns_elsewhere=draw(st.sampled_from([frozenset(), frozenset({"B-1"})])),
    )


OUTCOMES = ("done", "done", "no_access", "partly_done")
SOME_TASKS = (None, None, frozenset({"oil"}), frozenset({"oil", "belt", "bolts"}))


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    pieces = st.tuples(
        dates,
        st.sampled_from(["preventive_maintenance", "repair_minor"]),
        st.sampled_from(OUTCOMES),
        st.sampled_from(SOME_TASKS),
    )
    work = [
        done(day, f"v{index}", kind=kind, outcome=outcome, tasks=tasks)
        for index, (day, kind, outcome, tasks) in enumerate(draw(st.lists(pieces, max_size=6)))
    ]
    today = draw(dates)
    now = Situation(draw(plans()), draw(facts_known()), work, [], today)
    # People have touched some of the visits that an earlier run made, and ended some.
    made = stored([], now.decide(today + timedelta(days=90), today=today - timedelta(days=draw(st.integers(0, 200)))))
    touched = st.sampled_from([each for each in VisitState if each is not VisitState.WITHDRAWN])
    for row in made:
        state = draw(touched) if row.visit_state else None
        now.existing.append(replace(row, visit_state=state))
        if state is VisitState.DONE and row.due_on is not None:
            ended = row.due_on + timedelta(days=draw(st.integers(-10, 30)))
            outcome, tasks = draw(st.sampled_from(OUTCOMES)), draw(st.sampled_from(SOME_TASKS))
            own = done(ended, f"own-{len(work)}", row.cycle_key, row.trigger_id, outcome=outcome, tasks=tasks)
            work.append(own)
    return now


@given(situations(), st.integers(0, 400))
def test_applying_the_ledger_and_asking_again_changes_nothing(now: Situation, days: int) -> None:
    until = now.today + timedelta(days=days)
    first = now.decide(until)
    again = now.decide(until, existing=stored(now.existing, first))
    assert again == first


@given(situations(), st.integers(0, 31))
def test_until_the_day_on_which_to_look_again_time_changes_nothing(now: Situation, days: int) -> None:
    """What lets the hourly run pass plans over without deciding them."""
    until = max(
        [now.today + timedelta(days=now.plan.horizon_days), *(row.due_on for row in now.existing if row.due_on)]
    )
    beyond = now.decide(until + timedelta(days=LONGEST))
    written = [each for each in beyond if each.due_on is None or each.due_on <= until]
    now.existing = stored(now.existing, written)
    again = look_on(now.plan, now.facts, beyond, now.today)
    assert now.today < again <= now.today + timedelta(days=LONGEST)
    later = min(now.today + timedelta(days=days), again - timedelta(days=1))
    until_then = max(until, later + timedelta(days=now.plan.horizon_days))
    assert now.decide(until_then, today=later) == written


@given(situations(), st.integers(0, 300), st.integers(0, 300))
def test_splitting_the_horizon_changes_nothing(now: Situation, near: int, more: int) -> None:
    far = now.today + timedelta(days=near + more)
    whole = now.decide(far)
    part = now.decide(now.today + timedelta(days=near))
    assert part == [each for each in whole if each.due_on is None or each.due_on <= now.today + timedelta(days=near)]
    assert now.decide(far, existing=stored(now.existing, part)) == whole


@given(situations(), st.randoms(use_true_random=False))
def test_the_order_of_what_is_known_changes_nothing(now: Situation, chance: Any) -> None:
    until = now.today + timedelta(days=120)
    before = now.decide(until)
    chance.shuffle(now.completions)
    chance.shuffle(now.existing)
    assert now.decide(until) == before


@given(situations())
def test_every_expected_date_has_exactly_one_row(now: Situation) -> None:
    found = now.decide(now.today + timedelta(days=200))
    assert len({each.occurrence_id for each in found}) == len(found)
    assert len({each.visit_id for each in found}) == len(found)


@given(situations())
def test_work_that_has_started_is_never_taken_back(now: Situation) -> None:
    found = {each.occurrence_id: each for each in now.decide(now.today + timedelta(days=2000))}
    for row in now.existing:
        if row.visit_state in (VisitState.PUBLISHED, VisitState.STARTED):
            assert found[occurrence(row.cycle_key, row.trigger_id)].state is State.GENERATED


@given(situations())
def test_a_plan_that_holds_never_adds_a_visit_beside_an_open_one(now: Situation) -> None:
    fresh = now.decide(
        now.today + timedelta(days=200), existing=[], plan=replace(now.plan, open_previous=OpenPrevious.HOLD)
    )
    made = [each for each in fresh if each.state is State.GENERATED and each.reason.code in ("due", "overdue")]
    assert len(made) <= 1


@given(st.lists(dates, max_size=5, unique=True), plans(), dates, st.permutations(range(5)))
def test_late_news_in_any_order_ends_in_the_same_ledger(
    days: list[date], plan: Plan, today: date, order: list[int]
) -> None:
    """Between two pieces of news the scheduler runs and makes visits that nobody touches."""
    plan = replace(plan, triggers=plan.triggers[:1])
    now = Situation(plan, AssetFacts(commissioned_on=START), [], [], today)
    work = [done(day, f"v{index}") for index, day in enumerate(days)]
    until = today + timedelta(days=150)
    at_once = now.decide(until, completions=work)
    for index in (each for each in order if each < len(work)):
        now.completions.append(work[index])
        now.existing = stored(now.existing, now.decide(until))
    expected_rows = {each.occurrence_id: each for each in at_once}
    for decision in now.decide(until):
        if decision.reason.code != "no-longer-expected":
            assert decision == expected_rows.pop(decision.occurrence_id)
    assert not expected_rows


@given(intervals, st.dates(date(2020, 1, 1), date(2026, 12, 31)))
def test_anchors_do_not_drift_in_ten_years(every: Every, start: date) -> None:
    plan = a_plan(triggers=(AgeTrigger(id=TRIGGER, every=every),), starts_on=start)
    facts = AssetFacts(commissioned_on=start)
    today = date(start.year + 10, start.month, 1)
    found = expected(plan, facts, [], [], start, today)
    for decision in found:
        steps = int(decision.cycle_key) * every.count
        if every.unit in ("days", "weeks"):
            assert decision.due_on == start + timedelta(days=steps * (7 if every.unit == "weeks" else 1))
        else:
            assert decision.due_on == add_months(start, steps * (12 if every.unit == "years" else 1))
    assert all(earlier.due_on < later.due_on for earlier, later in pairwise(found))


@given(dates, st.integers(-400, 400))
def test_a_month_keeps_its_day_or_is_shortened_to_its_end(anchor: date, months: int) -> None:
    moved = add_months(anchor, months)
    assert (moved.year * 12 + moved.month) - (anchor.year * 12 + anchor.month) == months
    assert moved.day == anchor.day or (moved.day < anchor.day and (moved + timedelta(days=1)).day == 1)


@st.composite
def simple_rules(draw: st.DrawFn) -> tuple[Any, Callable[[date], Callable[[date], bool]]]:
    """A trigger and, in other words, the question whether a day is expected."""
    step = draw(st.integers(1, 6))
    match draw(st.sampled_from(["days", "weeks", "months", "age"])):
        case "days":
            trigger = FixedTrigger(id=TRIGGER, rule=f"FREQ=DAILY;INTERVAL={step * 7 + 3}")
            return trigger, lambda start: every_days(start, step * 7 + 3)
        case "weeks":
            weekday = draw(st.integers(0, 6))
            trigger = FixedTrigger(id=TRIGGER, rule=f"FREQ=WEEKLY;INTERVAL={step};BYDAY={DAYS[weekday]}")
            return trigger, lambda start: on_weekday(start, weekday, step)
        case "months":
            return FixedTrigger(id=TRIGGER, rule=f"FREQ=MONTHLY;INTERVAL={step}"), lambda start: every_months(
                start, step
            )
    age = AgeTrigger(id=TRIGGER, every=Every(step, "months"))
    return age, lambda start: every_months(date(2023, 8, 31), step, first=1)


def every_day(day: date) -> bool:
    return True


def week_days(day: date) -> bool:
    return day.weekday() < 5


DAYS_OFF = ((EVERY_DAY, every_day), (SiteDays(weekend=frozenset({5, 6})), week_days))


@settings(max_examples=tries(250, 5000))
@given(st.data())
def test_agrees_with_the_day_by_day_model(data: st.DataObject) -> None:
    trigger, question = data.draw(simple_rules())
    start = data.draw(st.dates(START, date(2025, 6, 30)))
    plan = a_plan(
        triggers=(trigger,),
        starts_on=start,
        ends_on=data.draw(st.none() | st.dates(date(2026, 1, 1), date(2026, 12, 31))),
        active=data.draw(st.sampled_from([True, True, True, False])),
        early_days=data.draw(st.integers(0, 15)),
        late_days=data.draw(st.integers(0, 15)),
        horizon_days=data.draw(st.integers(1, 90)),
        hard_due=data.draw(st.booleans()),
        open_previous=data.draw(st.sampled_from([OpenPrevious.HOLD, OpenPrevious.STACK])),
        catch_up=data.draw(st.sampled_from(CatchUp)),
        season=data.draw(st.sampled_from([frozenset(), frozenset({3, 4, 5, 6, 7, 8, 9, 10})])),
        shift=data.draw(st.sampled_from(Shift)),
    )
    calendar, works = data.draw(st.sampled_from(DAYS_OFF))
    plan = replace(plan, days=calendar)
    today = data.draw(st.dates(start, date(2026, 12, 31)))
    until = today + timedelta(days=data.draw(st.integers(0, 200)))
    expects = question(start)
    days = [start + timedelta(days=each) for each in range((until - start).days + 1)]
    chosen = data.draw(
        st.lists(st.sampled_from([day for day in days if expects(day)] or [start]), max_size=5, unique=True)
    )
    visits: dict[date, VisitState] = {}
    own: dict[date, Completion] = {}
    for day in (day for day in chosen if expects(day)):
        visits[day] = data.draw(st.sampled_from([each for each in VisitState if each is not VisitState.WITHDRAWN]))
        if visits[day] is VisitState.DONE:
            own[day] = done(day + timedelta(days=data.draw(st.integers(-9, 30))), f"own-{day}", key_of(trigger, day))
    work = [
        done(day, f"extra-{index}", kind=kind)
        for index, (day, kind) in enumerate(
            data.draw(
                st.lists(
                    st.tuples(st.sampled_from(days), st.sampled_from(["preventive_maintenance", "repair_minor"])),
                    max_size=4,
                )
            )
        )
    ]
    facts = AssetFacts(
        commissioned_on=date(2023, 8, 31),
        in_service=(since := data.draw(st.none() | st.sampled_from(days))) is None,
        out_of_service_from=since,
        contract_ends_on=data.draw(st.none() | st.sampled_from(days)),
    )
    existing = [recorded(key_of(trigger, day), state, day) for day, state in visits.items()]

    found = expected(plan, facts, work + list(own.values()), existing, today, until)

    naive = Naive(plan, facts, work + list(own.values()), visits, own, today, expects, works)
    said = [(each.due_on, each.target_on, each.state.value, each.reason.code) for each in found]
    assert said == naive.ledger(until)


def key_of(trigger: Any, day: date) -> str:
    if isinstance(trigger, AgeTrigger):
        months = (day.year - 2023) * 12 + day.month - 8
        return str(months // trigger.every.count)
    return day.isoformat()
