"""The fold of a visit's events: the vectors that every client runs, and the laws that no vector can cover."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.states import LEADS_TO, OVER, PLAN_MOVES, fold, may_move_plan

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "states.json").read_text())

EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from([f"{n:02d}" for n in range(12)]),
            "type": st.sampled_from([*LEADS_TO, "undo"]),
            "at": st.sampled_from([f"2026-11-23T{hour:02d}:00:00.000Z" for hour in range(8, 14)]),
            "by": st.sampled_from(["anna", "boris"]),
            "undoes": st.sampled_from([None, *(f"{n:02d}" for n in range(12))]),
        }
    ),
    unique_by=lambda event: event["id"],
    max_size=12,
)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_vector(vector: dict[str, Any]) -> None:
    found = asdict(fold(vector["events"]))
    assert found | {"illegal": list(found["illegal"]), "starters": list(found["starters"])} == vector["expect"]


def test_every_event_type_and_every_state_is_in_the_vectors() -> None:
    types = {event["type"] for vector in VECTORS for event in vector["events"]}
    assert types == {*LEADS_TO, "undo"}
    assert {vector["expect"]["state"] for vector in VECTORS} >= {"not_started", "working", "paused", *OVER}


@given(events=EVENTS, data=st.data())
def test_order_of_arrival_cannot_matter(events: list[dict[str, Any]], data: st.DataObject) -> None:
    assert fold(data.draw(st.permutations(events))) == fold(events)


@given(events=EVENTS)
def test_events_that_are_out_of_order_or_undone_could_as_well_be_missing(events: list[dict[str, Any]]) -> None:
    whole = fold(events)
    undone = {event["undoes"] for event in events if event["type"] == "undo" and event["id"] not in whole.illegal}
    legal = [event for event in events if event["id"] not in {*whole.illegal, *undone} and event["type"] != "undo"]
    rest = fold(legal)
    assert (rest.state, rest.performed_by, rest.started_at, rest.finished_at, rest.illegal) == (
        whole.state,
        whole.performed_by,
        whole.started_at,
        whole.finished_at,
        (),
    )


@given(events=EVENTS)
def test_a_finished_visit_says_when_and_an_unfinished_one_does_not(events: list[dict[str, Any]]) -> None:
    done = fold(events)
    assert (done.finished_at is not None) == (done.state in OVER)
    assert done.performed_by is None or done.state in OVER - {"no_access", "refused"}


@pytest.mark.parametrize("current", PLAN_MOVES)
@pytest.mark.parametrize("target", PLAN_MOVES)
def test_the_office_moves_no_visit_that_is_finished(current: Any, target: Any) -> None:
    for state in OVER:
        assert may_move_plan(current, target, state) == (current == target)
    assert may_move_plan(current, target, "working") == (current == target or target in PLAN_MOVES[current])
