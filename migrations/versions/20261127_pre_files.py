"""Files: quarantine, stored files and which documents name them

Runs before the code that it belongs to. Files that were verified before have no pictures yet: `flask files look`.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

from server.store import types

revision = "0005_files"
down_revision = "0004_devices"
branch_labels = None
depends_on = None

BATCH = 500


def upgrade() -> None:
    op.create_table(
        "stored_file",
        sa.Column("company_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=80), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("pictures", sa.Boolean(), nullable=False),
        sa.Column("at", types.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_stored_file_company_id")),
        sa.PrimaryKeyConstraint("company_id", "sha256", name=op.f("pk_stored_file")),
    )
    op.create_table(
        "file_reference",
        sa.Column("company_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("document_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_file_reference_company_id")),
        sa.PrimaryKeyConstraint("company_id", "sha256", "document_id", name=op.f("pk_file_reference")),
    )
    op.create_index("ix_file_reference_company_id_document_id", "file_reference", ["company_id", "document_id"])
    with op.batch_alter_table("upload", schema=None) as batch_op:
        batch_op.add_column(sa.Column("ahead_of", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("told", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("expires_at", types.Moment(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("fault", sa.String(length=80), nullable=True))
        batch_op.add_column(sa.Column("found_sha256", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("found_type", sa.String(length=80), nullable=True))
        batch_op.add_column(sa.Column("decided_at", types.Moment(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("decided_by", sa.Uuid(as_uuid=False), nullable=True))
        batch_op.add_column(sa.Column("decision", sa.Text(), nullable=True))
        batch_op.create_index("ix_upload_company_id_device_id_created_at", ["company_id", "device_id", "created_at"])
        batch_op.create_index("ix_upload_company_id_state_created_at", ["company_id", "state", "created_at"])
    _carry_over()


def _carry_over() -> None:
    connection = op.get_bind()
    connection.execute(
        sa.text(
            "INSERT INTO stored_file (company_id, sha256, size, media_type, width, height, pictures, at) "
            "SELECT company_id, sha256, max(size), coalesce(max(media_type), 'application/octet-stream'), 0, 0, "
            "false, min(created_at) FROM upload WHERE state = 'verified' GROUP BY company_id, sha256"
        )
    )
    connection.execute(sa.text("UPDATE upload SET fault = 'hash' WHERE state = 'quarantined'"))
    visit = sa.table("visit", sa.column("company_id"), sa.column("id"), sa.column("attachments", sa.JSON()))
    naming = sa.select(visit).where(sa.cast(visit.c.attachments, sa.Text()) != "[]").order_by(visit.c.id)
    named: set[tuple[str, str, str]] = set()
    for row in connection.execute(naming):
        entries = json.loads(row.attachments) if isinstance(row.attachments, str) else row.attachments
        named |= {(str(row.company_id), one["sha256"], str(row.id)) for one in entries or ()}
    reference = sa.table(
        "file_reference",
        sa.column("company_id", sa.Uuid(as_uuid=False)),
        sa.column("sha256"),
        sa.column("document_id", sa.Uuid(as_uuid=False)),
    )
    rows = [dict(zip(("company_id", "sha256", "document_id"), one, strict=True)) for one in sorted(named)]
    for start in range(0, len(rows), BATCH):
        connection.execute(reference.insert(), rows[start : start + BATCH])


def downgrade() -> None:
    with op.batch_alter_table("upload", schema=None) as batch_op:
        batch_op.drop_index("ix_upload_company_id_state_created_at")
        batch_op.drop_index("ix_upload_company_id_device_id_created_at")
        for column in (
            "decision", "decided_by", "decided_at", "found_type", "found_sha256", "fault", "expires_at", "told", "ahead_of",
        ):  # fmt: skip
            batch_op.drop_column(column)
    op.drop_index("ix_file_reference_company_id_document_id", table_name="file_reference")
    op.drop_table("file_reference")
    op.drop_table("stored_file")
