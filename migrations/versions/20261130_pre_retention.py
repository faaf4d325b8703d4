"""What the feed need not remember any more: marks of time, and floors of scopes.

Runs before its code: the old code does not know the tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store import types

revision = "0011_retention"
down_revision = "0010_aside"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feed_mark",
        sa.Column("company_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", types.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_feed_mark_company_id")),
        sa.PrimaryKeyConstraint("company_id", "seq", name=op.f("pk_feed_mark")),
    )
    op.create_table(
        "scope_floor",
        sa.Column("company_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("scope", sa.String(length=60), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_scope_floor_company_id")),
        sa.PrimaryKeyConstraint("company_id", "scope", name=op.f("pk_scope_floor")),
    )


def downgrade() -> None:
    op.drop_table("scope_floor")
    op.drop_table("feed_mark")
