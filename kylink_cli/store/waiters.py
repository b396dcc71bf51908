"""Consumers who wait for items, in the order of coming: what those ahead want is left to them.

A place is kept until its holder's patience is over, even if his process has died.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, bindparam, delete, func, or_, select

from kylink_cli.rules.vocabulary import ItemState
from kylink_cli.store.engine.direct import Direct, Transaction
from kylink_cli.store.tables import StockItem, Waiter, in_state, table

# The place of those who have none: behind everybody.
NO_PLACE: Final = 2**62

_items = table(StockItem)
_waiters = table(Waiter)


def join(transaction: Transaction, campaign_id: str, items: int, until: datetime) -> int:
    """Take a place at the end of a campaign's queue.

    Args:
        until: when its holder gives up.
    """
    [(place,)] = _JOIN.rows(transaction, campaign_id=campaign_id, wanted=items, until=until)
    return int(place)


def has_joined(transaction: Transaction, place: int, until: datetime) -> bool:
    """Whether the place is that of whoever waits until this very moment."""
    return bool(_JOINED.rows(transaction, place=place, until=until))


def leave(transaction: Transaction, place: int, now: datetime) -> None:
    """Give a place up; those whose holders' patience is over go too."""
    _LEAVE.rows(transaction, place=place, now=now)


def is_served_next(transaction: Transaction, campaign_id: str, place: int, now: datetime) -> bool:
    """Whether the stock holds more than those ahead of a place want."""
    return bool(_NEXT.rows(transaction, campaign_id=campaign_id, place=place, now=now))


def wanted_ahead() -> ColumnElement[int]:
    """How many items those ahead of `place` want, in a statement that names `campaign_id` and `now` too."""
    ahead = select(func.sum(_waiters.c.wanted)).where(
        _waiters.c.campaign_id == bindparam("campaign_id"),
        _waiters.c.id < bindparam("place", type_=BigInteger),
        _waiters.c.until > bindparam("now"),
    )
    return func.coalesce(ahead.scalar_subquery(), 0)


def _next() -> Any:
    return (
        select(_items.c.id)
        .where(
            _items.c.campaign_id == bindparam("campaign_id"),
            in_state(_items, ItemState.AVAILABLE),
            _items.c.expires_at > bindparam("now"),
        )
        .order_by(_items.c.expires_at)
        .limit(1)
        .offset(wanted_ahead())
    )


_JOIN = Direct(
    lambda flavour: flavour.insert(_waiters).returning(_waiters.c.id), columns=("campaign_id", "wanted", "until")
)
_JOINED = Direct(
    lambda _: select(_waiters.c.id).where(
        _waiters.c.id == bindparam("place", type_=BigInteger), _waiters.c.until == bindparam("until")
    )
)
_LEAVE = Direct(
    lambda _: delete(_waiters).where(
        or_(_waiters.c.id == bindparam("place", type_=BigInteger), _waiters.c.until <= bindparam("now"))
    )
)
_NEXT = Direct(lambda _: _next())
