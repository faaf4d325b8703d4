"""A fleet that breaks a law becomes a short history that breaks it too, and a picture of it."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree

import pytest

from sync.simulator.picture import MOST_ROWS, picture
from sync.simulator.run import Broken, in_memory, script_of, shortened
from sync.simulator.script import Script
from sync.simulator.shrink import shrink
from tests.simulator.planted import BUGS, find

SVG = "{http://www.w3.org/2000/svg}"


def short(name: str) -> Broken:
    bug = next(bug for bug in BUGS if bug.name == name)
    found = find(bug)
    assert found is not None
    return shortened(found.report, bug.run)


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("cursor without document", 3),
        ("journal in memory", 4),
        ("drop loses the queue", 6),
        ("backup covers too much", 5),
    ],
)
def test_a_red_fleet_becomes_a_short_history_of_the_same_law(name: str, most: int) -> None:
    broken = short(name)
    bug = next(bug for bug in BUGS if bug.name == name)
    kept = broken.report.script
    assert len(kept.operations) <= most < broken.before
    assert broken.violation in bug.run(kept).violations
    for n in range(len(kept.operations)):
        fewer = kept.only((*kept.operations[:n], *kept.operations[n + 1 :]))
        assert broken.violation.law not in {found.law for found in bug.run(fewer).violations}


def test_what_does_not_matter_in_an_operation_goes_too() -> None:
    script = script_of(3, devices=3, operations=40, faults=("kill", "no-reply", "die", "clock", "shared"))
    wanted = next(one.i for one in script.operations if one.do == "sync" and "no-reply" in one.args["net"])

    def fails(each: Script) -> bool:
        return any(one.i == wanted and "no-reply" in one.args["net"] for one in each.operations)

    found = shrink(script, fails)
    assert [one.i for one in found.script.operations] == [wanted]
    kept = found.script.operations[0].args
    assert "die" not in kept
    assert [outcome for outcome in kept["net"] if outcome != "ok"] == ["no-reply"]
    assert kept["net"][-1] == "no-reply"
    assert len(found.script.tablets) == 1
    assert found.script.tablets[0].offset_s == 0


def test_the_shrinker_stops_after_so_many_runs() -> None:
    script = script_of(3, devices=3, operations=40)
    assert shrink(script, lambda each: True, most=5).runs == 5


def test_the_picture_has_a_line_for_each_who_takes_part_and_an_arrow_for_each_request() -> None:
    broken = short("cursor without document")
    drawn = ElementTree.fromstring(picture(broken.report))
    words = [element.text or "" for element in drawn.iter(f"{SVG}text")]
    assert {"office", "server", "tablet-3"} <= set(words)
    assert any(str(broken.violation) in each for each in words)
    quiet = next(event.i for event in broken.report.history.of("quiet"))
    first = next(event.i for event in broken.report.history.events if event.operation >= 0)
    arrows = [one for one in drawn.iter(f"{SVG}line") if one.get("marker-end")]
    served = sum(first <= event.i for event in broken.report.history.of("serve", "answer"))
    assert quiet > first
    assert len(arrows) == served


def test_a_law_that_breaks_at_a_moment_is_ringed_there() -> None:
    broken = short("epoch not checked")
    assert broken.violation.event >= 0
    drawn = ElementTree.fromstring(picture(broken.report))
    assert sum(one.get("fill") == "none" and one.get("r") == "10" for one in drawn.iter(f"{SVG}circle")) >= 1


def test_a_lost_answer_is_crossed_and_words_of_people_are_text() -> None:
    script = script_of(1, devices=2, operations=60, faults=("offline", "no-reply", "late", "poison"))
    report = in_memory(script)
    event = next(event for event in report.history.events if event.kind == "act" and event.operation >= 0)
    hostile = dataclasses.replace(event, what={**event.what, "code": '<script>"&'})
    report.history.events[event.i] = hostile
    drawn = ElementTree.fromstring(picture(report))
    words = [element.text or "" for element in drawn.iter(f"{SVG}text")]
    assert any('<script>"&' in each for each in words)
    assert any(each.endswith(" lost") for each in words)
    assert not list(drawn.iter(f"{SVG}script"))


def test_a_long_history_is_cut_and_says_so() -> None:
    report = in_memory(script_of(1, devices=6, operations=300))
    drawn = ElementTree.fromstring(picture(report))
    assert any("more events" in (each.text or "") for each in drawn.iter(f"{SVG}text"))
    assert int(drawn.get("height", "0")) < 26 * (MOST_ROWS + 40)
