"""Under which settings a reorder point was seen: under others it is to be looked at again.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("reorder_points", sa.Column("rule", sa.BigInteger(), nullable=False, server_default=sa.text("0")))


def downgrade() -> None:
    raise NotImplementedError("kylink migrates upwards only: restore a backup instead")
