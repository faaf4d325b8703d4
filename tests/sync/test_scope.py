"""Who gets what: the incremental scope core against a model that works the closure out from scratch."""

from __future__ import annotations

import random
from collections.abc import Iterable, Set

import pytest

from sync.scope import SELF, Moves, Pair, Placement, Reason, place

SCOPES = ["technician:a", "technician:b", "everyone"]


class World:
    """Documents with own scopes and references; memberships kept up by `place` alone."""

    def __init__(self) -> None:
        self.scopes: dict[str, frozenset[str]] = {}
        self.refs: dict[str, frozenset[str]] = {}
        self.reasons: dict[str, set[Reason]] = {}
        self.members: set[tuple[str, str]] = set()
        self.asked: set[str] = set()
        self.listed = 0

    def change(self, **documents: tuple[Iterable[str], Iterable[str]] | None) -> Moves:
        """Give documents (own scopes, references), None to delete; checks that the moves are consistent."""
        changed = {
            doc: Placement(
                scopes=frozenset(given[0] if given else ()),
                refs=frozenset(given[1] if given else ()),
                refs_before=self.refs.get(doc, frozenset()),
            )
            for doc, given in documents.items()
        }
        moves = place(changed, Asked(self))
        for doc, reason in moves.lost:
            self.reasons[doc].remove(reason)
        for doc, reason in moves.gained:
            assert reason not in self.reasons.setdefault(doc, set())
            self.reasons[doc].add(reason)
        assert not moves.entered & self.members
        assert moves.left <= self.members
        self.members = (self.members | moves.entered) - moves.left
        for doc, placement in changed.items():
            self.scopes[doc], self.refs[doc] = placement.scopes, placement.refs
            assert moves.members[doc] == frozenset(scope for scope, member in self.members if member == doc)
        return moves

    def closure(self) -> set[tuple[str, str]]:
        """From scratch: all that can be reached from the documents that are in a scope by themselves."""
        found: set[tuple[str, str]] = set()
        todo = [(scope, doc) for doc, scopes in self.scopes.items() for scope in scopes]
        while todo:
            pair = todo.pop()
            if pair not in found:
                found.add(pair)
                todo += [(pair[0], target) for target in self.refs.get(pair[1], ())]
        return found


class Asked:
    """What a world says of how things stand."""

    def __init__(self, world: World) -> None:
        self.world = world

    def members(self, docs: Iterable[str]) -> dict[str, dict[str, bool]]:
        asked = list(docs)
        assert not self.world.asked & set(asked)
        self.world.asked |= set(asked)
        reasons = self.world.reasons
        return {doc: {scope: (scope, SELF) in reasons[doc] for scope, _ in reasons.get(doc, ())} for doc in asked}

    def refs(self, docs: Iterable[str]) -> dict[str, frozenset[str]]:
        return {doc: self.world.refs.get(doc, frozenset()) for doc in docs}

    def holds(self, pairs: Iterable[Pair], lost: Set[tuple[str, Reason]]) -> dict[Pair, str]:
        found: dict[Pair, str] = {}
        for scope, doc in pairs:
            reasons = {reason for reason in self.world.reasons.get(doc, ()) if reason[0] == scope}
            if left := {via for held, via in reasons if (doc, (held, via)) not in lost}:
                found[scope, doc] = min(left)
        return found

    def reasons(self, scope: str, docs: Iterable[str]) -> dict[str, set[str]]:
        self.world.listed += 1
        return {doc: {via for held, via in self.world.reasons.get(doc, ()) if held == scope} for doc in docs}


def checked(world: World, **documents: tuple[Iterable[str], Iterable[str]] | None) -> Moves:
    world.asked.clear()
    moves = world.change(**documents)
    assert world.members == world.closure()
    return moves


def test_a_visit_brings_its_site_and_the_sites_customer() -> None:
    world = World()
    checked(world, customer=((), ()), site=((), ["customer"]), visit=(["technician:a"], ["site"]))
    assert {doc for _, doc in world.members} == {"visit", "site", "customer"}


