"""The worked cases of `maintenance-cases.md`, row by row."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from server.domain.maintenance import (
    AgeTrigger,
    AllOf,
    Answer,
    AnyOf,
    AssetFacts,
    CampaignTrigger,
    CatchUp,
    Closure,
    Completion,
    ConditionTrigger,
    Decision,
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
    Trigger,
    VisitState,
    WarrantyPhaseTrigger,
    expected,
    problems,
)
from server.domain.reason import Reason
from server.text import say
from tests.domain.maintenance_builders import TRIGGER, a_plan, done, recorded

CASES = (Path(__file__).parent / "maintenance-cases.md").read_text("utf-8")
ISO = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass
class Case:
    plan: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    days: dict[str, Any] = field(default_factory=dict)
    completions: list[Completion] = field(default_factory=list)
    existing: list[Recorded] = field(default_factory=list)


def sections() -> list[tuple[str, str]]:
    return [(part.split("\n", 1)[0], part) for part in CASES.split("\n## ")[1:]]


def line(section: str, name: str) -> list[str]:
    found = re.search(rf"^{name}: (.*)$", section, re.MULTILINE)
    without_remarks = re.sub(r" *\([^)]*\)", "", found[1]) if found else ""
    return [each.strip() for each in re.split(r";\s", without_remarks) if each.strip()]


def day(text: str) -> date:
    return date.fromisoformat(text)


def trigger(words: list[str], name: str = TRIGGER) -> Trigger | None:
    match words:
        case ["rule", rule]:
            return FixedTrigger(id=name, rule=rule)
        case ["floating", count, unit]:
            return FloatingTrigger(id=name, every=Every(int(count), unit))
        case ["age", count, unit]:
            return AgeTrigger(id=name, every=Every(int(count), unit))
        case ["phases", *phases]:
            return WarrantyPhaseTrigger(id=name, phases=tuple(phases))
        case ["meter", meter, "every", step, *more]:
            return MeterTrigger(id=name, meter=meter, every=float(step), **numbers(more))
        case ["reading", code, "above" | "below" as limit, level, *more]:
            return ConditionTrigger(id=name, source="reading", code=code, **{limit: float(level)}, **numbers(more))
        case ["answer", code, "equals", value, *more]:
            return ConditionTrigger(id=name, source="answer", code=code, equals=value, **numbers(more))
        case ["after", kind, *days]:
            return EventTrigger(id=name, on=(kind,), after_days=tuple(map(int, days)))
        case ["campaign", campaign, "by", on]:
            return CampaignTrigger(id=name, campaign=campaign, due_on=day(on))
        case ["any" | "all" as how, "of", *members, "resets", resets]:
            parts = " ".join(members).split(" | ")
            found = [trigger(part.split(), f"{name}.{index}") for index, part in enumerate(parts)]
            assert all(found)
            kind = AnyOf if how == "any" else AllOf
            return kind(id=name, members=tuple(found), resets=resets)  # type: ignore[arg-type]
    return None


NUMBERS = {
    "rollover": "rollover_at", "most": "most_per_day", "usual": "usual_per_day", "from": "baseline_at",
    "clear": "clear",
}  # fmt: skip
DAYS = {"within": "within_days", "cooldown": "cooldown_days", "stale": "stale_days"}


def numbers(words: list[str]) -> dict[str, Any]:
    """`rollover 10000 within 7` as arguments."""
    if words[:2] == ["since", "done"]:
        return {"baseline": "last_done"} | numbers(words[2:])
    found: dict[str, Any] = {}
    for name, value in zip(words[::2], words[1::2], strict=True):
        found |= {NUMBERS[name]: float(value)} if name in NUMBERS else {DAYS[name]: int(value)}
    return found


WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def read_plan(case: Case, text: str) -> None:
    name, _, rest = text.partition(" = ")
    words = (rest or text).split()
    if (found := trigger(words, name if rest else TRIGGER)) is not None:
        case.plan["triggers"] = (*case.plan.get("triggers", ()), found)
        return
    match words:
        case ["starts", on]:
            case.plan["starts_on"] = day(on)
        case ["ends", on]:
            case.plan["ends_on"] = day(on)
        case ["early" | "late" | "horizon" | "absorb" as name, days]:
            case.plan[f"{name}_days"] = int(days)
        case ["hard"]:
            case.plan["hard_due"] = True
        case ["kind", kind]:
            case.plan["kind"] = kind
        case ["open", policy]:
            case.plan["open_previous"] = OpenPrevious(policy)
        case ["catch", "up", policy]:
            case.plan["catch_up"] = CatchUp(policy)
        case ["shift", policy]:
            case.plan["shift"] = Shift(policy)
        case ["season", *months]:
            case.plan["season"] = frozenset(map(int, months))
        case ["weekend", *days]:
            case.days["weekend"] = frozenset(map(WEEKDAYS.index, days))
        case ["country", country]:
            case.days["country"] = country
        case ["closed", first, last]:
            case.days["closed"] = (Closure(first=day(first), last=day(last)),)
        case [greater, "contains", *lesser]:
            case.plan["nesting"] = case.plan.get("nesting", {}) | {greater: frozenset(lesser)}
        case ["task", code, *more]:
            every = int(more[1]) if more else 1
            case.plan["tasks"] = (*case.plan.get("tasks", ()), PlanTask(code=code, every_k_cycles=every))
        case ["credit", percent]:
            case.plan["credit_percent"] = int(percent)
        case ["credit", "kind", kind]:
            case.plan["credit_kinds"] = frozenset({kind})
        case ["switched", "off"]:
            case.plan["active"] = False
        case ["only", "in", "warranty"]:
            case.plan["only_in_warranty"] = True
        case ["installed" | "commissioned" as name, on]:
            case.facts[f"{name}_on"] = day(on)
        case ["warranty", first, last]:
            case.facts |= {"warranty_starts_on": day(first), "warranty_ends_on": day(last)}
        case ["contract", "until", on]:
            case.facts["contract_ends_on"] = day(on)
        case ["campaign", "elsewhere", campaign]:
            case.facts["campaigns_elsewhere"] = frozenset({campaign})
        case ["out", "of", "service", "since", on]:
            case.facts |= {"in_service": False, "out_of_service_from": day(on)}
        case _:
            raise AssertionError(f"a plan cannot say {text!r}")


def read_event(case: Case, text: str) -> None:
    kind = case.plan.get("kind", "preventive_maintenance")
    said, _, listed = text.partition(" tasks ")
    tasks = frozenset(listed.split(",")) if listed else None
    said, _, name = said.partition(" of ")
    name = name or TRIGGER
    match said.split():
        case ["reading", meter, value, "on", on, *more]:
            reading = Reading(id=f"{meter}-{on}", meter=meter, on=day(on), value=float(value), replaced="new" in more)
            case.facts["readings"] = (*case.facts.get("readings", ()), reading)
        case ["answer", item, value, "on", on]:
            answer = Answer(id=f"{item}-{on}", item=item, on=day(on), value=value)
            case.facts["answers"] = (*case.facts.get("answers", ()), answer)
        case ["visit", key, state]:
            due_on = day(key) if ISO.fullmatch(key) else None
            case.existing.append(recorded(key, VisitState(state), due_on, trigger_id=name))
        case ["recorded", key, state, code]:
            case.existing.append(recorded(key, None, day(key), state=State(state), reason=Reason(code)))
        case ["done", on]:
            case.completions.append(done(day(on), f"visit-{on}", kind=kind, tasks=tasks))
        case ["done" | "partly_done" as outcome, on, "as", other]:
            case.completions.append(done(day(on), f"visit-{on}", kind=other, outcome=outcome, tasks=tasks))
        case [outcome, on, "for", key]:
            case.completions.append(done(day(on), f"visit-{on}", key, name, kind=kind, outcome=outcome, tasks=tasks))
            case.existing = [row for row in case.existing if (row.trigger_id, row.cycle_key) != (name, key)]
            due_on = day(key) if ISO.fullmatch(key) else None
            case.existing.append(recorded(key, VisitState.DONE, due_on, trigger_id=name))
        case _:
            raise AssertionError(f"nothing happens as {text!r}")


def read(section: str) -> tuple[Plan, AssetFacts, Case]:
    case = Case()
    for text in line(section, "Plan"):
        read_plan(case, text)
    for text in line(section, "Happened"):
        read_event(case, text)
    case.plan["days"] = SiteDays(**case.days)
    return a_plan(**case.plan), AssetFacts(**case.facts), case


def tasks_of(decision: Decision) -> str:
    """Tasks; one that was left undone is marked."""
    names = (f"{each.code}{'*' if each.carried_from else ''}" for each in decision.tasks)
    return ", ".join(names) or "-"


COLUMNS: dict[str, Callable[[Decision], str]] = {
    "due": lambda each: str(each.due_on or "none").lower(),
    "trigger": lambda each: each.trigger_id,
    "key": lambda each: each.cycle_key,
    "on": lambda each: str(each.target_on),
    "from": lambda each: str(each.window_from),
    "to": lambda each: str(each.window_to),
    "ledger": lambda each: each.state.value,
    "why": lambda each: each.reason.code,
    "because": lambda each: say("plan", each.basis.code, each.basis.params) if each.basis else "-",
    "tasks": tasks_of,
}
"""What a column of a table says of a row of the ledger."""


@pytest.mark.parametrize("section", [text for _, text in sections()], ids=[name for name, _ in sections()])
def test_worked_case(section: str) -> None:
    plan, facts, case = read(section)
    assert problems(plan) == ()
    today, until = (day(each) for each in ISO.findall(line(section, "Today")[0]))
    rows = [row.strip("| ").split(" | ") for row in section.splitlines() if row.startswith("| ")]
    columns, table = rows[0], rows[1:]

    found = expected(plan, facts, case.completions, case.existing, today, until)

    assert [[COLUMNS[name](each) for name in columns] for each in found] == table


def test_every_case_names_its_source() -> None:
    assert len(sections()) >= 60
    for name, section in sections():
        assert re.search(r"^Source: .{10,}$", section, re.MULTILINE), name
