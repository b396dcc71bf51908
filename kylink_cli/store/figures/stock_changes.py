"""How the stock changed, by the hour: three statements, however many items."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.orm import Session

from kylink_cli.rules.figures import StockOfHour
from kylink_cli.rules.vocabulary import ItemState
from kylink_cli.store.engine.hours import hour_of, start_of
from kylink_cli.store.levels import of_user
from kylink_cli.store.tables import StockItem, in_state, table

_items = table(StockItem)
# A literal list, since SQLite uses a partial index for no parameter.
_WAS_AVAILABLE: ColumnElement[bool] = literal_column("state IN ('available', 'expired')")


def read_stock_changes(session: Session, since: datetime, now: datetime, user_id: str | None) -> list[StockOfHour]:
    """What came, was consumed and expired after a moment, by the hour; an hour without any change is missing.

    Items that were discarded are left out, as if they had never come: when they were is not recorded. Leased ones are
    left out too, since they may come back.

    Args:
        user_id: only those of this user's campaigns; None for everyone's.
    """
    c = _items.c
    kept = c.state.not_in((ItemState.DISCARDED, ItemState.LEASED))
    arrived = _by_hour(session, c.created_at, kept & (c.created_at > since), user_id)
    consumed = _by_hour(session, c.consumed_at, in_state(_items, ItemState.CONSUMED) & (c.consumed_at > since), user_id)
    over = _WAS_AVAILABLE & (c.expires_at > since) & (c.expires_at <= now)
    expired = _by_hour(session, c.expires_at, over, user_id)
    hours = sorted(arrived.keys() | consumed.keys() | expired.keys())
    return [
        StockOfHour(start_of(hour), arrived.get(hour, 0), consumed.get(hour, 0), expired.get(hour, 0)) for hour in hours
    ]


def _by_hour(session: Session, moment: Any, condition: ColumnElement[bool], user_id: str | None) -> dict[int, int]:
    hour: Any = hour_of(moment)
    statement = of_user(select(hour, func.count()).where(condition).group_by(hour), _items.c.campaign_id, user_id)
    return {row[0]: row[1] for row in session.execute(statement)}
