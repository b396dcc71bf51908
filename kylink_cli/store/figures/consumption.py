"""How much is consumed, by the hour: one statement each, however many items."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kylink_cli.rules.figures import ConsumptionOfHour
from kylink_cli.rules.vocabulary import ItemState
from kylink_cli.store.engine.hours import hour_of, start_of
from kylink_cli.store.levels import of_user
from kylink_cli.store.tables import StockItem, in_state, table

_items = table(StockItem)


def read_consumption(session: Session, since: datetime, user_id: str | None) -> list[ConsumptionOfHour]:
    """The items that were consumed after a moment, by hour; an hour without any is missing.

    Args:
        since: what was consumed later counts.
        user_id: only that of this user's campaigns; None for everyone's.
    """
    hour: Any = hour_of(_items.c.consumed_at)
    statement = (
        select(hour, func.count())
        .where(in_state(_items, ItemState.CONSUMED), _items.c.consumed_at > since)
        .group_by(hour)
        .order_by(hour)
    )
    rows = session.execute(of_user(statement, _items.c.campaign_id, user_id))
    return [ConsumptionOfHour(start_of(row[0]), row[1]) for row in rows]


def read_consumption_of(
    session: Session, since: datetime, campaign_ids: Collection[str]
) -> dict[str, dict[datetime, int]]:
    """The items of some campaigns that were consumed after a moment, by campaign and hour; what is none is missing."""
    hour: Any = hour_of(_items.c.consumed_at)
    statement = (
        select(_items.c.campaign_id, hour, func.count())
        .where(
            in_state(_items, ItemState.CONSUMED), _items.c.consumed_at > since, _items.c.campaign_id.in_(campaign_ids)
        )
        .group_by(_items.c.campaign_id, hour)
    )
    found: dict[str, dict[datetime, int]] = {}
    for campaign_id, number, items in session.execute(statement):
        found.setdefault(campaign_id, {})[start_of(number)] = items
    return found
