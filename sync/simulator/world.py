"""The simulated company: small, but with a field of every merge policy, references to follow, and stock to conserve.

`ENTITIES` are the collections of the in-memory server. They bear the names and rules of the real ones where those
exist (`schemas/entities/`; a test compares them), and add what no real collection has yet: the policies `latest`,
`max`, `min` and `ask`, and parts whose stock is a sum of movements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sync.change import Body, FieldRule, Json, Owner, PolicyName
from sync.simulator.moments import ident
from sync.states import PERFORMED

EVERYONE = "everyone"


def technician_scope(technician_id: str) -> str:
    """The scope of one technician's tablets."""
    return f"technician:{technician_id}"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One collection of the in-memory server."""

    rules: Mapping[str, FieldRule]
    refs: tuple[str, ...] = ()
    scoping: Callable[[Body], frozenset[str]] = lambda body: frozenset()
    leaving: Callable[[Body], str] = lambda body: "not-needed"
    device_may_create: bool = False

    def references(self, body: Body) -> frozenset[str]:
        """Ids of the documents that this one brings along."""
        found: set[str] = set()
        for name in self.refs:
            value = body.get(name)
            if isinstance(value, list):
                found.update(value)
            elif value:
                found.add(value)
        return frozenset(found)

    def scopes(self, body: Body) -> frozenset[str]:
        """The scopes that it is in by itself."""
        return self.scoping(body)

    def why_left(self, body: Body) -> str:
        """Why it is in them no longer."""
        return self.leaving(body)


def rules(**fields: tuple[Owner, PolicyName]) -> dict[str, FieldRule]:
    """Rules by field name."""
    return {name: FieldRule(name=name, owner=owner, policy=policy) for name, (owner, policy) in fields.items()}


def _visit_scopes(body: Body) -> frozenset[str]:
    if body.get("archived"):
        return frozenset()
    if body.get("exec_state") in PERFORMED and body.get("performed_by_id"):
        return frozenset({technician_scope(body["performed_by_id"])})
    if body.get("plan_state") == "published" and body.get("assignee_id"):
        return frozenset({technician_scope(body["assignee_id"])})
    return frozenset()


def _visit_left(body: Body) -> str:
    if body.get("archived"):
        return "archived"
    if body.get("exec_state") in PERFORMED:
        return "done-by-other"
    if body.get("plan_state") == "cancelled":
        return "cancelled"
    return "reassigned" if body.get("assignee_id") and body.get("plan_state") == "published" else "withdrawn"


ENTITIES: dict[str, Kind] = {
    "visit": Kind(
        rules=rules(
            title=("office", "office"),
            priority=("office", "office"),
            site_id=("office", "office"),
            asset_ids=("shared", "union"),
            plan_state=("office", "office"),
            assignee_id=("office", "office"),
            events=("field", "state"),
            readings=("field", "append"),
            notes=("field", "append"),
            signature=("field", "technician"),
            work_summary=("field", "text"),
            exec_state=("server", "server"),
            performed_by_id=("server", "server"),
            flags=("server", "server"),
            archived=("server", "server"),
        ),
        refs=("site_id", "asset_ids"),
        scoping=_visit_scopes,
        leaving=_visit_left,
        device_may_create=True,
    ),
    "site": Kind(
        rules=rules(
            customer_id=("office", "office"),
            name=("office", "office"),
            access_note=("shared", "technician"),
            contact_phone=("shared", "office"),
            tags=("shared", "union"),
            gate_code=("shared", "latest"),
            pin=("shared", "ask"),
        ),
        refs=("customer_id",),
    ),
    "customer": Kind(rules=rules(name=("office", "office"), phone=("shared", "office"), note=("shared", "text"))),
    "asset": Kind(
        rules=rules(
            site_id=("office", "office"),
            serial=("shared", "technician"),
            hours=("shared", "max"),
            lowest_pressure=("shared", "min"),
        ),
        refs=("site_id",),
    ),
    "part": Kind(
        rules=rules(name=("office", "office"), movements=("shared", "append"), on_hand=("shared", "latest")),
        scoping=lambda body: frozenset({EVERYONE}),
    ),
}
"""`on_hand` of a part is what a counter would be; only the planted bug of a counter synced as a value writes it."""


@dataclass(frozen=True, kw_only=True)
class Company:
    """Who and what is there before the fleet starts; lists are in the order in which operations count them."""

    technicians: tuple[str, ...]
    customers: tuple[str, ...]
    sites: tuple[str, ...]
    assets: tuple[str, ...]
    parts: tuple[str, ...] = ()
    documents: Mapping[str, tuple[str, Body]] = field(default_factory=dict)
    """Id -> collection and body, for a server that starts empty."""


RECEIVED = 20
"""Of each part so many were received before the fleet starts."""


def small_company(technicians: int) -> Company:
    """Technicians, three sites of two customers with a machine or two each, two parts."""
    people = tuple(ident("technician", n) for n in range(technicians))
    customers = tuple(ident("customer", n) for n in range(2))
    sites = tuple(ident("site", n) for n in range(3))
    assets = tuple(ident("asset", n) for n in range(4))
    parts = tuple(ident("part", n) for n in range(2))
    documents: dict[str, tuple[str, Body]] = {}
    for n, each in enumerate(customers):
        documents[each] = ("customer", {"id": each, "name": f"Customer {n}", "phone": None, "note": "old customer"})
    for n, each in enumerate(sites):
        body: Body = {"id": each, "customer_id": customers[n % 2], "name": f"Site {n}", "access_note": "ring twice"}
        body |= {"contact_phone": "100", "tags": ["roof"], "gate_code": None, "pin": None}
        documents[each] = ("site", body)
    for n, each in enumerate(assets):
        body = {"id": each, "site_id": sites[n % 3], "serial": f"SN-{n}", "hours": None, "lowest_pressure": None}
        documents[each] = ("asset", body)
    for n, each in enumerate(parts):
        documents[each] = ("part", {"id": each, "name": f"Part {n}", "movements": [_received(n)], "on_hand": RECEIVED})
    return Company(
        technicians=people, customers=customers, sites=sites, assets=assets, parts=parts, documents=documents
    )


def _received(n: int) -> Json:
    place = {"from": "supplier", "to": "warehouse", "quantity": RECEIVED}
    return {"id": ident("received", n), "at": "2026-03-02T06:00:00.000Z", **place}


def new_visit(
    visit_id: str, site_id: str, assets: tuple[str, ...], technician_id: str | None, title: str, *, priority: int = 1
) -> Body:
    """The body of a visit as the office or the scheduler makes it: published if it is somebody's."""
    return {
        "id": visit_id,
        "title": title,
        "priority": priority,
        "site_id": site_id,
        "asset_ids": list(assets),
        "plan_state": "published" if technician_id else "due",
        "assignee_id": technician_id,
        "events": [],
        "readings": [],
        "notes": [],
        "signature": None,
        "work_summary": None,
        "exec_state": "not_started",
        "performed_by_id": None,
        "flags": [],
        "archived": False,
    }
