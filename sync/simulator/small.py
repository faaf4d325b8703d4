"""Small histories, whole: every order in which two tablets with three operations each and the office can act.

What a random fleet may never meet is met here for certain, as long as it takes no more than that: nine steps in 1,680
orders for each situation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sync.change import Json
from sync.simulator.script import Operation, Script, TabletPlan

Step = tuple[str, dict[str, Json]]
"""What somebody does, and with what."""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Three steps of each of two tablets, and three of the office; `same` when one person holds both tablets."""

    name: str
    first: tuple[Step, Step, Step]
    second: tuple[Step, Step, Step]
    office: tuple[Step, Step, Step]
    same: bool = False


def edit(what: str, k: int = 0) -> Step:
    """An edit on a tablet."""
    return "edit", {"seat": 0, "what": what, "k": k}


def push(*net: str) -> Step:
    """A tablet sends; what happens to its requests."""
    return "push", {"seat": 0, "net": list(net)}


def pull(*net: str, limit: int = 200) -> Step:
    """A tablet reads a page."""
    return "pull", {"seat": 0, "net": list(net), "limit": limit}


def office(what: int, k: int = 0) -> Step:
    """An edit at the office."""
    return "office", {"what": what, "k": k}


def assign(k: int, to: int) -> Step:
    """A visit goes to somebody."""
    return "assign", {"k": k, "to": to}


def withdraw(k: int, state: str) -> Step:
    """A visit is taken back, cancelled or put off."""
    return "withdraw", {"k": k, "state": state}


TITLE, ACCESS, PHONE, TAGS, GATE, NOTE = 0, 2, 3, 4, 5, 6
"""Edits at the office: of a visit's title, of a site's access, phone, tags, gate code, of a customer's note."""

SITUATIONS: tuple[Situation, ...] = (
    Situation(
        name="one field, three writers",
        same=True,
        first=(edit("access"), push(), pull()),
        second=(edit("access"), push(), pull()),
        office=(office(ACCESS, 0), office(ACCESS, 1), office(ACCESS, 2)),
    ),
    Situation(
        name="an office field",
        same=True,
        first=(edit("phone"), push("no-reply"), pull()),
        second=(edit("phone"), push(), pull()),
        office=(office(PHONE, 0), office(PHONE, 1), ("resolve", {"index": 0, "choice": "mine"})),
    ),
    Situation(
        name="a set",
        same=True,
        first=(edit("tags", 0), push(), edit("tags", 1)),
        second=(edit("tags", 2), push(), pull()),
        office=(office(TAGS, 0), office(TAGS, 1), office(TAGS, 2)),
    ),
    Situation(
        name="a text and a person who decides",
        same=True,
        first=(edit("comment"), push(), edit("pin")),
        second=(edit("comment"), push(), edit("pin")),
        office=(office(NOTE, 0), office(NOTE, 1), ("resolve", {"index": 0, "choice": "theirs"})),
    ),
    Situation(
        name="the latest, and a reply that is lost",
        same=True,
        first=(edit("gate"), push("no-reply"), push()),
        second=(edit("gate"), push(), pull()),
        office=(office(GATE, 0), office(GATE, 1), office(GATE, 2)),
    ),
    Situation(
        name="work on a visit that is given away",
        first=(edit("finish"), push(), pull()),
        second=(pull(), edit("event"), push()),
        office=(assign(0, 1), assign(2, 1), assign(0, 0)),
    ),
    Situation(
        name="work on a visit that is cancelled",
        same=True,
        first=(edit("event"), edit("finish"), push()),
        second=(edit("event"), push("no-reply"), pull()),
        office=(withdraw(0, "cancelled"), withdraw(0, "published"), withdraw(2, "cancelled")),
    ),
    Situation(
        name="a server that dies in a push",
        same=True,
        first=(edit("note"), push("kill:5"), push()),
        second=(edit("note"), push("twice"), pull()),
        office=(office(TITLE, 0), ("kill", {}), office(TITLE, 2)),
    ),
    Situation(
        name="a machine that moves",
        first=(pull(limit=2), edit("serial"), push()),
        second=(pull(limit=2), pull(limit=2), edit("serial")),
        office=(("move", {"k": 0, "what": 0}), ("move", {"k": 7, "what": 1}), ("move", {"k": 1, "what": 2})),
    ),
    Situation(
        name="a deputy comes and goes",
        first=(pull(), edit("note"), push()),
        second=(pull(), edit("note", 1), push()),
        office=(
            ("grant", {"tablet": "tablet-1", "seat": 0, "to": 1}),
            ("ungrant", {"tablet": "tablet-1", "seat": 0, "to": 1}),
            assign(1, 0),
        ),
    ),
    Situation(
        name="a restore",
        first=(edit("note"), push(), pull()),
        second=(edit("access"), push(), pull()),
        office=(("backup", {}), ("restore", {}), assign(0, 1)),
    ),
    Situation(
        name="a tablet that is revoked",
        first=(edit("note"), push(), pull()),
        second=(edit("note"), push(), pull()),
        office=(assign(0, 1), ("revoke", {"tablet": "tablet-1", "seat": 0}), assign(1, 0)),
    ),
)


def every_order(situation: Situation) -> Iterator[Script]:
    """A script for each order of its nine steps."""
    tablets = tuple(
        TabletPlan(name=f"tablet-{n + 1}", people=(0 if situation.same else n,), offset_s=float(n)) for n in range(2)
    )
    lists = [
        [
            Operation(i=10 * who + n, at=0.0, actor=_actor(actor, do), do=do, args=args)
            for n, (do, args) in enumerate(steps)
        ]
        for who, (actor, steps) in enumerate(
            (("tablet-1", situation.first), ("tablet-2", situation.second), ("office", situation.office))
        )
    ]
    for order in _orders(lists):
        operations = tuple(
            Operation(i=one.i, at=10.0 * (n + 1), actor=one.actor, do=one.do, args=one.args)
            for n, one in enumerate(order)
        )
        yield Script(
            seed=0, technicians=2, tablets=tablets, operations=operations, faults=(f"small: {situation.name}",)
        )


def _actor(actor: str, do: str) -> str:
    return "operator" if do in ("backup", "restore", "kill") else actor


def _orders(lists: Sequence[Sequence[Operation]]) -> Iterator[list[Operation]]:
    """Every order in which each list keeps its own."""
    if not any(lists):
        yield []
        return
    for n, one in enumerate(lists):
        if one:
            rest = [list(each) for each in lists]
            head = rest[n].pop(0)
            for tail in _orders(rest):
                yield [head, *tail]
