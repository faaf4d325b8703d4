"""The worked cases of `maintenance-cases.md`, row by row."""

import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from server.domain.maintenance import (
    AgeTrigger,
    AssetFacts,
    CatchUp,
    Completion,
    Every,
    FixedTrigger,
    FloatingTrigger,
    OpenPrevious,
    Plan,
    Recorded,
    State,
    Trigger,
    VisitState,
    WarrantyPhaseTrigger,
    expected,
    problems,
)
from server.domain.reason import Reason
from tests.domain.maintenance_builders import TRIGGER, a_plan, done, recorded

CASES = (Path(__file__).parent / "maintenance-cases.md").read_text("utf-8")
ISO = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass
class Case:
    plan: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
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


def trigger(words: list[str]) -> Trigger | None:
    match words:
        case ["rule", rule]:
            return FixedTrigger(id=TRIGGER, rule=rule)
        case ["floating", count, unit]:
            return FloatingTrigger(id=TRIGGER, every=Every(int(count), unit))
        case ["age", count, unit]:
            return AgeTrigger(id=TRIGGER, every=Every(int(count), unit))
        case ["phases", *phases]:
            return WarrantyPhaseTrigger(id=TRIGGER, phases=tuple(phases))
    return None


def read_plan(case: Case, text: str) -> None:
    words = text.split()
    if (found := trigger(words)) is not None:
        case.plan["triggers"] = (found,)
        return
    match words:
        case ["starts", on]:
            case.plan["starts_on"] = day(on)
        case ["ends", on]:
            case.plan["ends_on"] = day(on)
        case ["early" | "late" | "horizon" as name, days]:
            case.plan[f"{name}_days"] = int(days)
        case ["kind", kind]:
            case.plan["kind"] = kind
        case ["open", policy]:
            case.plan["open_previous"] = OpenPrevious(policy)
        case ["catch", "up", policy]:
            case.plan["catch_up"] = CatchUp(policy)
        case ["switched", "off"]:
            case.plan["active"] = False
        case ["only", "in", "warranty"]:
            case.plan["only_in_warranty"] = True
        case ["commissioned", on]:
            case.facts["commissioned_on"] = day(on)
        case ["warranty", first, last]:
            case.facts |= {"warranty_starts_on": day(first), "warranty_ends_on": day(last)}
        case ["contract", "until", on]:
            case.facts["contract_ends_on"] = day(on)
        case ["out", "of", "service", "since", on]:
            case.facts |= {"in_service": False, "out_of_service_from": day(on)}
        case _:
            raise AssertionError(f"a plan cannot say {text!r}")


def read_event(case: Case, text: str) -> None:
    kind = case.plan.get("kind", "preventive_maintenance")
    match text.split():
        case ["visit", key, state]:
            case.existing.append(recorded(key, VisitState(state), day(key) if ISO.fullmatch(key) else None))
        case ["recorded", key, state, code]:
            case.existing.append(recorded(key, None, day(key), state=State(state), reason=Reason(code)))
        case ["done", on]:
            case.completions.append(done(day(on), f"visit-{on}", kind=kind))
        case ["done", on, "as", other]:
            case.completions.append(done(day(on), f"visit-{on}", kind=other))
        case [outcome, on, "for", key]:
            case.completions.append(done(day(on), f"visit-{on}", key, kind=kind, outcome=outcome))
            case.existing = [row for row in case.existing if row.cycle_key != key]
            case.existing.append(recorded(key, VisitState.DONE, day(key) if ISO.fullmatch(key) else None))
        case _:
            raise AssertionError(f"nothing happens as {text!r}")


def read(section: str) -> tuple[Plan, AssetFacts, Case]:
    case = Case()
    for text in line(section, "Plan"):
        read_plan(case, text)
    for text in line(section, "Happened"):
        read_event(case, text)
    return a_plan(**case.plan), AssetFacts(**case.facts), case


@pytest.mark.parametrize("section", [text for _, text in sections()], ids=[name for name, _ in sections()])
def test_worked_case(section: str) -> None:
    plan, facts, case = read(section)
    assert problems(plan) == ()
    today, until = (day(each) for each in ISO.findall(line(section, "Today")[0]))
    table = [row.strip("| ").split(" | ") for row in section.splitlines() if re.match(r"\| (\d|none)", row)]

    found = expected(plan, facts, case.completions, case.existing, today, until)

    said = [[str(each.due_on or "none").lower(), each.state.value, each.reason.code] for each in found]
    assert said == [[due, state, why] for due, state, why in table]


def test_every_case_names_its_source() -> None:
    assert len(sections()) >= 30
    for name, section in sections():
        assert re.search(r"^Source: .{10,}$", section, re.MULTILINE), name
