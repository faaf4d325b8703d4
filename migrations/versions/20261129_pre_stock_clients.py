"""What is remembered of devices with clients of RxDB and WatermelonDB.

Runs before its code: the old code knows nothing of these tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store import types

revision = "0008_stock_clients"
down_revision = "0007_document_digest"
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False)


def upgrade() -> None:
    _table(
        "whole_edit",
        ("document_id",),
        sa.Column("document_id", ID, nullable=False),
        sa.Column("edit_id", ID, nullable=False),
        sa.Column("base_hash", sa.String(length=64), nullable=False),
        sa.Column("new_hash", sa.String(length=64), nullable=False),
    )
    _table(
        "view_place",
        ("collection",),
        sa.Column("collection", sa.String(length=40), nullable=False),
        sa.Column("effective", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("document_id", sa.String(length=36), nullable=False),
    )
    _table(
        "device_stamp",
        ("stamp",),
        sa.Column("stamp", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.String(length=60), nullable=False),
        sa.Column("effective", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("document_id", sa.String(length=36), nullable=False),
        sa.Column("made_at", types.Moment(timezone=True), nullable=False),
    )
    _table(
        "device_copy",
        ("document_id",),
        sa.Column("document_id", ID, nullable=False),
        sa.Column("collection", sa.String(length=40), nullable=False),
        sa.Column("client_id", sa.String(length=100), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("sent_version", sa.Integer(), nullable=True),
        sa.Column("sent_stamp", sa.BigInteger(), nullable=True),
        sa.Column("again", sa.Boolean(), nullable=False),
    )


def _table(name: str, keys: tuple[str, ...], *columns: sa.Column[object]) -> None:
    op.create_table(
        name,
        sa.Column("company_id", ID, nullable=False),
        sa.Column("device_id", ID, nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f(f"fk_{name}_company_id")),
        sa.ForeignKeyConstraint(
            ["company_id", "device_id"],
            ["device.company_id", "device.id"],
            name=op.f(f"fk_{name}_company_id_device_id"),
        ),
        sa.PrimaryKeyConstraint("company_id", "device_id", *keys, name=op.f(f"pk_{name}")),
    )


def downgrade() -> None:
    for name in ("device_copy", "device_stamp", "view_place", "whole_edit"):
        op.drop_table(name)
