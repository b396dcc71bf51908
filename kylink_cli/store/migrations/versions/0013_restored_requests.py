"""Which supply requests are older than a backup that was restored.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column(
        "supply_requests", sa.Column("is_restored", sa.Boolean(), nullable=False, server_default=sa.text("false"))
    )


def downgrade() -> None:
    raise NotImplementedError("kylink migrates upwards only: restore a backup instead")
