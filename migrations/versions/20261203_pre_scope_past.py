"""What was once in a scope, and is remembered after the feed has forgotten it.

Runs before its code: the old code does not know the table. What was forgotten before is found in the documents'
versions, as the old code found it at each push; with it what came along with a visit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from server.store import types

revision = "0014_scope_past"
down_revision = "0013_exchange"
branch_labels = None
depends_on = None

FOR_EVERYONE = ("branch", "checklist", "product_model", "service_kind")
DONE = ("done", "partly_done", "reviewed", "closed")
PORTION = 1000

Key = tuple[str, str, str]
"""Company, scope, document."""


def _table(name: str, *ids: str, **others: Any) -> sa.TableClause:
    columns = [sa.column(each, types.IdType) for each in ("company_id", *ids)]
    return sa.table(name, *columns, *(sa.column(each, kind) for each, kind in others.items()))


document = _table("document", "id", collection=sa.String, refs=sa.Text)
version = _table("document_version", "document_id", body=sa.Text)
floor = _table("scope_floor", scope=sa.String)
feed = _table("scope_feed", "document_id", scope=sa.String)
past = _table("scope_past", "document_id", scope=sa.String)


def upgrade() -> None:
    op.create_table(
        "scope_past",
        sa.Column("company_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("scope", sa.String(length=60), nullable=False),
        sa.Column("document_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "scope", "document_id", name=op.f("pk_scope_past")),
    )
    connection = op.get_bind()
    floors = connection.execute(sa.select(floor.c.company_id, floor.c.scope)).fetchall()
    for company_id in sorted({row.company_id for row in floors}):
        _fill(connection, company_id, {row.scope for row in floors if row.company_id == company_id})


def _fill(connection: sa.Connection, company_id: str, scopes: set[str]) -> None:
    """Note all that was ever in these scopes of a company, which have forgotten something, and is not in their feed."""
    own = sa.select(document.c.id, document.c.refs).where(document.c.company_id == company_id)
    refs = {row.id: json.loads(row.refs) for row in connection.execute(own)}
    found = set(_once_in(connection, company_id, scopes, refs))
    mine = sa.select(feed.c.scope, feed.c.document_id).where(feed.c.company_id == company_id)
    for row in connection.execute(mine):
        found.discard((company_id, row.scope, row.document_id))
    rows = [{"company_id": one, "scope": scope, "document_id": doc} for one, scope, doc in sorted(found)]
    for start in range(0, len(rows), PORTION):
        connection.execute(past.insert(), rows[start : start + PORTION])


def _once_in(connection: sa.Connection, company_id: str, scopes: set[str], refs: dict[str, list[str]]) -> Iterator[Key]:
    joined = (document.c.company_id == version.c.company_id) & (document.c.id == version.c.document_id)
    statement = (
        sa.select(version.c.document_id, document.c.collection, version.c.body)
        .join_from(version, document, joined)
        .where(version.c.company_id == company_id)
        .where(document.c.collection.in_((*FOR_EVERYONE, "technician", "visit")))
    )
    for doc, collection, text in connection.execute(statement):
        body = json.loads(text)
        scope = _scope(doc, collection, body)
        if scope in scopes:
            along = [body.get("site_id"), *(body.get("asset_ids") or ())] if collection == "visit" else []
            for each in _with_what_they_bring([doc, *along], refs):
                yield company_id, scope, each


def _scope(doc: str, collection: str, body: dict[str, Any]) -> str | None:
    """The scope that a version of a document was in by itself."""
    if collection in FOR_EVERYONE:
        return "everyone"
    if collection == "technician":
        return f"technician:{doc}"
    if body.get("archived"):
        return None
    if body.get("exec_state") in DONE and body.get("performed_by_id"):
        return f"technician:{body['performed_by_id']}"
    # A body that does not say how it is planned is published: what is as usual is left out.
    if body.get("plan_state", "published") == "published" and body.get("assignee_id"):
        return f"technician:{body['assignee_id']}"
    return None


def _with_what_they_bring(ids: list[str | None], refs: dict[str, list[str]]) -> set[str]:
    found: set[str] = set()
    waiting = ids
    while waiting:
        each = waiting.pop()
        if each in refs and each not in found:
            found.add(each)
            waiting += refs[each]
    return found


def downgrade() -> None:
    op.drop_table("scope_past")
