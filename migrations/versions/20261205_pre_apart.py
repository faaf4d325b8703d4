"""A clash knows since when the tablet was out of contact; a tablet knows when its last silence began."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store import types

revision = "0016_apart"
down_revision = "0015_scope_window"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of what is there already nobody knows it."""
    with op.batch_alter_table("device") as table:
        table.add_column(sa.Column("silent_since", types.Moment(timezone=True), nullable=True))
    with op.batch_alter_table("conflict") as table:
        table.add_column(sa.Column("apart_since", types.Moment(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("conflict") as table:
        table.drop_column("apart_since")
    with op.batch_alter_table("device") as table:
        table.drop_column("silent_since")
