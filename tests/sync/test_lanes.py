"""What goes first on a thin link: S-98, S-23, S-24. The same vectors are run by Node for the web tablet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.lanes import SMALL, lane, next_batch

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "lanes.json").read_text("utf-8"))["cases"]


def wire(told: dict[str, Any]) -> dict[str, Any]:
    """A mutation as the vectors tell it."""
    return {
        "id": f"m{told['n']}",
        "n": told["n"],
        "collection": "visit",
        "document_id": told["document"],
        "op": told.get("op", "update"),
        "base_version": 1,
        "set": {name: "x" * (told.get("pad", 1) if at == 0 else 1) for at, name in enumerate(told.get("set", ()))},
        "add": {name: [{"id": "e", "text": "x" * told.get("pad", 0)}] for name in told.get("add", ())},
        "remove": {name: ["e"] for name in told.get("remove", ())},
        "made_at": "2026-11-25T08:00:00.000Z",
        "group": told.get("group"),
    }


def pushes(outbox: list[dict[str, Any]], most: int = 500, budget: int = SMALL) -> list[list[int]]:
    """The numbers of each push until nothing is left."""
    left, found = list(outbox), []
    while left:
        batch = next_batch(left, most, budget)
        assert batch
        found.append([mutation["n"] for mutation in batch])
        left = [mutation for mutation in left if mutation not in batch]
    return found


@pytest.mark.parametrize("case", VECTORS, ids=[case["name"] for case in VECTORS])
def test_the_order_is_that_of_the_vectors(case: dict[str, Any]) -> None:
    """S-98"""
    outbox = [wire(told) for told in case["outbox"]]
    assert pushes(outbox, case.get("most", 500), case.get("budget", SMALL)) == case["pushes"]


MUTATIONS = st.lists(
    st.fixed_dictionaries(
        {
            "document": st.sampled_from("ab"),
            "op": st.sampled_from(["update"] * 5 + ["create"]),
            "set": st.sets(st.sampled_from(["signature", "work_summary", "title"]), max_size=2).map(sorted),
            "add": st.sets(st.sampled_from(["events", "notes", "asset_ids"]), max_size=2).map(sorted),
            "remove": st.sets(st.sampled_from(["asset_ids"]), max_size=1).map(sorted),
            "group": st.sampled_from([None] * 4 + ["g", "h"]),
            "pad": st.sampled_from([1, 100, 7000]),
        }
    ),
    max_size=12,
).map(lambda many: [wire(one | {"n": n}) for n, one in enumerate(many, start=1)])


@given(MUTATIONS, st.integers(1, 20), st.integers(1, 40_000))
def test_all_is_sent_once_and_edits_of_one_field_never_change_places(
    outbox: list[dict[str, Any]], most: int, budget: int
) -> None:
    """S-23, S-24, S-98: whatever waits, and however small the pushes are."""
    sent = pushes(outbox, most, budget)
    place = {n: at for at, push in enumerate(sent) for n in push}
    assert sorted(n for push in sent for n in push) == [mutation["n"] for mutation in outbox]
    assert all(push == sorted(push) for push in sent)
    for index, earlier in enumerate(outbox):
        for later in outbox[index + 1 :]:
            if earlier["group"] is not None and earlier["group"] == later["group"]:
                assert place[earlier["n"]] == place[later["n"]]
            same = earlier["document_id"] == later["document_id"]
            if same and set(earlier["set"]) & set(later["set"]):
                assert place[earlier["n"]] <= place[later["n"]]
            if same and earlier["op"] == "create":
                assert place[earlier["n"]] <= place[later["n"]]


def test_a_state_change_goes_in_the_first_push_however_much_waits() -> None:
    """S-98: an evening's work, and one more step."""
    outbox = [wire({"n": n, "document": f"v{n % 8}", "add": ["answers"], "pad": 400}) for n in range(1, 2000)]
    step = wire({"n": 2000, "document": "v1", "add": ["events"]})
    assert next_batch([*outbox, step], 500) == [step]
    assert lane(step) < lane(outbox[0])
