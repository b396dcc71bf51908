"""How often requests were asked in vain and who settled them; how the last runs of a campaign went.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default=sa.text("0"))


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def upgrade() -> None:
    op.add_column("supply_requests", _count("unanswered_runs"))
    op.add_column("supply_requests", _moment("asked_at"))
    op.add_column("supply_requests", sa.Column("settled_by", sa.String(length=255), nullable=True))
    op.add_column("campaign_claims", _count("failed_runs"))
    op.add_column("campaign_claims", _count("barren_runs"))
    op.add_column("campaign_claims", _moment("rests_until"))
