"""The feed's rows know their collection, so that a view of one collection costs what it answers.

Runs before its code: the old code leaves the column alone.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_feed_collection"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("scope_feed", sa.Column("collection", sa.String(length=40), nullable=True))
    op.execute(
        "UPDATE scope_feed SET collection = (SELECT document.collection FROM document"
        " WHERE document.company_id = scope_feed.company_id AND document.id = scope_feed.document_id)"
    )
    op.create_index(
        "ix_scope_feed_collection",
        "scope_feed",
        ["company_id", "scope", "collection", "seq", "document_id"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index("ix_scope_feed_collection", table_name="scope_feed")
    op.drop_column("scope_feed", "collection")
