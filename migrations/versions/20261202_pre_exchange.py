"""Exchange by files: keys of offices and of tablets, and how far each tablet's files have come.

Runs before its code: the old code knows nothing of these tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store import types

revision = "0013_exchange"
down_revision = "0012_warranty_meter"
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False)


def upgrade() -> None:
    op.create_table(
        "office_key",
        sa.Column("company_id", ID, nullable=False),
        sa.Column("key_id", sa.String(32), nullable=False),
        *_keys(),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name="fk_office_key_company_id"),
        sa.PrimaryKeyConstraint("company_id", name="pk_office_key"),
    )
    op.create_index("ix_office_key_key_id", "office_key", ["key_id"])
    op.create_table(
        "device_key",
        sa.Column("company_id", ID, nullable=False),
        sa.Column("key_id", sa.String(32), nullable=False),
        sa.Column("device_id", ID, nullable=False),
        *_keys(),
        *_of_device("device_key"),
        sa.PrimaryKeyConstraint("company_id", "key_id", name="pk_device_key"),
    )
    op.create_index("ix_device_key_company_id_device_id", "device_key", ["company_id", "device_id"])
    op.create_table(
        "device_exchange",
        sa.Column("company_id", ID, nullable=False),
        sa.Column("device_id", ID, nullable=False),
        sa.Column("taken_n", sa.Integer(), nullable=False),
        sa.Column("taken_at", types.Moment(timezone=True), nullable=True),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("first_unanswered", sa.Integer(), nullable=False),
        sa.Column("sent", types.Json, nullable=False),
        sa.Column("awaiting", types.Json, nullable=False),
        sa.Column("made_n", sa.Integer(), nullable=False),
        sa.Column("made_at", types.Moment(timezone=True), nullable=True),
        *_of_device("device_exchange"),
        sa.PrimaryKeyConstraint("company_id", "device_id", name="pk_device_exchange"),
    )


def _keys() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("agree", sa.LargeBinary(), nullable=False),
        sa.Column("sign", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", types.Moment(timezone=True), nullable=False),
    )


def _of_device(table: str) -> tuple[sa.ForeignKeyConstraint, ...]:
    device = ["device.company_id", "device.id"]
    return (
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=f"fk_{table}_company_id"),
        sa.ForeignKeyConstraint(["company_id", "device_id"], device, name=f"fk_{table}_company_id_device_id"),
    )


def downgrade() -> None:
    for table in ("device_exchange", "device_key", "office_key"):
        op.drop_table(table)
