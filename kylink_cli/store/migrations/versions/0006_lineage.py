"""Which life of a database this is, and why an item was discarded.

Revision ID: 0006
Revises: 0005
"""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    lineage = op.create_table(
        "lineage",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("moved_to", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.bulk_insert(lineage, [{"id": uuid4().hex, "generation": 1, "state": "live"}])
    op.add_column("stock_items", sa.Column("reason", sa.Text(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("kylink migrates upwards only: restore a backup instead")
