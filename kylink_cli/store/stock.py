"""Stock items as an operator looks at them, brings them in and throws them away."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, or_, select, update
from sqlalchemy.orm import Session

from kylink_cli.rules.vocabulary import ItemState
from kylink_cli.store.engine.database import upsert
from kylink_cli.store.tables import StockItem, in_state, table

_items = table(StockItem)
_ITEMS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Item:
    """A stock item."""

    id: int
    campaign_id: str
    value: str
    state: str  # one past its end is expired, whether a job has marked it or not
    created_at: datetime
    expires_at: datetime
    reason: str | None  # why it was discarded, if that was said


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which items are meant."""

    campaign_id: str | None = None
    state: ItemState | None = None
    limit: int | None = None


def read_items(session: Session, wanted: ItemFilter, now: datetime) -> Iterator[Item]:
    """Items in the order in which they came, read piece by piece while the transaction is open.

    Args:
        now: available items that expired before this moment are expired.
    """
    statement = _select(wanted, now).execution_options(yield_per=_ITEMS_AT_ONCE)
    for row in session.execute(statement):
        yield Item(*row)


def add(session: Session, campaign_id: str, values: Mapping[str, datetime], now: datetime) -> int:
    """Put values in stock (new -> available); those that the campaign has or had already are left out.

    Args:
        campaign_id: the campaign, which must exist.
        values: the end of each value's life.

    Returns:
        How many were new.
    """
    insert = upsert(session, _items).on_conflict_do_nothing()
    rows = [
        {
            "campaign_id": campaign_id,
            "value": value,
            "state": ItemState.AVAILABLE,
            "created_at": now,
            "expires_at": expires_at,
        }
        for value, expires_at in values.items()
    ]
    return len(session.scalars(insert.returning(_items.c.id), rows).all()) if rows else 0


def lock_states(session: Session, item_ids: Collection[int], now: datetime) -> dict[int, str]:
    """The state of each of these items; one that does not exist is missing. Their rows stay locked."""
    state = case((_is_over(now), ItemState.EXPIRED), else_=_items.c.state).label("state")
    statement = select(_items.c.id, state).where(_items.c.id.in_(item_ids)).with_for_update()
    return {row.id: row.state for row in session.execute(statement)}


def discard(session: Session, item_ids: Sequence[int]) -> list[int]:
    """Throw items away (available -> discarded).

    Returns:
        Those that were available, by id.
    """
    statement = (
        update(_items)
        .where(_items.c.id.in_(item_ids), in_state(_items, ItemState.AVAILABLE))
        .values(state=ItemState.DISCARDED)
        .returning(_items.c.id)
    )
    return sorted(session.scalars(statement))


def _select(wanted: ItemFilter, now: datetime) -> Select[Any]:
    c = _items.c
    state = case((_is_over(now), ItemState.EXPIRED), else_=c.state)
    statement = select(c.id, c.campaign_id, c.value, state, c.created_at, c.expires_at, c.reason).order_by(c.id)
    if wanted.campaign_id is not None:
        statement = statement.where(c.campaign_id == wanted.campaign_id)
    if wanted.state is not None:
        statement = statement.where(_is_in(wanted.state, now))
    return statement if wanted.limit is None else statement.limit(wanted.limit)


def _is_in(state: ItemState, now: datetime) -> ColumnElement[bool]:
    if state == ItemState.AVAILABLE:
        return and_(in_state(_items, ItemState.AVAILABLE), _items.c.expires_at > now)
    if state == ItemState.EXPIRED:
        return or_(in_state(_items, ItemState.EXPIRED), _is_over(now))
    return in_state(_items, state)


def _is_over(now: datetime) -> ColumnElement[bool]:
    return and_(in_state(_items, ItemState.AVAILABLE), _items.c.expires_at <= now)
