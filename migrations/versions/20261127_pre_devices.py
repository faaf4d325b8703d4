"""What is kept of tablets: numbers that are missing, tokens that follow, notices, salvage, and what is backed up.

Runs before its code: the old code works with these tables too.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store import types

revision = "0004_devices"
down_revision = "0003_excluded_causes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "enrolment_miss",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("address", sa.String(length=80), nullable=False),
        sa.Column("at", types.Moment(timezone=True), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_miss")),
    )
    with op.batch_alter_table("enrolment_miss", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enrolment_miss_address_at"), ["address", "at"], unique=False)

    op.create_table(
        "device_notice",
        sa.Column("company_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("device_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("params", types.Json, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", types.Moment(timezone=True), nullable=False),
        sa.Column("last_at", types.Moment(timezone=True), nullable=False),
        sa.Column("closed_at", types.Moment(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(as_uuid=False), nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id", "device_id"],
            ["device.company_id", "device.id"],
            name=op.f("fk_device_notice_company_id_device_id"),
        ),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_device_notice_company_id")),
        sa.PrimaryKeyConstraint("company_id", "id", name=op.f("pk_device_notice")),
    )
    with op.batch_alter_table("device_notice", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_device_notice_company_id_device_id"), ["company_id", "device_id"], unique=False
        )
        batch_op.create_index("ix_device_notice_open", ["company_id", "closed_at"], unique=False)

    op.create_table(
        "former_token",
        sa.Column("company_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("device_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("ended_at", types.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id", "device_id"],
            ["device.company_id", "device.id"],
            name=op.f("fk_former_token_company_id_device_id"),
        ),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_former_token_company_id")),
        sa.PrimaryKeyConstraint("company_id", "token_hash", name=op.f("pk_former_token")),
    )
    with op.batch_alter_table("former_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_former_token_token_hash"), ["token_hash"], unique=False)

    op.create_table(
        "salvage",
        sa.Column("company_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("device_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("technician_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("user_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("why", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", types.Moment(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("decided_by", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("decided_at", types.Moment(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("outcome", types.Json, nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id", "device_id"],
            ["device.company_id", "device.id"],
            name=op.f("fk_salvage_company_id_device_id"),
        ),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_salvage_company_id")),
        sa.PrimaryKeyConstraint("company_id", "id", name=op.f("pk_salvage")),
    )
    with op.batch_alter_table("salvage", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_salvage_company_id_device_id"), ["company_id", "device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_salvage_company_id_state"), ["company_id", "state"], unique=False)

    with op.batch_alter_table("company", schema=None) as batch_op:
        batch_op.add_column(sa.Column("restored_at", types.Moment(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("restored_to", types.Moment(timezone=True), nullable=True))

    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.add_column(sa.Column("missing", types.Json, nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("told", types.Json, nullable=True))
        batch_op.add_column(sa.Column("told_at", types.Moment(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("epoch", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("next_token_hash", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("token_issued_at", types.Moment(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("address", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("address_before", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("address_changed_at", types.Moment(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("clock_measured_at", types.Moment(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("revoked_by", sa.Uuid(as_uuid=False), nullable=True))
        batch_op.add_column(sa.Column("ended_because", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("wipe_told_at", types.Moment(timezone=True), nullable=True))
        batch_op.create_unique_constraint(batch_op.f("uq_device_next_token_hash"), ["next_token_hash"])

    with op.batch_alter_table("enrolment_code", schema=None) as batch_op:
        batch_op.add_column(sa.Column("lookup", sa.String(length=12), nullable=True))
        batch_op.add_column(sa.Column("qr_hash", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("misses", sa.Integer(), nullable=False, server_default="0"))
        batch_op.alter_column(
            "code_hash", existing_type=sa.VARCHAR(length=64), type_=sa.String(length=200), existing_nullable=False
        )
        batch_op.drop_constraint(batch_op.f("uq_enrolment_code_code_hash"), type_="unique")
        batch_op.create_unique_constraint(batch_op.f("uq_enrolment_code_lookup"), ["lookup"])
        batch_op.create_unique_constraint(batch_op.f("uq_enrolment_code_qr_hash"), ["qr_hash"])

    with op.batch_alter_table("sync_clock", schema=None) as batch_op:
        batch_op.add_column(sa.Column("backed_up_through", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("backed_up_at", types.Moment(timezone=True), nullable=True))

    _fill_missing()


def _fill_missing() -> None:
    """Name the numbers that never came of the tablets that are there."""
    connection = op.get_bind()
    device = sa.table(
        "device", *(sa.column(name) for name in ("company_id", "id", "last_n")), sa.column("missing", types.Json)
    )
    mutation = sa.table("mutation", *(sa.column(name) for name in ("company_id", "device_id", "n")))
    for company_id, device_id, last_n in connection.execute(
        sa.select(device.c.company_id, device.c.id, device.c.last_n)
    ).all():
        of_device = (mutation.c.company_id == company_id) & (mutation.c.device_id == device_id)
        came = connection.scalars(
            sa.select(mutation.c.n).where(of_device, mutation.c.n > 0).distinct().order_by(mutation.c.n)
        )
        ranges, before = [], 0
        for n in (*came, last_n + 1):
            if n > before + 1:
                ranges.append([before + 1, n - 1])
            before = n
        if ranges:
            here = (device.c.company_id == company_id) & (device.c.id == device_id)
            connection.execute(sa.update(device).where(here).values(missing=ranges))


def downgrade() -> None:
    op.execute(
        "DELETE FROM enrolment_code WHERE code_hash IN (SELECT code_hash FROM enrolment_code GROUP BY code_hash HAVING count(*) > 1) OR length(code_hash) > 64"
    )
    with op.batch_alter_table("sync_clock", schema=None) as batch_op:
        batch_op.drop_column("backed_up_at")
        batch_op.drop_column("backed_up_through")

    with op.batch_alter_table("enrolment_code", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_enrolment_code_qr_hash"), type_="unique")
        batch_op.drop_constraint(batch_op.f("uq_enrolment_code_lookup"), type_="unique")
        batch_op.create_unique_constraint(batch_op.f("uq_enrolment_code_code_hash"), ["code_hash"])
        batch_op.alter_column(
            "code_hash", existing_type=sa.String(length=200), type_=sa.VARCHAR(length=64), existing_nullable=False
        )
        batch_op.drop_column("misses")
        batch_op.drop_column("qr_hash")
        batch_op.drop_column("lookup")

    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_device_next_token_hash"), type_="unique")
        batch_op.drop_column("wipe_told_at")
        batch_op.drop_column("ended_because")
        batch_op.drop_column("revoked_by")
        batch_op.drop_column("clock_measured_at")
        batch_op.drop_column("address_changed_at")
        batch_op.drop_column("address_before")
        batch_op.drop_column("address")
        batch_op.drop_column("token_issued_at")
        batch_op.drop_column("next_token_hash")
        batch_op.drop_column("epoch")
        batch_op.drop_column("told_at")
        batch_op.drop_column("told")
        batch_op.drop_column("missing")

    with op.batch_alter_table("company", schema=None) as batch_op:
        batch_op.drop_column("restored_to")
        batch_op.drop_column("restored_at")

    with op.batch_alter_table("salvage", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_salvage_company_id_state"))
        batch_op.drop_index(batch_op.f("ix_salvage_company_id_device_id"))

    op.drop_table("salvage")
    with op.batch_alter_table("former_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_former_token_token_hash"))

    op.drop_table("former_token")
    with op.batch_alter_table("device_notice", schema=None) as batch_op:
        batch_op.drop_index("ix_device_notice_open")
        batch_op.drop_index(batch_op.f("ix_device_notice_company_id_device_id"))

    op.drop_table("device_notice")
    with op.batch_alter_table("enrolment_miss", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_enrolment_miss_address_at"))

    op.drop_table("enrolment_miss")
