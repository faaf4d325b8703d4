"""Which documents enter or leave a scope when something changes, with all that they refer to.

A document is in a scope for reasons: `SELF` where its own schema says so, or the id of a document there that
refers to it. It leaves when its last reason goes. Law 6 (referential closure) rests on this alone.

A site may be held by a hundred thousand visits: no question that is asked here makes anybody list the reasons of a
document, but for documents that refer to each other in a ring.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Protocol

SELF = ""
"""The reason of a document that is in a scope by its own rule; it comes before every id."""

Reason = tuple[str, str]
"""(scope, via): the scope, and the document because of which this one is in it."""

Pair = tuple[str, str]
"""(scope, document)."""


class Standing(Protocol):
    """How the scopes stand before the change. Every question is asked for many documents at once."""

    def members(self, docs: Iterable[str]) -> Mapping[str, Mapping[str, bool]]:
        """For each document the scopes that it is in -> whether by its own rule; asked once for a document."""

    def refs(self, docs: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """What each document refers to."""

    def holds(self, pairs: Iterable[Pair], lost: Set[tuple[str, Reason]]) -> Mapping[Pair, str]:
        """For each pair that is held without the `lost` reasons the first `via` that holds it: SELF if it can be."""

    def reasons(self, scope: str, docs: Iterable[str]) -> Mapping[str, set[str]]:
        """All that holds each document in a scope. Asked for rings alone."""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where one changed document belongs by its own rule, and what it refers to, before and after."""

    scopes: frozenset[str]
    refs: frozenset[str]
    refs_before: frozenset[str] = frozenset()


@dataclass
class Moves:
    """What to write: reasons gained and lost, and the (scope, document) pairs that entered and left."""

    gained: set[tuple[str, Reason]] = field(default_factory=set)
    lost: set[tuple[str, Reason]] = field(default_factory=set)
    entered: set[Pair] = field(default_factory=set)
    left: set[Pair] = field(default_factory=set)
    members: dict[str, frozenset[str]] = field(default_factory=dict)
    """For each changed document the scopes that it is in afterwards."""


def place(changed: Mapping[str, Placement], standing: Standing) -> Moves:
    """Work out all moves that follow from `changed` (document id -> placement).

    1. Grow: own rules and new references give reasons, and whatever enters a scope brings what it refers to.
    2. Shrink: own rules and references that are gone take theirs, and so does whatever leaves a scope. 3. Documents
    left holding each other in a ring, with no SELF behind any of them, leave too. Reasons only grow in the first
    step and only shrink afterwards, so that it ends however documents refer to each other.
    That a document has a reason via each document that refers to it, in each scope of that one, is what all of this
    keeps up, and so it is taken as given of how things stood.
    """
    return _Placing(changed, standing).run()


