"""What goes ahead of a first pull: the work of today with all that it needs, to be done before the rest is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import orjson
from sqlalchemy import select

from schemas.entities import COLLECTIONS
from schemas.shape import shaped
from server.extensions import db
from server.store import rows, view
from server.store.models import Document, ServiceKind
from server.store.pull import Subscription, put
from server.store.queries import packages
from sync.change import Body

MOST_STEPS = 6
"""So many references in a row are followed at most."""


def work_ahead(
    company_id: str,
    held: Sequence[Subscription],
    since: datetime | None,
    until: datetime,
    *,
    schema_version: int,
    limit: int,
) -> list[str]:
    """Changes that put what is to be done in a stretch of time, the first visit first, what each needs before it.

    Of at most `limit` visits and one more. What a visit needs is all that it refers to, along with it or not, as far as
    it is in the scopes that are held.
    """
    scopes = [one.scope for one in held if one.revoked is None and packages.is_technicians(one.scope)]
    visits = [visit for scope in scopes for visit in packages.open_between(company_id, scope, since, until, limit + 1)]
    if not visits:
        return []
    known = _known(company_id, [*visits, *map(packages.technician_of, scopes)])
    order: dict[str, None] = {}
    for each in (*map(packages.technician_of, scopes), *visits):
        _follow(each, known, order)
    texts = (
        (row, shaped(row.collection, row.body, schema_version))
        for row in view.rows(company_id, held, list(order))
        if row.body is not None
    )
    return [put(row.collection, row.version, text) for row, text in texts if text is not None]


def _follow(document_id: str, known: dict[str, list[str]], order: dict[str, None]) -> None:
    """Put a document into the order, after all that it leads to."""
    waiting = [(document_id, False)]
    seen: set[str] = set()
    while waiting:
        each, led = waiting.pop()
        if led:
            order.setdefault(each)
        elif each not in order and each not in seen:
            seen.add(each)
            waiting.append((each, True))
            waiting += [(one, False) for one in known.get(each, ())]


def _known(company_id: str, ids: Iterable[str]) -> dict[str, list[str]]:
    """What these documents lead to, and what that leads to, and so on."""
    of_company = select(ServiceKind.code, ServiceKind.id).where(ServiceKind.company_id == company_id)
    kinds = {row.code: row.id for row in db.session.execute(of_company)}
    found: dict[str, list[str]] = {}
    wanted = set(ids)
    for _ in range(MOST_STEPS):
        if not wanted:
            break
        statement = select(Document.id, Document.collection, Document.body).where(
            Document.company_id == company_id, rows.among(db.session(), Document.id, wanted)
        )
        for document_id, collection, body in db.session.execute(statement):
            found[document_id] = _leads_to(collection, orjson.loads(body), kinds)
        wanted = {one for each in wanted for one in found.get(each, ())} - found.keys()
    return found


def _leads_to(collection: str, body: Body, kinds: dict[str, str]) -> list[str]:
    named: list[str] = []
    for name, field in COLLECTIONS[collection].fields.items():
        value = body.get(name)
        if value and field.metadata.get("ref"):
            named += value if isinstance(value, list) else [value]
        elif field.metadata.get("code_of") == ServiceKind.collection and value in kinds:
            named.append(kinds[value])
    return named
