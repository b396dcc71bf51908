"""Leases as consumers close them or let them last longer, by guarded updates: what comes back decides."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Update, bindparam, case, literal_column, select, update

from kylink_cli.rules.vocabulary import ItemState, LeaseState
from kylink_cli.store import demand
from kylink_cli.store.demand import Minute, minute_at
from kylink_cli.store.engine.direct import Direct, Flavour, Transaction, moment
from kylink_cli.store.tables import LeaseRecord, StockItem, in_state, table

_items = table(StockItem)
_leases = table(LeaseRecord)


def confirm(transaction: Transaction, tokens: Sequence[str], now: datetime) -> set[str]:
    """Consume the items of leases (active -> confirmed, leased -> consumed).

    Returns:
        The tokens of the leases that were active.
    """
    if not transaction.is_embedded:
        return {token for (token,) in _CONFIRM_AND_CONSUME.rows(transaction, *tokens, now=now)}
    closed = _CONFIRM.rows(transaction, *tokens, now=now)
    if closed:
        _CONSUME.rows(transaction, *[item_id for _, item_id, *_ in closed], now=now)
    return {token for token, *_ in closed}


def release(
    transaction: Transaction, tokens: Sequence[str], now: datetime, *, error: str | None, discard: bool
) -> set[str]:
    """Give items back (active -> released, leased -> available, or expired if their time is over, or discarded).

    They were no demand in the end.

    Args:
        error: why the items could not be used; None if nothing was wrong.
        discard: discard the items instead of returning them to stock.

    Returns:
        The tokens of the leases that were active.
    """
    closed = _RELEASE.rows(transaction, *tokens, now=now, reason=error)
    if closed:
        put_away = _DISCARD if discard else _GIVE_BACK
        put_away.rows(transaction, *[item_id for _, item_id, *_ in closed], now=now)
        returned = Counter(Minute(campaign_id, minute_at(moment(leased_at))) for *_, campaign_id, leased_at in closed)
        demand.record_taken(transaction, {minute: -items for minute, items in returned.items()})
    return {token for token, *_ in closed}


def extend(transaction: Transaction, tokens: Sequence[str], expires_at: datetime) -> dict[str, datetime]:
    """Move deadlines to a later moment (active -> active); one that is later already stays.

    Returns:
        The deadline of each lease that is active.
    """
    extended = _EXTEND.rows(transaction, *tokens, deadline=expires_at)
    return {token: moment(deadline) for token, deadline in extended}


def states(transaction: Transaction, tokens: Sequence[str]) -> dict[str, str]:
    """The state of each lease; an unknown token is missing."""
    return dict(_STATES.rows(transaction, *tokens))


def state_of_returned(now: datetime | ColumnElement[datetime]) -> ColumnElement[str]:
    """The state to which an item goes that comes back from a lease."""
    return case((_items.c.expires_at > now, literal_column("'available'")), else_=literal_column("'expired'"))


def _close(is_meant: ColumnElement[bool], state: LeaseState) -> Update:
    return (
        update(_leases)
        .where(is_meant, in_state(_leases, LeaseState.ACTIVE))
        .values(state=state, closed_at=bindparam("now"))
        .returning(_leases.c.token, _leases.c.item_id, _leases.c.campaign_id, _leases.c.leased_at)
    )


def _confirm_and_consume(flavour: Flavour) -> Any:
    """Both at once: a server is asked once. SQLite has no such statement, and no journey to save."""
    closed = _close(flavour.among(_leases.c.token), LeaseState.CONFIRMED).cte("closed")
    consumed = (
        update(_items)
        .where(_items.c.id == closed.c.item_id, in_state(_items, ItemState.LEASED))
        .values(state=ItemState.CONSUMED, consumed_at=bindparam("now"))
    )
    return select(closed.c.token).add_cte(consumed.cte("consumed"))


def _put_away(**values: Any) -> Direct:
    """What becomes of a leased item."""
    return Direct(
        lambda flavour: (
            update(_items).where(flavour.among(_items.c.id), in_state(_items, ItemState.LEASED)).values(values)
        )
    )


_CONFIRM = Direct(lambda flavour: _close(flavour.among(_leases.c.token), LeaseState.CONFIRMED))
_CONFIRM_AND_CONSUME = Direct(_confirm_and_consume)
_CONSUME = _put_away(state=ItemState.CONSUMED, consumed_at=bindparam("now"))
_RELEASE = Direct(
    lambda flavour: _close(flavour.among(_leases.c.token), LeaseState.RELEASED).values(error=bindparam("reason"))
)
_GIVE_BACK = _put_away(state=state_of_returned(bindparam("now")))
_DISCARD = _put_away(state=ItemState.DISCARDED)
_EXTEND = Direct(
    lambda flavour: (
        update(_leases)
        .where(flavour.among(_leases.c.token), in_state(_leases, LeaseState.ACTIVE))
        .values(
            expires_at=case(
                (_leases.c.expires_at < bindparam("deadline"), bindparam("deadline")), else_=_leases.c.expires_at
            )
        )
        .returning(_leases.c.token, _leases.c.expires_at)
    )
)
_STATES = Direct(lambda flavour: select(_leases.c.token, _leases.c.state).where(flavour.among(_leases.c.token)))
