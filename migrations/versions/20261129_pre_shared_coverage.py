"""pre_shared_coverage

What was decided of a visit's coverage becomes a document that visits share; `flask documents refresh` brings the
stored documents to that form. Membership is looked up by document, and the busiest tables refer to no company.
"""

from __future__ import annotations

import json
import uuid

import sqlalchemy as sa
from alembic import op

from server.store import types

revision = "0009_shared_coverage"
down_revision = "0008_stock_clients"
branch_labels = None
depends_on = None

DECISIONS = uuid.UUID("6d3c8f0e-0d52-4c6b-9a53-2f1d8d7f6b1a")
NAMES = ("outcome", "reason", "amount", "currency", "decided_for", "lines")
BUSIEST = ("document", "document_version", "scope_feed", "scope_reason", "mutation")

coverage = sa.table(
    "coverage",
    sa.column("company_id", types.IdType),
    sa.column("id", types.IdType),
    sa.column("outcome", sa.String),
    sa.column("reason", types.Json),
    sa.column("amount", sa.String),
    sa.column("currency", sa.String),
    sa.column("decided_for", sa.String),
    sa.column("lines", types.Json),
    sa.column("considered", types.Json),
)
visit = sa.table(
    "visit",
    sa.column("company_id", types.IdType),
    sa.column("id", types.IdType),
    sa.column("coverage", types.Json),
    sa.column("coverage_id", types.IdType),
    sa.column("coverage_basis", types.Json),
)


def upgrade() -> None:
    op.create_table(
        "coverage",
        sa.Column("company_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("reason", types.Json, nullable=False),
        sa.Column("amount", sa.String(length=40), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("decided_for", sa.String(length=10), nullable=False),
        sa.Column("lines", types.Json, nullable=False),
        sa.Column("considered", types.Json, nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_coverage_company_id")),
        sa.PrimaryKeyConstraint("company_id", "id", name=op.f("pk_coverage")),
    )
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.add_column(sa.Column("coverage_id", sa.Uuid(as_uuid=False), nullable=True))
        batch_op.add_column(sa.Column("coverage_basis", types.Json, nullable=True))
    _share()
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.drop_column("coverage")
    for table in BUSIEST:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_constraint(op.f(f"fk_{table}_company_id"), type_="foreignkey")
    with op.batch_alter_table("scope_reason", schema=None) as batch_op:
        batch_op.drop_index(op.f("ix_scope_reason_company_id_document_id"))
    with op.batch_alter_table("scope_feed", schema=None) as batch_op:
        batch_op.create_index(op.f("ix_scope_feed_company_id_document_id"), ["company_id", "document_id"], unique=False)


def _share() -> None:
    """Move each visit's decision into the table that they share, under the id that its content gives it."""
    connection = op.get_bind()
    known: set[tuple[str, str]] = set()
    statement = sa.select(visit.c.company_id, visit.c.id, visit.c.coverage).where(visit.c.coverage.is_not(None))
    for company_id, visit_id, decision in connection.execute(statement).fetchall():
        basis = decision.pop("basis", None)
        text = json.dumps(decision, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        decision_id = str(uuid.uuid5(DECISIONS, text))
        if (company_id, decision_id) not in known:
            known.add((company_id, decision_id))
            values = {name: decision.get(name) for name in NAMES} | {"considered": decision["rules"]}
            connection.execute(coverage.insert().values(company_id=company_id, id=decision_id, **values))
        mine = (visit.c.company_id == company_id) & (visit.c.id == visit_id)
        connection.execute(visit.update().where(mine).values(coverage_id=decision_id, coverage_basis=basis))


def downgrade() -> None:
    with op.batch_alter_table("scope_feed", schema=None) as batch_op:
        batch_op.drop_index(op.f("ix_scope_feed_company_id_document_id"))
    with op.batch_alter_table("scope_reason", schema=None) as batch_op:
        batch_op.create_index(
            op.f("ix_scope_reason_company_id_document_id"), ["company_id", "document_id"], unique=False
        )
    for table in BUSIEST:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.create_foreign_key(op.f(f"fk_{table}_company_id"), "company", ["company_id"], ["id"])
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.add_column(sa.Column("coverage", types.Json, nullable=True))
    _give_back()
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.drop_column("coverage_basis")
        batch_op.drop_column("coverage_id")
    op.drop_table("coverage")


def _give_back() -> None:
    connection = op.get_bind()
    shared = {(row.company_id, row.id): row for row in connection.execute(sa.select(coverage))}
    columns = (visit.c.company_id, visit.c.id, visit.c.coverage_id, visit.c.coverage_basis)
    statement = sa.select(*columns).where(visit.c.coverage_id.is_not(None))
    for company_id, visit_id, coverage_id, basis in connection.execute(statement).fetchall():
        row = shared[company_id, coverage_id]
        values = {name: value for name in NAMES if (value := getattr(row, name)) is not None}
        mine = (visit.c.company_id == company_id) & (visit.c.id == visit_id)
        connection.execute(
            visit.update().where(mine).values(coverage=values | {"rules": row.considered, "basis": basis})
        )
