"""Leases as consumers take and close them, by guarded updates only: the rows that come back decide who won."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Update, bindparam, case, literal_column, select, update

from kylink_cli.rules.leases import new_token
from kylink_cli.rules.vocabulary import ItemState, LeaseState
from kylink_cli.store import demand
from kylink_cli.store.demand import Minute, minute_at
from kylink_cli.store.engine.direct import Direct, Transaction, moment
from kylink_cli.store.tables import Campaign, LeaseRecord, StockItem, in_state, table
from kylink_cli.store.waiters import NO_PLACE, wanted_ahead

_campaigns = table(Campaign)
_items = table(StockItem)
_leases = table(LeaseRecord)
_COLUMNS = (
    "token",
    "campaign_id",
    "item_id",
    "holder",
    "idempotency_key",
    "key_index",
    "state",
    "leased_at",
    "expires_at",
)


@dataclass(frozen=True, slots=True)
class NewLease:
    """What a consumer asks for."""

    campaign_id: str
    count: int  # at least 1
    expires_at: datetime  # the deadline
    holder: str | None = None  # who asks, for people
    key: str | None = None  # the consumer's idempotency key
    place: int = NO_PLACE  # in the campaign's queue


@dataclass(frozen=True, slots=True)
class TakenLease:
    """A lease as its holder sees it."""

    token: str  # whoever has it can close the lease
    campaign_id: str
    item_id: int
    value: str
    leased_at: datetime
    expires_at: datetime
    state: str = LeaseState.ACTIVE  # `active`, unless an earlier call with the same key took it


def lock_campaign(transaction: Transaction, campaign_id: str) -> bool:
    """Let no other taker of a campaign's stock in until the transaction ends.

    Returns:
        Whether the campaign exists.
    """
    return bool(_LOCK_CAMPAIGN.rows(transaction, campaign_id=campaign_id))


def find_by_key(transaction: Transaction, campaign_id: str, key: str) -> list[TakenLease]:
    """The leases that a campaign's idempotency key stands for, in whatever state; none if it is new."""
    return [
        TakenLease(token, campaign_id, item_id, value, moment(leased_at), moment(expires_at), state)
        for token, item_id, value, leased_at, expires_at, state in _FIND_BY_KEY.rows(
            transaction, campaign_id=campaign_id, key=key
        )
    ]


def take(transaction: Transaction, wanted: NewLease, now: datetime) -> list[TakenLease]:
    """Hold items (available -> leased), those that expire soonest first.

    Args:
        now: items that expired before this moment are never taken.

    Returns:
        The leases: fewer than wanted, or none, if the stock holds no more for somebody in this place.
    """
    take_items = _TAKE_ONE if wanted.count == 1 else _TAKE_SEVERAL
    items = take_items.rows(
        transaction, campaign_id=wanted.campaign_id, now=now, count=wanted.count, place=wanted.place
    )
    taken = [
        TakenLease(new_token(), wanted.campaign_id, item_id, value, now, wanted.expires_at)
        for _, item_id, value in sorted(items)
    ]
    _ADD.each(
        transaction,
        [{"token": lease.token, "item_id": lease.item_id, "key_index": n} for n, lease in enumerate(taken)],
        campaign_id=wanted.campaign_id,
        holder=wanted.holder,
        idempotency_key=wanted.key,
        state=LeaseState.ACTIVE.value,
        leased_at=now,
        expires_at=wanted.expires_at,
    )
    return taken


def confirm(transaction: Transaction, tokens: Sequence[str], now: datetime) -> set[str]:
    """Consume the items of leases (active -> confirmed, leased -> consumed).

    Returns:
        The tokens of the leases that were active.
    """
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


# What is picked is locked on a server: a second taker passes it over, instead of waiting for it and getting nothing.
_soonest = (
    select(_items.c.id)
    .where(
        _items.c.campaign_id == bindparam("campaign_id"),
        in_state(_items, ItemState.AVAILABLE),
        _items.c.expires_at > bindparam("now"),
    )
    .order_by(_items.c.expires_at)
    .limit(bindparam("count", type_=Integer))
    .offset(wanted_ahead())
    .with_for_update(skip_locked=True)
    .cte("soonest")
)


def _take(is_picked: ColumnElement[bool]) -> Update:
    """One statement picks and takes: two takers never see the same item as available."""
    return (
        update(_items)
        .where(is_picked, in_state(_items, ItemState.AVAILABLE))
        .values(state=ItemState.LEASED)
        .returning(_items.c.expires_at, _items.c.id, _items.c.value)
    )


def _close(is_meant: ColumnElement[bool], state: LeaseState) -> Update:
    return (
        update(_leases)
        .where(is_meant, in_state(_leases, LeaseState.ACTIVE))
        .values(state=state, closed_at=bindparam("now"))
        .returning(_leases.c.token, _leases.c.item_id, _leases.c.campaign_id, _leases.c.leased_at)
    )


def _put_away(**values: Any) -> Direct:
    """What becomes of a leased item."""
    return Direct(
        lambda flavour: (
            update(_items).where(flavour.among(_items.c.id), in_state(_items, ItemState.LEASED)).values(values)
        )
    )


_LOCK_CAMPAIGN = Direct(
    lambda _: select(_campaigns.c.id).where(_campaigns.c.id == bindparam("campaign_id")).with_for_update(key_share=True)
)
_FIND_BY_KEY = Direct(
    lambda _: (
        select(
            _leases.c.token,
            _leases.c.item_id,
            _items.c.value,
            _leases.c.leased_at,
            _leases.c.expires_at,
            _leases.c.state,
        )
        .join_from(_leases, _items, _items.c.id == _leases.c.item_id)
        .where(_leases.c.campaign_id == bindparam("campaign_id"), _leases.c.idempotency_key == bindparam("key"))
        .order_by(_leases.c.key_index)
    )
)
_TAKE_ONE = Direct(lambda _: _take(_items.c.id == select(_soonest.c.id).scalar_subquery()))
_TAKE_SEVERAL = Direct(lambda _: _take(_items.c.id.in_(select(_soonest.c.id))))
_ADD = Direct(lambda _: _leases.insert().inline(), columns=_COLUMNS)
_CONFIRM = Direct(lambda flavour: _close(flavour.among(_leases.c.token), LeaseState.CONFIRMED))
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
