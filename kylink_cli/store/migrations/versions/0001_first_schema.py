"""The first schema: campaigns, stock, supply requests, runs, claims and alerts.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AVAILABLE = sa.text("state = 'available'")
_CONSUMED = sa.text("state = 'consumed'")
_OPEN = sa.text("state = 'open'")
_UNRESOLVED = sa.text("state <> 'resolved'")


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _choice(column: str, name: str, *values: str) -> sa.Column[object]:
    kind = sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=16)
    return sa.Column(column, kind, nullable=False)


def _unique_value() -> list[sa.UniqueConstraint]:
    """PostgreSQL indexes no text of 4,096 characters: there a digest of it is unique."""
    if op.get_bind().dialect.name == "postgresql":
        return []
    return [sa.UniqueConstraint("campaign_id", "value", name="uq_stock_items_campaign_id_value")]


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        _choice("level", "alert_level", "INFO", "WARNING", "ERROR"),
        _choice("state", "alert_state", "open", "acknowledged", "resolved"),
        sa.Column("fingerprint", sa.String(length=200), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        _moment("first_seen_at"),
        _moment("last_seen_at"),
        _moment("acknowledged_at", nullable=True),
        _moment("resolved_at", nullable=True),
        sa.CheckConstraint("count >= 1", name="ck_alerts_count"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_alerts_unresolved",
        "alerts",
        ["fingerprint"],
        unique=True,
        sqlite_where=_UNRESOLVED,
        postgresql_where=_UNRESOLVED,
    )
    op.create_table(
        "campaigns",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("user_id", sa.String(length=200), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        _choice("status", "campaign_status", "active", "paused"),
        sa.Column("country", sa.String(length=100), nullable=True),
        sa.Column("source_url", sa.Text(), nullable=True),
        sa.Column("low_watermark", sa.Integer(), nullable=True),
        sa.Column("target_stock", sa.Integer(), nullable=True),
        _moment("created_at"),
        _moment("last_replenished_at", nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_campaigns_user_id", "campaigns", ["user_id"])
    op.create_table(
        "file_values",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("request_key", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("source", "value"),
    )
    op.create_index("ix_file_values_request_key", "file_values", ["request_key"])
    op.create_table(
        "paused_jobs",
        sa.Column("job", sa.String(length=40), nullable=False),
        _moment("paused_at"),
        sa.PrimaryKeyConstraint("job"),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job", sa.String(length=40), nullable=False),
        _choice("trigger", "run_trigger", "timer", "manual"),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("invocation_id", sa.String(length=32), nullable=True),
        _choice("status", "run_status", "running", "succeeded", "partial", "failed", "interrupted", "crashed"),
        _moment("started_at"),
        _moment("heartbeat_at"),
        _moment("finished_at", nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_job_started_at", "runs", ["job", "started_at"])
    op.create_table(
        "campaign_claims",
        sa.Column("campaign_id", sa.String(length=200), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        _moment("claimed_at"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("campaign_id"),
    )
    op.create_index("ix_campaign_claims_run_id", "campaign_claims", ["run_id"])
    op.create_table(
        "campaign_results",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.String(length=200), nullable=False),
        _choice("status", "result_status", "succeeded", "partial", "failed", "skipped", "not_served"),
        sa.Column("available_before", sa.Integer(), nullable=False),
        sa.Column("watermark", sa.Integer(), nullable=False),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("ordered", sa.Integer(), nullable=False),
        sa.Column("produced", sa.Integer(), nullable=False),
        sa.Column("available_after", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "campaign_id"),
    )
    op.create_index("ix_campaign_results_campaign_id", "campaign_results", ["campaign_id"])
    op.create_table(
        "stock_items",
        sa.Column("id", _ID, nullable=False),
        sa.Column("campaign_id", sa.String(length=200), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        _choice("state", "item_state", "available", "leased", "consumed", "expired", "discarded"),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("consumed_at", nullable=True),
        sa.Column("supply_request_id", _ID, nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        *_unique_value(),
        sqlite_autoincrement=True,
    )
    if not _unique_value():
        op.create_index("uq_stock_items_digest", "stock_items", ["campaign_id", sa.text("md5(value)")], unique=True)
    op.create_index(
        "ix_stock_items_available",
        "stock_items",
        ["campaign_id", "expires_at"],
        sqlite_where=_AVAILABLE,
        postgresql_where=_AVAILABLE,
    )
    op.create_index(
        "ix_stock_items_consumed",
        "stock_items",
        ["consumed_at", "campaign_id"],
        sqlite_where=_CONSUMED,
        postgresql_where=_CONSUMED,
    )
    op.create_table(
        "supply_requests",
        sa.Column("id", _ID, nullable=False),
        sa.Column("key", sa.String(length=36), nullable=False),
        sa.Column("campaign_id", sa.String(length=200), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        _choice("state", "request_state", "open", "answered", "refused", "cancelled", "in_doubt"),
        _moment("created_at"),
        _moment("finished_at", nullable=True),
        sa.Column("produced", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_supply_requests_campaign_id", "supply_requests", ["campaign_id"])
    op.create_index("ix_supply_requests_finished_at", "supply_requests", ["finished_at"])
    op.create_index(
        "ix_supply_requests_open",
        "supply_requests",
        ["campaign_id"],
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def downgrade() -> None:
    raise NotImplementedError("kylink migrates upwards only: restore a backup instead")
