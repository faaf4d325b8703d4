"""The laws of every merge policy, over `POLICIES`: a new policy is tested by being in the table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.change import canonical
from sync.policies import COMMUTATIVE, POLICIES, Meeting

NUMBERS = st.none() | st.integers(-5, 5) | st.sampled_from([1.0, 2.0, 0.5, -0.0])
WORDS = st.lists(st.sampled_from(["gate", "code", "4711", "ring", "twice", "dog"]), max_size=6).map(" ".join)
TAGS = st.lists(st.sampled_from(["a", "b", 1, True, 1.0, None]), max_size=4)
ENTRIES = st.lists(
    st.integers(0, 9).map(lambda n: {"id": f"e{n}", "at": f"2026-11-23T0{n % 3}:00:00.000Z", "text": f"note {n}"}),
    unique_by=lambda entry: entry["id"],
    max_size=6,
)
SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["x", "y", "1", ""])
TIMES = st.none() | st.integers(0, 3).map(lambda h: datetime(2026, 11, 23, 9, tzinfo=UTC) + timedelta(hours=h))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "max": NUMBERS, "min": NUMBERS, "text": st.none() | WORDS, "union": st.none() | TAGS, "append": ENTRIES,
    "state": ENTRIES,
}  # fmt: skip

every_policy = pytest.mark.parametrize("name", POLICIES)


def meeting(data: st.DataObject, name: str) -> Meeting:
    values = VALUES.get(name, SCALARS)
    base, mine, theirs = (data.draw(values) for _ in range(3))
    return Meeting(base=base, mine=mine, theirs=theirs, mine_at=data.draw(TIMES), theirs_at=data.draw(TIMES))


def swapped(one: Meeting) -> Meeting:
    return Meeting(base=one.base, mine=one.theirs, theirs=one.mine, mine_at=one.theirs_at, theirs_at=one.mine_at)


def value(name: str, one: Meeting) -> str:
    return canonical(POLICIES[name](one).value)  # type: ignore[index]


@every_policy
@given(data=st.data())
def test_the_same_question_has_the_same_answer(name: str, data: st.DataObject) -> None:
    one = meeting(data, name)
    assert POLICIES[name](one) == POLICIES[name](one)  # type: ignore[index]


@every_policy
@given(data=st.data())
def test_merging_the_outcome_again_changes_nothing(name: str, data: st.DataObject) -> None:
    """Idempotence: who already holds what was decided gets it back, from either side's place."""
    one = meeting(data, name)
    decided = POLICIES[name](one).value  # type: ignore[index]
    again = Meeting(base=one.base, mine=decided, theirs=decided, mine_at=one.mine_at, theirs_at=one.theirs_at)
    assert value(name, again) == canonical(decided)


@pytest.mark.parametrize("name", sorted(COMMUTATIVE))
@given(data=st.data())
def test_it_does_not_matter_which_side_is_called_mine(name: str, data: st.DataObject) -> None:
    one = meeting(data, name)
    assert value(name, one) == value(name, swapped(one))


@every_policy
@given(data=st.data())
def test_a_value_that_stands_is_one_of_the_two_or_made_of_both(name: str, data: st.DataObject) -> None:
    one = meeting(data, name)
    verdict = POLICIES[name](one)  # type: ignore[index]
    if verdict.chosen != "merged":
        wanted = one.mine if verdict.chosen == "mine" else one.theirs
        assert canonical(verdict.value) == canonical(wanted)
    else:
        assert name in ("union", "append", "state", "text")


@given(edits=st.lists(TAGS, min_size=1, max_size=4), data=st.data())
def test_sets_come_out_alike_in_any_order_of_arrival(edits: list[Any], data: st.DataObject) -> None:
    base: list[Any] = ["a", 1]

    def after(order: list[Any]) -> str:
        held: Any = base
        for edit in order:
            held = POLICIES["union"](Meeting(base=base, mine=edit, theirs=held)).value
        return canonical(held)

    assert after(edits) == after(data.draw(st.permutations(edits)))


@pytest.mark.parametrize("name", ["append", "state"])
@given(edits=st.lists(ENTRIES, min_size=1, max_size=4), data=st.data())
def test_entries_come_out_alike_in_any_order_of_arrival(name: str, edits: list[Any], data: st.DataObject) -> None:
    def after(order: list[Any]) -> str:
        held: Any = []
        for edit in order:
            held = POLICIES[name](Meeting(base=[], mine=edit, theirs=held)).value  # type: ignore[index]
        return canonical(held)

    assert after(edits) == after(data.draw(st.permutations(edits)))
    assert {entry["id"] for edit in edits for entry in edit} == {
        entry["id"]
        for entry in POLICIES[name](Meeting(base=[], mine=[*chain(*edits)], theirs=[])).value  # type: ignore[index]
    }


