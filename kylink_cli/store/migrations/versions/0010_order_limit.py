"""A campaign's own limit on what is ordered for it in 24 hours.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("order_limit", sa.Integer(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("kylink migrates upwards only: restore a backup instead")
