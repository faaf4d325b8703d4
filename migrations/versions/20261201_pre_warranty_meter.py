"""A warranty may end beyond a reading of a meter."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012_warranty_meter"
down_revision = "0011_retention"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Terms of before have no limit."""
    with op.batch_alter_table("warranty_term") as table:
        table.add_column(sa.Column("meter", sa.String(40), nullable=True))
        table.add_column(sa.Column("meter_limit", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("warranty_term") as table:
        table.drop_column("meter_limit")
        table.drop_column("meter")
