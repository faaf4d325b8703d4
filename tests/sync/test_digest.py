"""Checksums: the same text in all languages, no order, and a comparison finds just what differs. S-147, S-148."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.digest import Sum, bucket_of, canonical, sums, value_of
from sync.whole import compare

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "digest.json").read_text("utf-8"))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
DOCUMENTS = st.dictionaries(
    st.uuids().map(str),
    st.fixed_dictionaries(
        {"collection": st.sampled_from(["site", "visit"]), "version": st.integers(1, 9), "document": JSON}
    ),
    max_size=12,
)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_vectors_of_all_languages(vector: dict[str, Any]) -> None:
    assert canonical(vector["document"]) == vector["text"]
    assert value_of(vector["collection"], vector["id"], vector["version"], vector["document"]) == vector["value"]


@given(value=JSON)
def test_the_text_says_the_value_and_nothing_else_has_it(value: Any) -> None:
    text = canonical(value)
    assert canonical(json.loads(text)) == text
    assert canonical([value, None]) != text


@given(values=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2**48 - 1))), data=st.data())
def test_sums_know_no_order_and_can_be_taken_apart(values: list[tuple[str, int]], data: st.DataObject) -> None:
    whole = sums(values)
    assert sums(data.draw(st.permutations(values))) == whole
    for key, value in values:
        whole[key] = whole[key].without(value)
    assert set(whole.values()) <= {Sum()}


class Server:
    """Answers for digests out of documents, as the protocol says."""

    def __init__(self, documents: dict[str, Any]) -> None:
        self.documents = documents
        self.asked = 0

    def __call__(self, path: str) -> Any:
        self.asked += 1
        query = parse_qs(urlsplit(path).query)
        values = [
            (
                one["collection"],
                each,
                one["version"],
                value_of(one["collection"], each, one["version"], one["document"]),
            )
            for each, one in self.documents.items()
        ]
        answer: dict[str, Any] = {"cursor": "c", "behind": False}
        if "collection" not in query:
            found = sums((collection, value) for collection, _, _, value in values)
            return answer | {"collections": {name: [one.count, one.sum] for name, one in found.items()}}
        own = [row for row in values if row[0] == query["collection"][0]]
        if "buckets" not in query:
            found = sums((bucket_of(each), value) for _, each, _, value in own)
            return answer | {"buckets": {at: [one.count, one.sum] for at, one in found.items()}}
        wanted = query["buckets"][0].split(",")
        return answer | {
            "documents": {each: [version, value] for _, each, version, value in own if bucket_of(each) in wanted}
        }


@given(held=DOCUMENTS, data=st.data())
def test_a_comparison_finds_just_what_differs(held: dict[str, Any], data: st.DataObject) -> None:
    theirs = copy.deepcopy(held)
    lost = data.draw(st.sets(st.sampled_from(sorted(held)))) if held else set()
    changed = data.draw(st.sets(st.sampled_from(sorted(held)))) - lost if held else set()
    strangers = data.draw(DOCUMENTS)
    for each in lost:
        del held[each]
    for each in changed:
        held[each]["document"] = [held[each]["document"], "flipped"]
    held |= {each: one for each, one in strangers.items() if each not in theirs}
    wrong = compare(held, "c", Server(theirs))
    assert set(wrong.ids) == lost | changed | (strangers.keys() - theirs.keys())


def test_a_whole_replica_costs_one_question() -> None:
    held = {"a" * 34 + "01": {"collection": "site", "version": 1, "document": {"id": 1}}}
    server = Server(held)
    assert compare(held, None, server).ids == ()
    assert server.asked == 1
