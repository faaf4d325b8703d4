"""What people do on their tablets, as parts of a mutation: one small function for each kind of edit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sync.change import Body, Json
from sync.client import Replica
from sync.simulator.facts import Entities
from sync.simulator.moments import ident
from sync.simulator.world import Company
from sync.states import LEGAL_FROM, OFFICE_EVENTS, fold

Parts = dict[str, Json]
"""`set`, `add`, `remove` of a mutation, and `op` where it is no update."""


@dataclass(frozen=True, kw_only=True)
class Pen:
    """Who writes, where, when by the tablet's clock, and the numbers that decide what."""

    replica: Replica
    person: str
    company: Company
    entities: Entities
    at: str
    key: tuple[object, ...]
    """Ids made for this edit follow from it."""
    k: int
    """A number that picks among what is there."""

    def id(self, *more: object) -> str:
        """An id of this edit."""
        return ident(*self.key, *more)

    @property
    def word(self) -> str:
        """A word that nobody else writes."""
        return "w" + self.id("word")[:6]

    def entry(self, **values: Json) -> Json:
        """An entry of an append list."""
        return {"id": self.id("entry"), "at": self.at, **values}


@dataclass(frozen=True, kw_only=True)
class Edit:
    """An edit that is ready to be written down."""

    collection: str
    document_id: str
    parts: tuple[Parts, ...]
    """More than one make a group."""


Writer = Callable[[Pen, str, Body], "Parts | tuple[Parts, ...] | None"]


def note(pen: Pen, document_id: str, body: Body) -> Parts:
    """A note on the visit."""
    return {"add": {"notes": [pen.entry(text=pen.word)]}}


def event(pen: Pen, document_id: str, body: Body) -> Parts:
    """The next step of the work; now and then one that is not legal there, or the last one taken back."""
    events = body.get("events") or []
    if events and pen.k % 10 == 1:
        return {"add": {"events": [pen.entry(type="undo", undoes=events[-1]["id"])]}}
    state = fold(events).state
    kinds = sorted(LEGAL_FROM.keys() - OFFICE_EVENTS)
    legal = [kind for kind in kinds if state in LEGAL_FROM[kind]]
    kinds = legal if legal and pen.k % 9 else kinds
    return {"add": {"events": [pen.entry(type=kinds[pen.k % len(kinds)])]}}


def finish(pen: Pen, document_id: str, body: Body) -> tuple[Parts, ...]:
    """Done, with a signature: both or neither."""
    done = [pen.entry(type="done")]
    if fold(body.get("events") or []).state not in ("working", "paused"):
        done.insert(0, {"id": pen.id("start"), "at": pen.at, "type": "started"})
    signature = {"id": pen.id("sign"), "at": pen.at, "name": pen.word, "strokes": [[[0.0, 0.0], [1.0, 1.0]]]}
    return {"add": {"events": done}}, {"set": {"signature": signature}}


def reading(pen: Pen, document_id: str, body: Body) -> Parts | None:
    """A meter, on a machine of the visit."""
    machines = sorted(body.get("asset_ids") or [])
    if not machines:
        return None
    asset_id = machines[pen.k % len(machines)]
    return {"add": {"readings": [pen.entry(asset_id=asset_id, meter="hours", value=float(pen.k % 100))]}}


def summary(pen: Pen, document_id: str, body: Body) -> Parts:
    """A word more in the text that two may write."""
    words = str(body.get("work_summary") or "").split()
    words.insert(pen.k % (len(words) + 1), pen.word)
    return {"set": {"work_summary": " ".join(words)}}


def machines(pen: Pen, document_id: str, body: Body) -> Parts | None:
    """Another machine that is at hand, or one less."""
    there = set(body.get("asset_ids") or [])
    held = sorted(doc for doc, one in pen.replica.state.documents.items() if one["collection"] == "asset")
    fresh = [doc for doc in held if doc not in there]
    if there and pen.k % 3 == 0:
        return {"remove": {"asset_ids": [sorted(there)[pen.k % len(there)]]}}
    return {"add": {"asset_ids": [fresh[pen.k % len(fresh)]]}} if fresh else None


def proposal(pen: Pen, document_id: str, body: Body) -> Parts:
    """A field of the office's."""
    return {"set": {"priority": pen.k % 4}}


def access(pen: Pen, document_id: str, body: Body) -> Parts:
    """How to get in, as seen on site."""
    return {"set": {"access_note": f"{pen.word} door"}}


