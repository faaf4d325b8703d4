"""How many bytes of documents a tablet holds.

Runs before its code: the old code makes companies without saying it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019_package_bytes"
down_revision = "0018_plan_look"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("company") as batch:
        batch.add_column(sa.Column("package_bytes", sa.Integer(), nullable=False, server_default="20000000"))


def downgrade() -> None:
    with op.batch_alter_table("company") as batch:
        batch.drop_column("package_bytes")
