"""`merge`: what becomes of one mutation, behaviour by behaviour."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.change import Clash, Merged, canonical
from sync.merge import merge
from tests.sync.builders import AT, ME, OTHER, RULES, mutation, record

NOTE = {"id": "n1", "at": "2026-11-23T09:00:00.000Z", "text": "seal wet"}


def stamp(entry: Any) -> Any:
    return entry | {"by": "anna", "at_corrected": "2026-11-23T09:00:02.000Z"}


def only(found: Merged) -> Clash:
    (clash,) = found.clashes
    return clash


def test_a_clean_edit_lands() -> None:
    found = merge(record({"serial": "A"}), mutation(set={"serial": "B"}), RULES, base={"serial": "A"})
    assert (found.status, found.body["serial"], found.changed, found.clashes) == ("applied", "B", {"serial"}, ())


def test_an_edit_beside_another_persons_field_is_merged_without_a_clash() -> None:
    held = record({"serial": "A", "phone": "2"}, version=2, changed={"phone": (2, None)})
    found = merge(held, mutation(set={"serial": "B"}), RULES, base={"serial": "A", "phone": "1"})
    assert (found.status, found.body, found.clashes) == ("merged", {"serial": "B", "phone": "2"}, ())


def test_both_sides_writing_the_same_value_do_not_clash() -> None:
    held = record({"serial": "B"}, version=2, changed={"serial": (2, None)})
    found = merge(held, mutation(set={"serial": "B"}), RULES, base={"serial": "A"})
    assert (found.changed, found.clashes) == (frozenset(), ())


def test_what_was_seen_on_site_stands_and_the_offices_value_is_kept() -> None:
    held = record({"serial": "B"}, version=2, changed={"serial": (2, None)})
    clash = only(merge(held, mutation(set={"serial": "C"}), RULES, base={"serial": "A"}))
    assert (clash.base, clash.mine, clash.theirs, clash.chosen, clash.value) == ("A", "C", "B", "mine", "C")
    assert clash.needs_person
    assert (clash.kind, clash.clash_class) == ("value", "hard")


def test_an_office_field_becomes_a_proposal_even_when_nobody_else_changed_it() -> None:
    found = merge(record({"assignee": "a"}), mutation(set={"assignee": "b"}), RULES, base={"assignee": "a"})
    clash = only(found)
    assert (clash.kind, clash.mine, clash.chosen, clash.needs_person) == ("proposal", "b", "theirs", True)
    assert (found.status, found.body["assignee"], found.changed) == ("overridden", "a", frozenset())


def test_a_field_that_the_server_makes_is_refused() -> None:
    found = merge(record({"number": "V-1"}), mutation(set={"number": "V-2"}), RULES, base={"number": "V-1"})
    assert (only(found).kind, only(found).clash_class) == ("refused", "refused")
    assert found.body["number"] == "V-1"


def test_own_later_edits_do_not_clash_with_own_earlier_ones() -> None:
    """The tablet has not pulled since: its base is version 1, but version 2 is its own."""
    held = record({"serial": "B"}, version=2, changed={"serial": (2, ME)})
    found = merge(held, mutation(set={"serial": "C"}), RULES, base={"serial": "B"})
    assert (found.body["serial"], found.clashes) == ("C", ())


def test_what_an_own_edit_was_merged_with_is_not_taken_away_by_the_next_one() -> None:
    """The first edit met words and tags of the office; the tablet has not pulled, so that the second knows nothing of
    them."""
    held = record({"summary": "old office seal", "tags": ["dog", "lift"]}, version=3, changed={"summary": (3, ME)})
    edit = mutation(set={"summary": "old seal done", "tags": ["lift", "roof"]})
    found = merge(held, edit, RULES, base={"summary": "old seal", "tags": ["lift"]})
    assert found.body == {"summary": "old office seal done", "tags": ["dog", "lift", "roof"]}


def test_own_edit_on_top_of_own_edit_that_won_a_clash_does_not_clash_again() -> None:
    """In one push: the office wrote at version 2, the first mutation won, the second knows what the first wrote."""
    held = record({"serial": "mine"}, version=2, changed={"serial": (2, None)})
    found = merge(held, mutation(set={"serial": "mine, corrected"}), RULES, base={"serial": "mine"})
    assert found.clashes == ()


def test_another_tablets_edit_clashes_like_the_offices() -> None:
    held = record({"serial": "B"}, version=2, changed={"serial": (2, OTHER)})
    assert only(merge(held, mutation(set={"serial": "C"}), RULES, base={"serial": "A"})).theirs == "B"


def test_a_field_that_an_old_client_does_not_know_is_not_null() -> None:
    """The base has no such key and the mutation none either: the value stays."""
    held = record({"serial": "A", "colour": "red"}, version=2, changed={"colour": (2, None)})
    found = merge(held, mutation(set={"serial": "B"}), RULES, base={"serial": "A"})
    assert found.body["colour"] == "red"


def test_a_set_that_the_device_never_saw_is_added_to_and_not_replaced() -> None:
    found = merge(record({"tags": ["dog"]}), mutation(set={"tags": ["lift"]}), RULES, base={})
    assert found.body["tags"] == ["dog", "lift"]


def test_one_is_not_true_and_nothing_is_not_false() -> None:
    found = merge(record({"level": 1}), mutation(set={"level": True}), RULES, base={"level": 1})
    assert found.body["level"] is True
    assert found.changed == {"level"}
    held = record({"level": False}, version=2, changed={"level": (2, None)})
    assert only(merge(held, mutation(set={"level": None}), RULES, base={"level": True})).theirs is False


def test_a_base_of_another_history_is_not_trusted() -> None:
    """The device has seen version 9 of a server that was since restored to version 3."""
    held = record({"serial": "B"}, version=3, changed={"serial": (3, None)})
    assert only(merge(held, mutation(base_version=9, set={"serial": "C"}), RULES, base={})).theirs == "B"


def test_a_mutation_without_a_base_clashes_instead_of_overwriting() -> None:
    held = record({"serial": "B"}, version=2, changed={"serial": (2, None)})
    assert only(merge(held, mutation(base_version=None, set={"serial": "C"}), RULES, base={})).theirs == "B"


@pytest.mark.parametrize("field", ["notes", "events"])
@pytest.mark.parametrize("way", ["add", "set"])
def test_a_new_entry_is_stamped_and_comes_in_beside_the_others(field: str, way: str) -> None:
    old = {"id": "n0", "at": "2026-11-23T08:00:00.000Z", "text": "arrived", "by": "boris"}
    found = merge(record({field: [old]}), mutation(**{way: {field: [NOTE]}}), RULES, base={field: []}, stamp=stamp)
    assert found.body[field] == [old, stamp(NOTE)]
    assert found.clashes == ()


def test_an_entry_sent_again_with_the_servers_stamps_changes_nothing() -> None:
    found = merge(record({"notes": [stamp(NOTE)]}), mutation(add={"notes": [stamp(NOTE)]}), RULES, base={}, stamp=stamp)
    assert (found.changed, found.clashes) == (frozenset(), ())


def test_an_entry_sent_again_without_its_empty_keys_changes_nothing() -> None:
    held = record({"notes": [stamp(NOTE | {"item": None})]})
    assert merge(held, mutation(add={"notes": [NOTE]}), RULES, base={}).clashes == ()


def test_an_entry_is_never_changed() -> None:
    found = merge(record({"notes": [NOTE]}), mutation(add={"notes": [NOTE | {"text": "seal dry"}]}), RULES, base={})
    clash = only(found)
    assert (clash.kind, clash.mine["text"], clash.theirs["text"]) == ("refused", "seal dry", "seal wet")
    assert found.body["notes"] == [NOTE]
    assert clash.needs_person


def test_elements_of_a_set_are_added_and_removed_one_by_one() -> None:
    held = record({"tags": ["dog", "ramp"]}, version=5, changed={"tags": (5, None)})
    found = merge(held, mutation(add={"tags": ["lift"]}, remove={"tags": ["dog"]}), RULES, base={"tags": ["dog"]})
    assert (found.body["tags"], found.clashes) == (["lift", "ramp"], ())


@pytest.mark.parametrize("part", ["add", "remove"])
@pytest.mark.parametrize("field", ["serial", "skills"])
def test_elements_of_what_is_no_shared_set_are_refused(part: str, field: str) -> None:
    body = {"serial": "A", "skills": ["pumps"]}
    found = merge(record(body), mutation(**{part: {field: ["x"]}}), RULES, base=body)
    assert only(found).kind == "refused"
    assert found.body == body


def test_the_later_edit_is_found_by_the_times_that_are_given() -> None:
    held = record({"colour": "red"}, version=2, changed={"colour": (2, None)})
    edit = mutation(set={"colour": "blue"})
    for hours, stands in ((1, "red"), (-1, "blue")):
        found = merge(
            held, edit, RULES, base={}, mine_at=AT, theirs_at=lambda _, hours=hours: AT + timedelta(hours=hours)
        )
        assert found.body["colour"] == stands


# --- laws over any mutation -----------------------------------------------------------------------------------------

WORD = st.sampled_from([None, "", "a", "b", "a b", True, 1, 1.0])
SETS = {
    "serial": WORD, "phone": WORD, "assignee": WORD, "number": WORD, "level": WORD, "colour": WORD,
    "summary": st.sampled_from([None, "", "a", "a b", "b a"]), "mileage": st.none() | st.integers(0, 3),
    "tags": st.lists(st.sampled_from(["x", "y"]), unique=True, max_size=2),
}  # fmt: skip
CHANGES = st.fixed_dictionaries({}, optional=SETS)


@given(body=CHANGES, base=CHANGES, edit=CHANGES, base_version=st.none() | st.integers(0, 4), data=st.data())
def test_every_field_edit_is_in_the_document_or_in_a_clash(
    body: dict[str, Any], base: dict[str, Any], edit: dict[str, Any], base_version: int | None, data: st.DataObject
) -> None:
    """Law 2 for one mutation: what was set is what stands, or is kept in a clash, or its words and elements are in."""
    changed = {name: (data.draw(st.integers(1, 3)), data.draw(st.sampled_from([None, ME, OTHER]))) for name in body}
    held = record(body, version=3, changed=changed)
    found = merge(held, mutation(set=edit, base_version=base_version), RULES, base=base)
    clashed = {clash.field: clash for clash in found.clashes}
    for name, wanted in edit.items():
        stands = canonical(found.body.get(name)) == canonical(wanted)
        kept = name in clashed and canonical(clashed[name].mine) == canonical(wanted)
        woven = RULES[name].policy == "union" and set(wanted) - set(base.get(name) or []) <= set(found.body[name])
        assert stands or kept or woven
    untouched = body.keys() - edit.keys()
    assert {name: found.body[name] for name in untouched} == {name: body[name] for name in untouched}


@given(body=CHANGES, edit=CHANGES)
def test_the_records_body_is_left_alone(body: dict[str, Any], edit: dict[str, Any]) -> None:
    held = record(body)
    before = canonical(held.body)
    merge(held, mutation(set=edit, add={"notes": [NOTE]}), RULES, base={})
    assert canonical(held.body) == before
