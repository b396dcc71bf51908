"""Takes of items out of a campaign's stock, by guarded updates only: the rows that come back decide who won."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Integer, Update, bindparam, select, update

from kylink_cli.rules.leases import new_token
from kylink_cli.rules.vocabulary import ItemState, LeaseState
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