def test_an_element_that_one_side_removed_is_out_and_one_that_either_added_is_in() -> None:
    verdict = POLICIES["union"](Meeting(base=["dog", "ramp"], mine=["ramp", "code"], theirs=["dog", "ramp", "lift"]))
    assert verdict.value == ["code", "lift", "ramp"]


def test_one_and_true_are_two_elements_of_a_set() -> None:
    assert POLICIES["union"](Meeting(base=[], mine=[1], theirs=[True])).value == [1, True]


# --- text -----------------------------------------------------------------------------------------------------------

UNIQUE = [f"w{n}" for n in range(8)]


def text(base: str | None, mine: str | None, theirs: str | None) -> tuple[str, bool]:
    verdict = POLICIES["text"](Meeting(base=base, mine=mine, theirs=theirs))
    return verdict.value, verdict.needs_person


def test_edits_of_different_words_are_both_kept() -> None:
    found = text("the gate is left of the house", "the GATE is left of the house", "the gate is left of the HOUSE")
    assert found == ("the GATE is left of the HOUSE", False)


@given(
    places=st.lists(st.integers(0, 7), min_size=2, max_size=2, unique=True).filter(lambda p: abs(p[0] - p[1]) > 1),
    mine=st.sampled_from(["A", "A B", ""]),
    theirs=st.sampled_from(["X", "X Y", ""]),
)
def test_disjoint_word_edits_are_both_kept(places: list[int], mine: str, theirs: str) -> None:
    def edited(*edits: tuple[int, str]) -> str:
        words = [dict(edits).get(n, word) for n, word in enumerate(UNIQUE)]
        return " ".join(words)

    first, second = places
    both = edited((first, mine), (second, theirs))
    found, needs_person = text(" ".join(UNIQUE), edited((first, mine)), edited((second, theirs)))
    assert found.split() == both.split()
    assert not needs_person


@given(base=WORDS, mine=WORDS, theirs=WORDS)
def test_no_word_that_somebody_added_is_lost(base: str, mine: str, theirs: str) -> None:
    found, _ = text(base, mine, theirs)
    for word in {*mine.split(), *theirs.split()} - set(base.split()):
        assert word in found.split()


def test_edits_of_the_same_word_keep_both_texts_and_call_a_person() -> None:
    found, needs_person = text("code 4711", "code 1234", "code 9999")
    assert "code 1234" in found
    assert "code 9999" in found
    assert needs_person


def test_one_sided_edits_need_nobody() -> None:
    assert text("code 4711", "code 1234", "code 4711") == ("code 1234", False)
    assert text(None, None, "ring") == ("ring", False)


# --- who wins -------------------------------------------------------------------------------------------------------


def test_the_later_edit_wins_whatever_the_order_of_arrival() -> None:
    early, late = datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert POLICIES["latest"](Meeting(base=0, mine=1, theirs=2, mine_at=late, theirs_at=early)).value == 1
    assert POLICIES["latest"](Meeting(base=0, mine=1, theirs=2, mine_at=early, theirs_at=late)).value == 2


@pytest.mark.parametrize(("policy", "chosen"), [("technician", "mine"), ("office", "theirs"), ("ask", "theirs")])
def test_a_loss_by_rank_is_shown_to_a_person(policy: Any, chosen: str) -> None:
    verdict = POLICIES[policy](Meeting(base="a", mine="b", theirs="c"))
    assert (verdict.chosen, verdict.needs_person) == (chosen, True)


def test_a_number_beats_nothing_for_max_and_min() -> None:
    for policy in ("max", "min"):
        assert POLICIES[policy](Meeting(base=1, mine=None, theirs=3)).value == 3  # type: ignore[index]


ALIKE = st.lists(st.sampled_from(["a", "b"]), max_size=12).map(" ".join)


@given(base=ALIKE, side=ALIKE)
def test_an_edit_that_only_one_side_made_stands_word_for_word(base: str, side: str) -> None:
    assert text(base, side, base) == (side, False)
    assert text(base, base, side) == (side, False)


def test_long_texts_of_one_word_are_merged_like_any_other() -> None:
    """Four thousand characters of the same word have many ways to be the same; one of them is found quickly."""
    base = "a " * 2000
    assert text(base, "b " + base, base + "c") == ("b " + base + "c", False)


def test_texts_that_differ_in_nearly_all_are_both_kept() -> None:
    words = [f"w{n}" for n in range(700)]
    mine, theirs = " ".join(words[::-1]), " ".join(f"{word}!" for word in words)
    found, needs_person = text(" ".join(words), mine, theirs)
    assert needs_person
    assert mine in found
    assert theirs in found
