"""Taking back what is over: leases past their deadline and items past their end, batch by batch.

A batch is a transaction of a fixed number of statements, however many rows it moves, and never longer than asked for:
consumers get in between two batches.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, case, func, literal_column, select, update
from sqlalchemy.orm import Session

from kylink_cli.rules.vocabulary import ItemState, LeaseState
from kylink_cli.store import demand
from kylink_cli.store.demand import Minute
from kylink_cli.store.engine.database import is_among
from kylink_cli.store.engine.direct import direct
from kylink_cli.store.engine.hours import minute_of
from kylink_cli.store.leases import state_of_returned
from kylink_cli.store.tables import LeaseRecord, StockItem, in_state, table

_items = table(StockItem)
_leases = table(LeaseRecord)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of leases past their deadline, and of items past their end."""

    expired_leases: int = 0
    recovered: int = 0  # items that are available again
    discarded: int = 0  # items whose leases have expired too often
    expired_items: int = 0  # past their end, leased before or not

    def __add__(self, other: "Recovered") -> "Recovered":
        return Recovered(
            self.expired_leases + other.expired_leases,
            self.recovered + other.recovered,
            self.discarded + other.discarded,
            self.expired_items + other.expired_items,
        )


def expire_leases(session: Session, now: datetime, *, max_expirations: int, limit: int) -> Recovered:
    """Take back the items of leases past their deadline, the oldest first.

    Active -> expired; leased -> available, or expired if their time is over, or discarded if their leases have
    expired too often. They were no demand in the end.

    Args:
        now: deadlines before this moment are over.
        max_expirations: expired leases after which an item is discarded.
    """
    closed = session.execute(_close_overdue(now, limit)).all()
    if not closed:
        return Recovered()
    held = is_among(session, _items.c.id, [lease.item_id for lease in closed]) & in_state(_items, ItemState.LEASED)
    state = _state_after(now, max_expirations)
    states = Counter(dict(session.execute(select(state, func.count()).where(held).group_by(state)).all()))
    session.execute(update(_items).where(held).values(state=state, expirations=_items.c.expirations + 1))
    returned = Counter(Minute(lease.campaign_id, lease.minute) for lease in closed)
    with direct(session.connection()) as transaction:
        demand.record_taken(transaction, {minute: -items for minute, items in returned.items()})
    return _recovered(len(closed), states)


def expire_items(session: Session, now: datetime, limit: int) -> Recovered:
    """Mark available items that are past their end (available -> expired), the oldest first.

    Args:
        now: items that expired before this moment are marked.
    """
    over = _picked(_items, _over(now), _items.c.expires_at, limit)
    marked = (
        update(_items)
        .where(_items.c.id.in_(over), in_state(_items, ItemState.AVAILABLE))
        .values(state=ItemState.EXPIRED)
        .returning(_items.c.id)
    )
    return Recovered(expired_items=len(session.execute(marked).all()))


def count_overdue(session: Session, now: datetime) -> int:
    """How many leases are past their deadline."""
    return session.scalars(select(func.count()).select_from(_leases).where(_overdue(now))).one()


def foresee(session: Session, now: datetime, max_expirations: int) -> Recovered:
    """What a recovery would come to; nothing is changed.

    Args:
        now: what ends before this moment is over.
        max_expirations: expired leases after which an item is discarded.
    """
    state = _state_after(now, max_expirations).label("next_state")
    statement = (
        select(state, func.count())
        .join_from(_leases, _items, _items.c.id == _leases.c.item_id)
        .where(_overdue(now))
        .group_by(state)
    )
    states = Counter(dict(session.execute(statement).all()))
    unmarked = session.scalars(select(func.count()).select_from(_items).where(_over(now))).one()
    return _recovered(states.total(), states) + Recovered(expired_items=unmarked)


def _close_overdue(now: datetime, limit: int) -> Any:
    picked = _picked(_leases, _overdue(now), _leases.c.expires_at, limit)
    return (
        update(_leases)
        .where(_leases.c.id.in_(picked), in_state(_leases, LeaseState.ACTIVE))
        .values(state=LeaseState.EXPIRED, closed_at=now)
        .returning(_leases.c.item_id, _leases.c.campaign_id, minute_of(_leases.c.leased_at).label("minute"))
    )


def _picked(rows: Table, condition: ColumnElement[bool], order: Any, limit: int) -> Select[Any]:
    """The ids of the next rows to move; those that another transaction is at are left for a later batch."""
    picked = select(rows.c.id).where(condition).order_by(order).limit(limit).with_for_update(skip_locked=True)
    return select(picked.cte("picked").c.id)


def _overdue(now: datetime) -> ColumnElement[bool]:
    return in_state(_leases, LeaseState.ACTIVE) & (_leases.c.expires_at <= now)


def _over(now: datetime) -> ColumnElement[bool]:
    return in_state(_items, ItemState.AVAILABLE) & (_items.c.expires_at <= now)


def _state_after(now: datetime, max_expirations: int) -> ColumnElement[str]:
    """The state to which an item goes whose lease expires; one whose time is over is expired in any case."""
    is_worn_out = (_items.c.expires_at > now) & (_items.c.expirations + 1 >= max_expirations)
    return case((is_worn_out, literal_column("'discarded'")), else_=state_of_returned(now))


def _recovered(leases: int, states: Counter[str]) -> Recovered:
    return Recovered(leases, states[ItemState.AVAILABLE], states[ItemState.DISCARDED], states[ItemState.EXPIRED])
