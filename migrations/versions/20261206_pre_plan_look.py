"""What each maintenance plan was last decided of, so that the hourly run looks only at those that can have changed.

Runs before its code: the old code does not know the table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store import types

revision = "0018_plan_look"
down_revision = "0017_maintenance_policies"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plan_look",
        sa.Column("company_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("plan_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("seen", sa.String(length=200), nullable=False),
        sa.Column("look_at", types.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_plan_look_company_id")),
        sa.ForeignKeyConstraint(
            ["company_id", "plan_id"],
            ["maintenance_plan.company_id", "maintenance_plan.id"],
            name=op.f("fk_plan_look_company_id_plan_id"),
        ),
        sa.PrimaryKeyConstraint("company_id", "plan_id", name=op.f("pk_plan_look")),
    )


def downgrade() -> None:
    op.drop_table("plan_look")
