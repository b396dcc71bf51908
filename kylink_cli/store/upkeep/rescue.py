"""Saving what a run was supplied, out of a database whose file is gone: its connections still lead to it."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kylink_cli.files import replacement
from kylink_cli.rules.moments import iso
from kylink_cli.rules.vocabulary import RequestState
from kylink_cli.store.engine.database import Database
from kylink_cli.store.tables import StockItem, SupplyRequest, in_state, table

_items = table(StockItem)
_requests = table(SupplyRequest)


def write_supplied(database: Database, file: Path, since: datetime) -> int:
    """Write what was supplied since a moment, and the orders that are open, as JSON lines; an order has no value.

    Returns:
        How many items there are.

    Raises:
        OSError: the file can't be written.
    """
    items, orders = database.read(lambda session: (_supplied(session, since), _open_orders(session)))
    with replacement(file) as out:
        for line in (*items, *orders):
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    return len(items)


def _supplied(session: Session, since: datetime) -> list[dict[str, Any]]:
    statement = (
        select(_items.c.campaign_id, _items.c.value, _items.c.expires_at, _requests.c.key)
        .join_from(_items, _requests, _requests.c.id == _items.c.supply_request_id)
        .where(_items.c.created_at >= since)
        .order_by(_items.c.id)
    )
    return [
        {"campaign_id": row.campaign_id, "value": row.value, "expires_at": iso(row.expires_at), "key": row.key}
        for row in session.execute(statement)
    ]


def _open_orders(session: Session) -> list[dict[str, Any]]:
    statement = (
        select(_requests.c.campaign_id, _requests.c.key, _requests.c.quantity, _requests.c.body)
        .where(in_state(_requests, RequestState.OPEN))
        .order_by(_requests.c.id)
    )
    return [{**row._mapping, "value": None} for row in session.execute(statement)]  # noqa: SLF001  (its public name)
