"""What newer clients send and the server does not know yet is kept beside the mutation.

Runs before its code: the old code leaves the column alone.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store import types

revision = "0010_aside"
down_revision = "0009_shared_coverage"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mutation", sa.Column("aside", types.Json, nullable=True))
    where = sa.text("aside IS NOT NULL")
    op.create_index("ix_mutation_aside", "mutation", ["company_id"], postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    op.drop_index("ix_mutation_aside", table_name="mutation")
    op.drop_column("mutation", "aside")
