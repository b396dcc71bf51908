"""The indexes of the tables, for whoever compares a database with them; statements do without.

They stand apart since an index for some rows only makes SQLAlchemy load every dialect that it names.
Changing one needs a migration beside it, in `migrations/versions/`.
"""

from sqlalchemy import Index, text
from sqlmodel import SQLModel

from kylink_cli.store import tables
from kylink_cli.store.tables import table


def _index(model: type[SQLModel], name: str, *columns: str, where: str | None = None, unique: bool = False) -> Index:
    """An index of a table, of all its rows or of those that fulfil a condition."""
    condition = None if where is None else text(where)
    named = [table(model).c[column] for column in columns]
    return Index(name, *named, unique=unique, sqlite_where=condition, postgresql_where=condition)


_index(tables.StockItem, "ix_stock_items_available", "campaign_id", "expires_at", where="state = 'available'")
_index(tables.StockItem, "ix_stock_items_consumed", "consumed_at", "campaign_id", where="state = 'consumed'")
_index(tables.StockItem, "ix_stock_items_expiring", "expires_at", where="state = 'available'")
_index(tables.StockItem, "ix_stock_items_spent", "expires_at", where="state IN ('consumed', 'expired', 'discarded')")
# PostgreSQL indexes no text of 4,096 characters.
Index("uq_stock_items_digest", table(tables.StockItem).c.campaign_id, text("md5(value)"), unique=True).ddl_if(
    dialect="postgresql"
)

_index(tables.LeaseRecord, "uq_leases_active_item", "item_id", unique=True, where="state = 'active'")
_index(tables.LeaseRecord, "ix_leases_deadline", "expires_at", where="state = 'active'")
_index(tables.LeaseRecord, "ix_leases_item_id", "item_id")
_index(tables.LeaseRecord, "ix_leases_closed_at", "closed_at", where="closed_at IS NOT NULL")

_index(tables.NoStockEvent, "ix_no_stock_events_campaign_id", "campaign_id", "happened_at")
_index(tables.NoStockEvent, "ix_no_stock_events_happened_at", "happened_at")

_index(tables.DemandHours, "ix_demand_hours_last_hour", "last_hour")
_index(tables.ReorderPoint, "ix_reorder_points_due_minute", "due_minute")

_index(tables.Ring, "ix_rings_rung_at", "rung_at", where="rung_at IS NOT NULL")
_index(tables.Waiter, "ix_waiters_campaign_id", "campaign_id", "id")

_index(tables.SupplyRequest, "ix_supply_requests_open", "campaign_id", where="state = 'open'")
_index(tables.SupplyRequest, "ix_supply_requests_campaign_id", "campaign_id")
_index(tables.SupplyRequest, "ix_supply_requests_finished_at", "finished_at")

_index(tables.Run, "ix_runs_job_started_at", "job", "started_at")
_index(tables.CampaignResult, "ix_campaign_results_campaign_id", "campaign_id")
_index(tables.CampaignClaim, "ix_campaign_claims_run_id", "run_id")

_index(tables.Alert, "uq_alerts_unresolved", "fingerprint", unique=True, where="state <> 'resolved'")
_index(tables.AlertUser, "ix_alert_users_user_id", "user_id")
_index(tables.Notification, "ix_notifications_pending", "id", where="sent_at IS NULL AND given_up_at IS NULL")
_index(tables.FileValue, "ix_file_values_request_key", "request_key")

_index(tables.ActRecord, "ix_acts_at", "at")
