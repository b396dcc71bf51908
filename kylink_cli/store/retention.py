"""Deleting what has been kept long enough, batch by batch."""

from datetime import datetime

from sqlalchemy import ColumnElement, Table, delete, literal_column, select
from sqlalchemy.orm import Session

from kylink_cli.store.tables import Lease, NoStockEvent, StockItem, table

_events = table(NoStockEvent)
_items = table(StockItem)
_leases = table(Lease)


def delete_leases(session: Session, before: datetime, limit: int) -> int:
    """Delete leases that were closed before a moment, the oldest first; with them go their idempotency keys.

    Args:
        session: a writing transaction.
        before: what ended before this moment is deleted.
        limit: at most so many.

    Returns:
        How many were deleted.
    """
    return _delete(session, _leases, _leases.c.closed_at < before, _leases.c.closed_at, limit)


def delete_items(session: Session, before: datetime, limit: int) -> int:
    """Delete spent items, the oldest first, with their leases.

    A spent item stays until its time is long over, so that its value can't come back from the supplier as new.

    Args:
        session: a writing transaction.
        before: items that are consumed, expired or discarded, and whose time was over before this moment, are deleted.
        limit: at most so many.

    Returns:
        How many were deleted.
    """
    # A literal list, since SQLite uses a partial index for no parameter.
    is_spent: ColumnElement[bool] = literal_column("state IN ('consumed', 'expired', 'discarded')")
    was_used_since = _items.c.consumed_at >= before
    condition = is_spent & (_items.c.expires_at < before) & was_used_since.is_not(True)
    return _delete(session, _items, condition, _items.c.expires_at, limit)


def delete_no_stock_events(session: Session, before: datetime, limit: int) -> int:
    """Delete the record of when campaigns had no stock, the oldest first.

    Returns:
        How many were deleted.
    """
    return _delete(session, _events, _events.c.happened_at < before, _events.c.happened_at, limit)


def _delete(
    session: Session, rows: Table, condition: ColumnElement[bool], order: ColumnElement[datetime], limit: int
) -> int:
    picked = select(rows.c.id).where(condition).order_by(order).limit(limit)
    return session.connection().execute(delete(rows).where(rows.c.id.in_(picked))).rowcount
