"""Which documents enter or leave a scope when something changes, with all that they refer to.

A document is in a scope for reasons: `SELF` where its own schema says so, or the id of a document there that
refers to it. It leaves when its last reason goes. Law 6 (referential closure) rests on this alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

SELF = ""
"""The reason of a document that is in a scope by its own rule."""

Reason = tuple[str, str]
"""(scope, via): the scope, and the document because of which this one is in it."""

LoadReasons = Callable[[Iterable[str]], Mapping[str, set[Reason]]]
LoadRefs = Callable[[Iterable[str]], Mapping[str, frozenset[str]]]


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
    entered: set[tuple[str, str]] = field(default_factory=set)
    left: set[tuple[str, str]] = field(default_factory=set)
    members: dict[str, frozenset[str]] = field(default_factory=dict)
    """For each changed document the scopes that it is in afterwards."""


def place(changed: Mapping[str, Placement], load_reasons: LoadReasons, load_refs: LoadRefs) -> Moves:
    """Work out all moves that follow from `changed` (document id -> placement).

    1. Grow: own rules and new references give reasons, and whatever enters a scope brings what it refers to.
    2. Shrink: own rules and references that are gone take theirs, and so does whatever leaves a scope. 3. Documents
    left holding each other in a ring, with no SELF behind any of them, leave too. Reasons only grow in the first
    step and only shrink afterwards, so that it ends however documents refer to each other.
    `load_reasons` is asked once for each document whose reasons matter, before they are looked at.
    """
    return _Placing(changed, load_reasons, load_refs).run()


class _Placing:
    """The work of one `place`: what is known so far, and the moves that came of it."""

    def __init__(self, changed: Mapping[str, Placement], load_reasons: LoadReasons, load_refs: LoadRefs) -> None:
        self.changed = changed
        self.load_reasons = load_reasons
        self.load_refs = load_refs
        self.moves = Moves()
        self.reasons: dict[str, set[Reason]] = {}
        self.before: dict[str, frozenset[str]] = {}
        self.refs: dict[str, frozenset[str]] = {doc: placement.refs for doc, placement in changed.items()}
        self.shaken: set[tuple[str, str]] = set()
        """(scope, document) pairs that lost a reason: what still holds them may hang in the air."""

    def run(self) -> Moves:
        self._know(self.changed)
        self._grow()
        self._shrink()
        for doc, had in self.before.items():
            has = _scopes(self.reasons[doc])
            self.moves.entered |= {(scope, doc) for scope in has - had}
            self.moves.left |= {(scope, doc) for scope in had - has}
        self.moves.members = {doc: _scopes(self.reasons[doc]) for doc in self.changed}
        return self.moves

    def _grow(self) -> None:
        pending = {doc for doc, placement in self.changed.items() if placement.refs - placement.refs_before}
        for doc, placement in self.changed.items():
            for scope in placement.scopes:
                if self._give(doc, (scope, SELF)):
                    pending.add(doc)
        while pending:
            targets = self._targets(doc for doc in pending if self.reasons[doc])
            self._know({target for held in targets.values() for target in held})
            pending = {
                target
                for doc, held in targets.items()
                for target in held
                for scope in _scopes(self.reasons[doc])
                if self._give(target, (scope, doc))
            }

    def _shrink(self) -> None:
        pending = {doc for doc, placement in self.changed.items() if placement.refs_before - placement.refs}
        for doc, placement in self.changed.items():
            for scope in {scope for scope, via in self.reasons[doc] if via == SELF} - placement.scopes:
                self._take(doc, (scope, SELF))
                pending.add(doc)
        while pending:
            self._take_back(pending)
            pending = set()
            for scope, doc in self._floating():
                for reason in [reason for reason in self.reasons[doc] if reason[0] == scope]:
                    self._take(doc, reason)
                pending.add(doc)

    def _take_back(self, pending: set[str]) -> None:
        """Take from what these documents refer or referred to what they no longer give, and so on."""
        while pending:
            targets = self._targets(pending)
            for doc in pending & self.changed.keys():
                targets[doc] |= self.changed[doc].refs_before
            self._know({target for held in targets.values() for target in held})
            pending = set()
            for doc, held in targets.items():
                gives = _scopes(self.reasons[doc])
                for target in held:
                    for reason in [reason for reason in self.reasons[target] if reason[1] == doc]:
                        if reason[0] not in gives or target not in self.refs[doc]:
                            self._take(target, reason)
                            pending.add(target)

    def _floating(self) -> set[tuple[str, str]]:
        """Shaken pairs that no chain of reasons connects with a SELF, and all that those hang on."""
        found: set[tuple[str, str]] = set()
        for scope, doc in sorted(self.shaken):
            if (scope, doc) in found or scope not in _scopes(self.reasons[doc]):
                continue
            reached = {doc}
            upwards = [doc]
            grounded = False
            while upwards and not grounded:
                self._know(upwards)
                vias = {via for each in upwards for held, via in self.reasons[each] if held == scope}
                grounded = SELF in vias
                upwards = sorted(vias - reached)
                reached |= vias
            if not grounded:
                found |= {(scope, each) for each in reached}
        self.shaken.clear()
        return found

    def _targets(self, docs: Iterable[str]) -> dict[str, frozenset[str]]:
        wanted = set(docs)
        missing = sorted(doc for doc in wanted if doc not in self.refs)
        if missing:
            loaded = self.load_refs(missing)
            self.refs |= {doc: loaded.get(doc, frozenset()) for doc in missing}
        return {doc: self.refs[doc] for doc in sorted(wanted)}

    def _know(self, docs: Iterable[str]) -> None:
        missing = sorted({doc for doc in docs if doc not in self.reasons})
        if missing:
            loaded = self.load_reasons(missing)
            for doc in missing:
                self.reasons[doc] = set(loaded.get(doc, set()))
                self.before[doc] = _scopes(self.reasons[doc])

    def _give(self, doc: str, reason: Reason) -> bool:
        """Add a reason; whether it is new."""
        if reason in self.reasons[doc]:
            return False
        self.reasons[doc].add(reason)
        self.moves.gained.add((doc, reason))
        return True

    def _take(self, doc: str, reason: Reason) -> None:
        self.reasons[doc].remove(reason)
        self.shaken.add((reason[0], doc))
        if (doc, reason) in self.moves.gained:
            self.moves.gained.discard((doc, reason))
        else:
            self.moves.lost.add((doc, reason))


def _scopes(reasons: set[Reason]) -> frozenset[str]:
    return frozenset(scope for scope, _ in reasons)
