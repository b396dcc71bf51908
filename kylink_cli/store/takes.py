"""Takes of items out of a campaign's stock, by guarded updates only: the rows that come back decide who won."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Integer, String, Update, bindparam, func, literal_column, select, update
from sqlalchemy.sql.elements import Grouping

from kylink_cli.rules.leases import new_token
from kylink_cli.rules.vocabulary import ItemState, LeaseState
from kylink_cli.store import bell, demand
from kylink_cli.store.bell import Look, looking
from kylink_cli.store.demand import minute_at
from kylink_cli.store.engine.direct import Direct, Flavour, Transaction, moment
from kylink_cli.store.tables import Campaign, LeaseRecord, StockItem, UtcDateTime, in_state, table
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


def take(transaction: Transaction, wanted: NewLease, at: Look) -> tuple[list[TakenLease], bool]:
    """Hold items (available -> leased), those that expire soonest first, and record them as demand.

    Args:
        transaction: a writing one. The demand's row is locked by this; only a ring may follow.
        wanted: what is asked for.
        at: the look; items that expired before its moment are never taken.

    Returns:
        The leases: fewer than wanted, or none, if the stock holds no more for somebody in this place. And whether
        what is left calls for a ring.
    """
    act = _take_embedded if transaction.is_embedded else _take_on_server
    return act(transaction, wanted, at)


def _take_embedded(transaction: Transaction, wanted: NewLease, at: Look) -> tuple[list[TakenLease], bool]:
    take_items = _TAKE_ONE if wanted.count == 1 else _TAKE_SEVERAL
    items = take_items.rows(
        transaction, campaign_id=wanted.campaign_id, now=at.now, count=wanted.count, place=wanted.place
    )
    if not items:
        return [], False
    taken = [
        TakenLease(new_token(), wanted.campaign_id, item_id, value, at.now, wanted.expires_at)
        for _, item_id, value in sorted(items)
    ]
    _ADD.each(
        transaction,
        [{"token": lease.token, "item_id": lease.item_id, "key_index": n} for n, lease in enumerate(taken)],
        campaign_id=wanted.campaign_id,
        holder=wanted.holder,
        idempotency_key=wanted.key,
        state=LeaseState.ACTIVE.value,
        leased_at=at.now,
        expires_at=wanted.expires_at,
    )
    return taken, bell.record_taken(transaction, wanted.campaign_id, len(taken), at)


def _take_on_server(transaction: Transaction, wanted: NewLease, at: Look) -> tuple[list[TakenLease], bool]:
    tokens = [new_token() for _ in range(wanted.count)]
    rows = _TAKE_AND_RECORD.rows(
        transaction,
        *tokens,
        campaign_id=wanted.campaign_id,
        count=wanted.count,
        place=wanted.place,
        holder=wanted.holder,
        idempotency_key=wanted.key,
        deadline=wanted.expires_at,
        minute=minute_at(at.now),
        **looking(wanted.campaign_id, at),
    )
    taken = [
        TakenLease(tokens[number], wanted.campaign_id, item_id, value, at.now, wanted.expires_at)
        for number, item_id, value, _ in rows
    ]
    return taken, any(is_low for *_, is_low in rows)


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


def _token(flavour: Flavour, number: ColumnElement[int]) -> ColumnElement[str]:
    """The listed token of a number, from 0."""
    if flavour.is_single:
        return bindparam("listed", type_=String)
    # In brackets, without which PostgreSQL takes no index; and of any length, which it would check of all, for each.
    return Grouping(bindparam("listed", type_=ARRAY(String, zero_indexes=True)))[number]


def _take_and_record(flavour: Flavour) -> Any:
    """A whole take at once: a server is asked once. SQLite has no such statement, and no journey to save."""
    is_picked = _items.c.id == select(_soonest.c.id).scalar_subquery()
    taken = _take(is_picked if flavour.is_single else _items.c.id.in_(select(_soonest.c.id))).cte("taken")
    in_order = (func.row_number().over(order_by=(taken.c.expires_at, taken.c.id)) - 1).label("number")
    numbered = select(in_order, taken.c.id, taken.c.value).cte("numbered")
    lease = {
        "token": _token(flavour, numbered.c.number),
        "campaign_id": bindparam("campaign_id", type_=String),
        "item_id": numbered.c.id,
        "holder": bindparam("holder", type_=String),
        "idempotency_key": bindparam("idempotency_key", type_=String),
        "key_index": numbered.c.number,
        "state": literal_column(f"'{LeaseState.ACTIVE}'"),
        "leased_at": bindparam("now", type_=UtcDateTime),
        "expires_at": bindparam("deadline", type_=UtcDateTime),
    }
    added = _leases.insert().from_select(list(lease), select(*lease.values()))
    number = select(func.count()).select_from(taken)
    asked = demand.add_taken(
        flavour,
        select(
            bindparam("campaign_id", type_=String),
            bindparam("minute", type_=Integer),
            literal_column("''"),
            func.count(),
            literal_column("0"),
        )
        .select_from(taken)
        .having(func.count() > 0),
    )
    return (
        select(numbered, bell.is_low(just_taken=number.scalar_subquery()))
        .order_by(numbered.c.number)
        .add_cte(added.cte("added"), asked.cte("asked"))
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
_TAKE_AND_RECORD = Direct(_take_and_record)
