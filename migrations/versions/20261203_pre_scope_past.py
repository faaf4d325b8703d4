"""What was once in a scope, and is remembered after the feed has forgotten it.

Runs before its code: the old code does not know the table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014_scope_past"
down_revision = "0013_exchange"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scope_past",
        sa.Column("company_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("scope", sa.String(length=60), nullable=False),
        sa.Column("document_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "scope", "document_id", name=op.f("pk_scope_past")),
    )


def downgrade() -> None:
    op.drop_table("scope_past")
