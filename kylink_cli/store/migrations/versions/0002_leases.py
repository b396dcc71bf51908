"""Leases, how often an item's lease has expired, and when a campaign had no stock.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ACTIVE = sa.text("state = 'active'")
_AVAILABLE = sa.text("state = 'available'")
_SPENT = sa.text("state IN ('consumed', 'expired', 'discarded')")
_LEASE_STATE = sa.Enum(
    "active",
    "confirmed",
    "released",
    "expired",
    name="lease_state",
    native_enum=False,
    create_constraint=True,
    length=16,
)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.add_column("stock_items", sa.Column("expirations", sa.Integer(), nullable=False, server_default=sa.text("0")))
    _index("ix_stock_items_expiring", "stock_items", "expires_at", _AVAILABLE)
    _index("ix_stock_items_spent", "stock_items", "expires_at", _SPENT)
    op.create_table(
        "leases",
        sa.Column("id", _ID, nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("campaign_id", sa.String(length=200), nullable=False),
        sa.Column("item_id", _ID, nullable=False),
        sa.Column("holder", sa.String(length=200), nullable=True),
        sa.Column("idempotency_key", sa.String(length=200), nullable=True),
        sa.Column("key_index", sa.Integer(), nullable=False),
        sa.Column("state", _LEASE_STATE, nullable=False),
        _moment("leased_at"),
        _moment("expires_at"),
        _moment("closed_at", nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["item_id"], ["stock_items.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token"),
        sa.UniqueConstraint("campaign_id", "idempotency_key", "key_index", name="uq_leases_idempotency_key"),
        sqlite_autoincrement=True,
    )
    _index("uq_leases_active_item", "leases", "item_id", _ACTIVE, unique=True)
    _index("ix_leases_deadline", "leases", "expires_at", _ACTIVE)
    op.create_index("ix_leases_item_id", "leases", ["item_id"])
    op.create_index("ix_leases_closed_at", "leases", ["closed_at"])
    op.create_table(
        "no_stock_events",
        sa.Column("id", _ID, nullable=False),
        sa.Column("campaign_id", sa.String(length=200), nullable=False),
        _moment("happened_at"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_no_stock_events_campaign_id", "no_stock_events", ["campaign_id", "happened_at"])
    op.create_index("ix_no_stock_events_happened_at", "no_stock_events", ["happened_at"])


def _index(name: str, table: str, column: str, where: sa.TextClause, *, unique: bool = False) -> None:
    op.create_index(name, table, [column], unique=unique, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    raise NotImplementedError("kylink migrates upwards only: restore a backup instead")
