"""The checksums of documents, by which a replica proves that it is whole.

Runs before its code: the old code does not know the table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007_document_digest"
down_revision = "0006_salvage_count"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "document_digest",
        sa.Column("company_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("form", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_document_digest_company_id")),
        sa.PrimaryKeyConstraint("company_id", "form", "document_id", name=op.f("pk_document_digest")),
    )


def downgrade() -> None:
    op.drop_table("document_digest")
