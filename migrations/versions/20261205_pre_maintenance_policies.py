"""Plans say what to do with open visits, missed dates, days off and seasons; ledgers say why each date and which tasks.

Runs before its code: the old code does not know the columns.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from server.store import types

revision = "0017_maintenance_policies"
down_revision = "0016_apart"
branch_labels = None
depends_on = None


def columns() -> dict[str, list[sa.Column[Any]]]:
    """The new columns of each table."""
    return {
        "maintenance_plan": [
            sa.Column("open_previous", sa.String(20), nullable=False, server_default="hold"),
            sa.Column("catch_up", sa.String(20), nullable=False, server_default="coalesce"),
            sa.Column("shift", sa.String(20), nullable=False, server_default="none"),
            sa.Column("season", types.Json, nullable=False, server_default="[]"),
            sa.Column("tasks", types.Json, nullable=False, server_default="[]"),
            sa.Column("nesting", types.Json, nullable=False, server_default="{}"),
            sa.Column("absorb_days", sa.Integer(), nullable=True),
            sa.Column("credit_kinds", types.Json, nullable=False, server_default="[]"),
            sa.Column("credit_percent", sa.Integer(), nullable=False, server_default="80"),
        ],
        "occurrence": [
            sa.Column("target_on", sa.Date(), nullable=True),
            sa.Column("basis", types.Json, nullable=True),
            sa.Column("tasks", types.Json, nullable=False, server_default="[]"),
        ],
        "meter_reading": [
            sa.Column("replaced", sa.Boolean(), nullable=False, server_default=sa.false()),
            sa.Column("judged", sa.String(20), nullable=True),
        ],
    }


def upgrade() -> None:
    """Plans of before hold, coalesce and move nothing; the next run of the generator gives their rows a basis."""
    for name, added in columns().items():
        with op.batch_alter_table(name) as table:
            for column in added:
                table.add_column(column)
    op.create_table(
        "site_calendar",
        sa.Column("company_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("site_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("days", types.Json, nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_site_calendar_company_id")),
        sa.ForeignKeyConstraint(
            ["company_id", "site_id"], ["site.company_id", "site.id"], name=op.f("fk_site_calendar_company_id_site_id")
        ),
        sa.PrimaryKeyConstraint("company_id", "site_id", name=op.f("pk_site_calendar")),
    )


def downgrade() -> None:
    op.drop_table("site_calendar")
    for name, added in columns().items():
        with op.batch_alter_table(name) as table:
            for column in reversed(added):
                table.drop_column(column.name)
