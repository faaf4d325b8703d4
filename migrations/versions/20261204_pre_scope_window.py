"""Which days a technician's tablets hold.

Runs before its code: the old code does not know the table, and makes companies without saying how many days.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store import types

revision = "0015_scope_window"
down_revision = "0014_scope_past"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scope_window",
        sa.Column("company_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("scope", sa.String(length=60), nullable=False),
        sa.Column("since", types.Moment(timezone=True), nullable=False),
        sa.Column("until", types.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_scope_window_company_id")),
        sa.PrimaryKeyConstraint("company_id", "scope", name=op.f("pk_scope_window")),
    )
    with op.batch_alter_table("company") as batch:
        batch.add_column(sa.Column("package_days", sa.Integer(), nullable=False, server_default="14"))


def downgrade() -> None:
    with op.batch_alter_table("company") as batch:
        batch.drop_column("package_days")
    op.drop_table("scope_window")
