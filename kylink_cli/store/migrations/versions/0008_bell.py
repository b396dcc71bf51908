"""The bell that takes ring, those who wait for it to be answered; no index is written for a lease that is still held.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "rings",
        sa.Column("campaign_id", sa.String(length=200), nullable=False),
        sa.Column("rung_at", _MOMENT, nullable=True),
        sa.Column("failed_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("campaign_id"),
    )
    is_rung = sa.text("rung_at IS NOT NULL")
    op.create_index("ix_rings_rung_at", "rings", ["rung_at"], sqlite_where=is_rung, postgresql_where=is_rung)
    op.create_table(
        "supply_outages",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("noticed_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "waiters",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("campaign_id", sa.String(length=200), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("until", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_waiters_campaign_id", "waiters", ["campaign_id", "id"])

    is_closed = sa.text("closed_at IS NOT NULL")
    op.drop_index("ix_leases_closed_at", table_name="leases")
    op.create_index("ix_leases_closed_at", "leases", ["closed_at"], sqlite_where=is_closed, postgresql_where=is_closed)


def downgrade() -> None:
    raise NotImplementedError("kylink migrates upwards only: restore a backup instead")