def test_reassignment_moves_what_only_the_visit_needs() -> None:
    world = World()
    checked(world, s1=((), ["c"]), s2=((), ["c"]), c=((), ()))
    checked(world, v1=(["technician:a"], ["s1"]), v2=(["technician:a"], ["s2"]))
    moves = checked(world, v1=(["technician:b"], ["s1"]))
    assert moves.left == {("technician:a", "v1"), ("technician:a", "s1")}
    assert moves.entered == {("technician:b", doc) for doc in ("v1", "s1", "c")}


def test_the_last_reason_of_several_counts() -> None:
    world = World()
    checked(world, v1=(["technician:a"], ["s"]), v2=(["technician:a"], ["s"]), s=((), ()))
    assert checked(world, v1=((), ["s"])).left == {("technician:a", "v1")}
    assert checked(world, v2=((), ["s"])).left == {("technician:a", "v2"), ("technician:a", "s")}


def test_a_ring_leaves_when_nothing_outside_holds_it() -> None:
    world = World()
    checked(world, a=((), ["b"]), b=((), ["a", "c"]), c=((), []), v=(["technician:a"], ["a"]))
    moves = checked(world, v=((), ["a"]))
    assert moves.left == {("technician:a", doc) for doc in "vabc"}


def test_a_document_that_refers_to_itself_leaves() -> None:
    world = World()
    checked(world, a=((), ["a"]), v=(["technician:a"], ["a"]))
    assert ("technician:a", "a") in checked(world, v=((), [])).left


def test_a_plain_edit_looks_at_nothing_but_the_document() -> None:
    world = World()
    checked(world, s=((), ["c"]), v=(["technician:a"], ["s"]))
    checked(world, v=(["technician:a"], ["s"]))
    assert world.asked == {"v"}


def test_nobody_lists_what_holds_a_site_of_many_visits() -> None:
    world = World()
    visits = {f"v{n}": (["technician:a"], ["s"]) for n in range(200)}
    checked(world, s=((), ["c"]), **visits)
    checked(world, v7=(["technician:b"], ["s"]), v8=((), ["s"]), v9=None)
    assert world.listed == 0


def test_a_reason_taken_and_given_back_in_one_change_is_no_move() -> None:
    world = World()
    checked(world, v=(["technician:a"], ["s"]), s=((), ()))
    assert checked(world, v=(["technician:a"], ["s"]), s=((), ())) == Moves(
        members={"v": frozenset({"technician:a"}), "s": frozenset({"technician:a"})}
    )


@pytest.mark.parametrize("seed", range(4))
def test_any_history_gives_the_closure(seed: int) -> None:
    """500 histories of 25 changes each: new documents, edits, reassignments, deletions, rings, several at once."""
    rng = random.Random(seed)
    names = [f"d{n}" for n in range(9)]
    for _ in range(500):
        world = World()
        for _ in range(25):
            documents: dict[str, tuple[Iterable[str], Iterable[str]] | None] = {}
            for doc in rng.sample(names, rng.choice([1, 1, 2, 3])):
                scopes = rng.sample(SCOPES, rng.choice([0, 0, 1, 1, 2]))
                refs = rng.sample(names, rng.choice([0, 1, 1, 2, 3]))
                documents[doc] = None if rng.random() < 0.15 else (scopes, refs)
            checked(world, **documents)


def test_every_reason_has_a_document_behind_it() -> None:
    rng = random.Random(99)
    names = [f"d{n}" for n in range(7)]
    world = World()
    for _ in range(2000):
        doc = rng.choice(names)
        checked(world, **{doc: (rng.sample(SCOPES, rng.randrange(3)), rng.sample(names, rng.randrange(3)))})
        for target, reasons in world.reasons.items():
            for scope, via in reasons:
                assert via == SELF or ((scope, via) in world.members and target in world.refs[via])
