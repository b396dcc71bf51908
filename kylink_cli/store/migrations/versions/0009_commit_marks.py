"""Marks by which commits on a server are known.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "commit_marks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_commit_marks_made_at", "commit_marks", ["made_at"])


def downgrade() -> None:
    raise NotImplementedError("kylink migrates upwards only: restore a backup instead")