def phone(pen: Pen, document_id: str, body: Body) -> Parts:
    """The contact's number, where the office's word counts more."""
    return {"set": {"contact_phone": str(1000 + pen.k % 9000)}}


def tags(pen: Pen, document_id: str, body: Body) -> Parts:
    """A tag more, one less, or all of them as they are on the screen."""
    there = sorted(body.get("tags") or [])
    if there and pen.k % 3 == 0:
        return {"remove": {"tags": [there[pen.k % len(there)]]}}
    if pen.k % 3 == 1:
        return {"set": {"tags": [*there, pen.word]}}
    return {"add": {"tags": [pen.word]}}


def gate(pen: Pen, document_id: str, body: Body) -> Parts:
    """A code that changes: the latest counts."""
    return {"set": {"gate_code": pen.word}}


def pin(pen: Pen, document_id: str, body: Body) -> Parts:
    """A place on the map: with two, a person decides."""
    return {"set": {"pin": [pen.k % 90, pen.k % 180]}}


def parking(pen: Pen, document_id: str, body: Body) -> Parts | None:
    """A field that only newer tablets know."""
    return {"set": {"parking": pen.word}} if "parking" in body else None


def comment(pen: Pen, document_id: str, body: Body) -> Parts:
    """A word more about the customer."""
    return {"set": {"note": f"{body.get('note') or ''} {pen.word}".strip()}}


def serial(pen: Pen, document_id: str, body: Body) -> Parts:
    """What the plate says."""
    return {"set": {"serial": f"SN-{pen.word}"}}


def hours(pen: Pen, document_id: str, body: Body) -> Parts:
    """Operating hours: the greater counts."""
    return {"set": {"hours": pen.k % 5000}}


def pressure(pen: Pen, document_id: str, body: Body) -> Parts:
    """The lowest pressure seen."""
    return {"set": {"lowest_pressure": pen.k % 5000}}


def use_part(pen: Pen, document_id: str, body: Body) -> Parts:
    """A part from the warehouse is used: a movement, never a new count."""
    movement = pen.entry(**{"from": "warehouse", "to": "used", "quantity": 1 + pen.k % 3})
    return {"add": {"movements": [movement]}}


WRITERS: Mapping[str, tuple[str, Writer, tuple[str, ...]]] = {
    "note": ("visit", note, ("notes",)),
    "event": ("visit", event, ("events",)),
    "finish": ("visit", finish, ("events", "signature")),
    "reading": ("visit", reading, ("readings",)),
    "summary": ("visit", summary, ("work_summary",)),
    "machines": ("visit", machines, ("asset_ids",)),
    "proposal": ("visit", proposal, ("priority",)),
    "access": ("site", access, ("access_note",)),
    "phone": ("site", phone, ("contact_phone",)),
    "tags": ("site", tags, ("tags",)),
    "gate": ("site", gate, ("gate_code",)),
    "pin": ("site", pin, ("pin",)),
    "parking": ("site", parking, ()),
    "comment": ("customer", comment, ("note",)),
    "serial": ("asset", serial, ("serial",)),
    "hours": ("asset", hours, ("hours",)),
    "pressure": ("asset", pressure, ("lowest_pressure",)),
    "part": ("part", use_part, ("movements",)),
}
"""Word -> collection, writer, and the fields that the server must have for it."""


def make(pen: Pen, what: str) -> Edit | None:
    """The edit of this kind on one of the documents that the tablet holds; None when there is none for it."""
    if what == "visit":
        return _new_visit(pen)
    collection, writer, fields = WRITERS[what]
    entity = pen.entities.get(collection)
    if entity is None or any(name not in entity.rules for name in fields):
        return None
    held = sorted(doc for doc, one in pen.replica.state.documents.items() if one["collection"] == collection)
    if not held:
        return None
    document_id = held[pen.k % len(held)]
    body = pen.replica.view(document_id)
    parts = writer(pen, document_id, body) if body is not None else None
    if parts is None:
        return None
    return Edit(collection=collection, document_id=document_id, parts=parts if isinstance(parts, tuple) else (parts,))


def _new_visit(pen: Pen) -> Edit | None:
    sites = sorted(doc for doc, one in pen.replica.state.documents.items() if one["collection"] == "site")
    if not sites:
        return None
    values: Body = {"site_id": sites[pen.k % len(sites)], "title": pen.word}
    if "kind" in pen.entities["visit"].rules:
        values["kind"] = "preventive_maintenance"
    return Edit(collection="visit", document_id=pen.id("visit"), parts=({"op": "create", "set": values},))
