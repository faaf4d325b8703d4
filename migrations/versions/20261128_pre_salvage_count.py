"""How many edits a piece of salvage holds, and which registration of a tablet another one follows.

Runs before its code: the old code works with these columns too.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_salvage_count"
down_revision = "0005_files"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("salvage", schema=None) as batch_op:
        batch_op.add_column(sa.Column("count", sa.Integer(), nullable=True))
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.add_column(sa.Column("follows", sa.Uuid(as_uuid=False), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.drop_column("follows")
    with op.batch_alter_table("salvage", schema=None) as batch_op:
        batch_op.drop_column("count")
