"""Deleting what has been kept long enough, batch by batch, so that others can write in between."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Table, delete, func, literal_column, select
from sqlalchemy.orm import Session

from kylink_cli.rules.pace import Pace
from kylink_cli.rules.vocabulary import RequestState
from kylink_cli.store.batches import PAUSE_SECONDS, commit_batch
from kylink_cli.store.engine.database import Database
from kylink_cli.store.tables import (
    ActRecord,
    Alert,
    LeaseRecord,
    NoStockEvent,
    Notification,
    Run,
    SilenceRecord,
    StockItem,
    SupplyRequest,
    table,
)

_acts = table(ActRecord)
_events = table(NoStockEvent)
_items = table(StockItem)
_leases = table(LeaseRecord)
_alerts = table(Alert)
_silences = table(SilenceRecord)
_notifications = table(Notification)
_runs = table(Run)
_requests = table(SupplyRequest)


class Delete(Protocol):
    """A statement that deletes a limited number of rows of one kind that are older than a moment."""

    def __call__(self, session: Session, before: datetime, limit: int) -> int:
        """How many were deleted."""


Deletion = tuple[Delete, datetime]


def purge(database: Database, deletions: Sequence[Deletion]) -> Iterator[int]:
    """Delete what is old, each batch in a transaction of its own, and none for long.

    Args:
        database: where.
        deletions: what is deleted, one kind after the other.

    Yields:
        How many rows a batch has deleted.

    Raises:
        DatabaseError: the database failed; every batch before is committed.
    """
    for statement, before in deletions:
        pace, is_full = Pace(), True
        while is_full:
            limit = pace.rows
            deleted = commit_batch(database, partial(statement, before=before), pace)
            yield deleted
            is_full = deleted == limit
            if is_full:
                time.sleep(PAUSE_SECONDS)


def delete_leases(session: Session, before: datetime, limit: int) -> int:
    """Delete leases that were closed before a moment, the oldest first; with them go their idempotency keys.

    Args:
        before: what ended before this moment is deleted.

    Returns:
        How many were deleted.
    """
    return _delete(session, _leases, _leases.c.closed_at < before, _leases.c.closed_at, limit)


def delete_items(session: Session, before: datetime, limit: int) -> int:
    """Delete spent items, the oldest first, with their leases.

    A spent item stays until its time is long over, so that its value can't come back from the supplier as new.

    Args:
        before: items that are consumed, expired or discarded, and whose time was over before this moment, are deleted.

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


def delete_alerts(session: Session, before: datetime, limit: int) -> int:
    """Delete alerts that were resolved before a moment, the oldest first.

    Returns:
        How many were deleted.
    """
    return _delete(session, _alerts, _alerts.c.resolved_at < before, _alerts.c.resolved_at, limit)


def delete_silences(session: Session, before: datetime, limit: int) -> int:
    """Delete silences that ended before a moment, the oldest first.

    Returns:
        How many were deleted.
    """
    return _delete(session, _silences, _silences.c.until < before, _silences.c.until, limit)


def delete_notifications(session: Session, before: datetime, limit: int) -> int:
    """Delete notifications that were sent or given up before a moment, the oldest first.

    Returns:
        How many were deleted.
    """
    settled_at = func.coalesce(_notifications.c.sent_at, _notifications.c.given_up_at)
    return _delete(session, _notifications, settled_at < before, _notifications.c.id, limit)


def delete_runs(session: Session, before: datetime, limit: int) -> int:
    """Delete runs that finished before a moment, the oldest first, with their campaigns' results.

    The last run of each job that ended in each way stays, however it was started: it tells when the job last worked.

    Returns:
        How many were deleted.
    """
    last = select(func.max(_runs.c.id)).group_by(_runs.c.job, _runs.c.trigger, _runs.c.status)
    condition = (_runs.c.finished_at < before) & _runs.c.id.not_in(last)
    return _delete(session, _runs, condition, _runs.c.id, limit)


def delete_supply_requests(session: Session, before: datetime, limit: int) -> int:
    """Delete supply requests that were settled before a moment, the oldest first; open ones and those in doubt stay.

    Returns:
        How many were deleted.
    """
    is_settled = _requests.c.state.in_((RequestState.ANSWERED, RequestState.REFUSED, RequestState.CANCELLED))
    condition = is_settled & (_requests.c.finished_at < before)
    return _delete(session, _requests, condition, _requests.c.finished_at, limit)


def delete_acts(session: Session, before: datetime, limit: int) -> int:
    """Delete what the audit trail has of before a moment, the oldest first.

    Returns:
        How many were deleted.
    """
    return _delete(session, _acts, _acts.c.at < before, _acts.c.at, limit)


OF_ALERTS = (delete_alerts, delete_silences, delete_notifications)
OF_RUNS = (delete_runs, delete_supply_requests, delete_acts)


def _delete(
    session: Session, rows: Table, condition: ColumnElement[bool], order: ColumnElement[Any], limit: int
) -> int:
    picked = select(rows.c.id).where(condition).order_by(order).limit(limit)
    return session.connection().execute(delete(rows).where(rows.c.id.in_(picked))).rowcount