class _Placing:
    """The work of one `place`: what is known so far, and the moves that came of it."""

    def __init__(self, changed: Mapping[str, Placement], standing: Standing) -> None:
        self.changed = changed
        self.standing = standing
        self.moves = Moves()
        self.before: dict[str, frozenset[str]] = {}
        self.scopes: dict[str, set[str]] = {}
        self.own: dict[str, set[str]] = {}
        self.known_refs: dict[str, frozenset[str]] = {doc: placement.refs for doc, placement in changed.items()}
        self.gained: dict[Pair, set[str]] = {}
        self.shaken: set[Pair] = set()
        """Pairs that lost a reason: what still holds them is to be asked."""

    def run(self) -> Moves:
        fresh = {ref for placement in self.changed.values() for ref in placement.refs - placement.refs_before}
        self._know(self.changed.keys() | fresh)
        self._grow()
        self._shrink()
        for doc, had in self.before.items():
            has = self.scopes[doc]
            self.moves.entered |= {(scope, doc) for scope in has - had}
            self.moves.left |= {(scope, doc) for scope in had - has}
        self.moves.members = {doc: frozenset(self.scopes[doc]) for doc in self.changed}
        self.moves.gained = {(doc, (scope, via)) for (scope, doc), vias in self.gained.items() for via in vias}
        return self.moves

    def _grow(self) -> None:
        pending = {doc for doc, placement in self.changed.items() if placement.refs - placement.refs_before}
        for doc, placement in self.changed.items():
            for scope in placement.scopes - self.own[doc]:
                self.own[doc].add(scope)
                if self._give(doc, (scope, SELF)):
                    pending.add(doc)
        while pending:
            refs = self._refs(doc for doc in pending if self.scopes[doc])
            given = [
                (target, (scope, doc))
                for doc, targets in refs.items()
                for target in targets
                for scope in self.scopes[doc]
                if not self._stood(target, (scope, doc))
            ]
            self._know(target for target, _ in given)
            pending = {target for target, reason in given if self._give(target, reason)}

    def _shrink(self) -> None:
        for doc, placement in self.changed.items():
            for scope in self.own[doc] - placement.scopes:
                self.own[doc].discard(scope)
                self._take(doc, (scope, SELF))
            for target in placement.refs_before - placement.refs:
                for scope in self.before[doc]:
                    self._take(target, (scope, doc))
        doubtful: set[Pair] = set()
        while self.shaken or doubtful:
            while self.shaken:
                pairs, self.shaken = self.shaken, set()
                self._know(doc for _, doc in pairs)
                held = self._held(pairs)
                doubtful |= held.keys()
                self._leave(pairs - held.keys())
            doubtful, floating = set(), self._floating(doubtful)
            self._leave(floating)

    def _leave(self, pairs: Iterable[Pair]) -> None:
        """Take documents out of scopes, and from what they refer or referred to the reasons that they gave."""
        leaving = [(scope, doc) for scope, doc in pairs if scope in self.scopes[doc]]
        refs = self._refs(doc for _, doc in leaving)
        for scope, doc in leaving:
            self.scopes[doc].discard(scope)
            before = self.changed[doc].refs_before if doc in self.changed else refs[doc]
            for target in refs[doc] | before:
                self._take(target, (scope, doc))

    def _held(self, pairs: Iterable[Pair]) -> dict[Pair, str]:
        """For each pair that something still holds one thing that does."""
        found: dict[Pair, str] = {}
        open_pairs: list[Pair] = []
        for pair in pairs:
            scope, doc = pair
            if doc in self.changed and scope in self.own[doc]:
                found[pair] = SELF
            elif vias := self.gained.get(pair):
                found[pair] = min(vias)
            else:
                open_pairs.append(pair)
        return found | dict(self.standing.holds(open_pairs, self.moves.lost)) if open_pairs else found

    def _floating(self, doubtful: Set[Pair]) -> set[Pair]:
        """Of pairs that something holds those that no chain of reasons connects with a SELF, and all that hold them."""
        waiting = {pair: pair for pair in doubtful if pair[0] in self.scopes[pair[1]]}
        trails = {pair: {pair} for pair in waiting}
        rings: set[Pair] = set()
        while waiting:
            held = self._held(set(waiting.values()))
            going: dict[Pair, Pair] = {}
            for start, pair in waiting.items():
                via = held.get(pair)
                if via == SELF:
                    continue
                following = (pair[0], via or "")
                if via is None or following in trails[start]:
                    rings.add(start)
                    continue
                trails[start].add(following)
                going[start] = following
            waiting = going
        return self._ungrounded(rings)

    def _ungrounded(self, rings: Set[Pair]) -> set[Pair]:
        """The same for pairs whose first chain came back to itself, by looking at every reason on the way up."""
        found: set[Pair] = set()
        for scope, doc in sorted(rings):
            if (scope, doc) in found:
                continue
            reached = {doc}
            upwards = [doc]
            grounded = False
            while upwards and not grounded:
                vias = self._vias(scope, upwards)
                grounded = SELF in vias
                upwards = sorted(vias - reached)
                reached |= vias
            if not grounded:
                found |= {(scope, each) for each in reached}
        self._know(doc for _, doc in found)
        for scope, doc in found:
            given = self.gained.pop((scope, doc), set())
            self.moves.lost |= {(doc, (scope, via)) for via in self._vias(scope, [doc]) - given}
        return found

    def _vias(self, scope: str, docs: Iterable[str]) -> set[str]:
        """All that holds these documents in a scope now."""
        wanted = list(docs)
        stood = self.standing.reasons(scope, wanted)
        return {
            via
            for doc in wanted
            for via in {*stood.get(doc, ()), *self.gained.get((scope, doc), ())}
            if (doc, (scope, via)) not in self.moves.lost
        }

    def _refs(self, docs: Iterable[str]) -> dict[str, frozenset[str]]:
        wanted = sorted(set(docs))
        missing = [doc for doc in wanted if doc not in self.known_refs]
        if missing:
            loaded = self.standing.refs(missing)
            self.known_refs |= {doc: loaded.get(doc, frozenset()) for doc in missing}
        return {doc: self.known_refs[doc] for doc in wanted}

    def _know(self, docs: Iterable[str]) -> None:
        missing = sorted({doc for doc in docs if doc not in self.before})
        if missing:
            loaded = self.standing.members(missing)
            for doc in missing:
                scopes = loaded.get(doc, {})
                self.before[doc] = frozenset(scopes)
                self.scopes[doc] = set(scopes)
                self.own[doc] = {scope for scope, own in scopes.items() if own}

    def _stood(self, target: str, reason: Reason) -> bool:
        """Whether a document had this reason, via another one, before anything changed."""
        scope, via = reason
        refs = self.changed[via].refs_before if via in self.changed else self.known_refs[via]
        return scope in self.before[via] and target in refs

    def _give(self, doc: str, reason: Reason) -> bool:
        """Add a reason that was not there; whether it brought the document into the scope."""
        scope, via = reason
        self.gained.setdefault((scope, doc), set()).add(via)
        if scope in self.scopes[doc]:
            return False
        self.scopes[doc].add(scope)
        return True

    def _take(self, doc: str, reason: Reason) -> None:
        scope, via = reason
        given = self.gained.get((scope, doc))
        if given and via in given:
            given.discard(via)
        elif via == SELF or self._stood(doc, reason):
            self.moves.lost.add((doc, reason))
        self.shaken.add((scope, doc))
