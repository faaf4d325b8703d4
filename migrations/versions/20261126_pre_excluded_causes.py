"""A warranty term names the causes that it does not pay for, by the name that says so."""

from __future__ import annotations

from alembic import op

revision = "0003_excluded_causes"
down_revision = "0002_feed_collection"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("warranty_term") as table:
        table.alter_column("excluded_kinds", new_column_name="excluded_causes")


def downgrade() -> None:
    with op.batch_alter_table("warranty_term") as table:
        table.alter_column("excluded_causes", new_column_name="excluded_kinds")
