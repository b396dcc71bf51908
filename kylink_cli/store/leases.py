"""Leases as consumers take and close them, by guarded updates only: the rows that come back decide who won."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Update, case, literal_column, select, update
from sqlalchemy.orm import Session

from kylink_cli.rules.leases import new_token
from kylink_cli.rules.vocabulary import ItemState, LeaseState
from kylink_cli.store import demand
from kylink_cli.store.demand import Minute, minute_at
from kylink_cli.store.tables import Campaign, LeaseRecord, StockItem, in_state, table

_campaigns = table(Campaign)
_items = table(StockItem)
_leases = table(LeaseRecord)


@dataclass(frozen=True, slots=True)
class NewLease:
    """What a consumer asks for."""

    campaign_id: str
    count: int  # at least 1
    expires_at: datetime  # the deadline
    holder: str | None = None  # who asks, for people
    key: str | None = None  # the consumer's idempotency key


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


def lock_campaign(session: Session, campaign_id: str) -> bool:
    """Let no other taker of a campaign's stock in until the transaction ends.

    Returns:
        Whether the campaign exists.
    """
    statement = select(_campaigns.c.id).where(_campaigns.c.id == campaign_id).with_for_update(key_share=True)
    return session.scalar(statement) is not None


def find_by_key(session: Session, campaign_id: str, key: str) -> list[TakenLease]:
    """The leases that a campaign's idempotency key stands for, in whatever state; none if it is new."""
    statement = (
        select(
            _leases.c.token,
            _leases.c.campaign_id,
            _leases.c.item_id,
            _items.c.value,
            _leases.c.leased_at,
            _leases.c.expires_at,
            _leases.c.state,
        )
        .join_from(_leases, _items, _items.c.id == _leases.c.item_id)
        .where(_leases.c.campaign_id == campaign_id, _leases.c.idempotency_key == key)
        .order_by(_leases.c.key_index)
    )
    return [TakenLease(*row) for row in session.execute(statement)]


def take(session: Session, wanted: NewLease, now: datetime) -> list[TakenLease]:
    """Hold items (available -> leased), those that expire soonest first; they are demand.

    Args:
        now: items that expired before this moment are never taken.

    Returns:
        The leases: fewer than wanted, or none, if the stock does not hold more.
    """
    items = session.execute(_take_items(wanted, now)).all()
    taken = [
        TakenLease(new_token(), wanted.campaign_id, item.id, item.value, now, wanted.expires_at)
        for item in sorted(items, key=lambda item: (item.expires_at, item.id))
    ]
    rows = [_row(lease, index, wanted) for index, lease in enumerate(taken)]
    if rows:
        session.connection().execute(_leases.insert(), rows)
        demand.record_taken(session, {Minute(wanted.campaign_id, minute_at(now)): len(rows)})
    return taken


def confirm(session: Session, tokens: Collection[str], now: datetime) -> set[str]:
    """Consume the items of leases (active -> confirmed, leased -> consumed).

    Returns:
        The tokens of the leases that were active.
    """
    closed = session.execute(_close(tokens, LeaseState.CONFIRMED, now)).all()
    consumed = _of_leased([lease.item_id for lease in closed]).values(state=ItemState.CONSUMED, consumed_at=now)
    session.execute(consumed)
    return {lease.token for lease in closed}


def release(session: Session, tokens: Collection[str], now: datetime, *, error: str | None, discard: bool) -> set[str]:
    """Give items back (active -> released, leased -> available, or expired if their time is over, or discarded).

    They were no demand in the end.

    Args:
        error: why the items could not be used; None if nothing was wrong.
        discard: whether nobody is to get the items any more.

    Returns:
        The tokens of the leases that were active.
    """
    closed = session.execute(_close(tokens, LeaseState.RELEASED, now).values(error=error)).all()
    next_state = literal_column("'discarded'") if discard else state_of_returned(now)
    session.execute(_of_leased([lease.item_id for lease in closed]).values(state=next_state))
    returned = Counter(Minute(lease.campaign_id, minute_at(lease.leased_at)) for lease in closed)
    demand.record_taken(session, {minute: -items for minute, items in returned.items()})
    return {lease.token for lease in closed}


def extend(session: Session, tokens: Collection[str], expires_at: datetime) -> dict[str, datetime]:
    """Move deadlines to a later moment (active -> active); one that is later already stays.

    Returns:
        The deadline of each lease that is active.
    """
    deadline = _leases.c.expires_at
    statement = (
        _of_active(tokens)
        .values(expires_at=case((deadline < expires_at, expires_at), else_=deadline))
        .returning(_leases.c.token, deadline)
    )
    return {lease.token: lease.expires_at for lease in session.execute(statement)}


def states(session: Session, tokens: Collection[str]) -> dict[str, str]:
    """The state of each lease; an unknown token is missing."""
    statement = select(_leases.c.token, _leases.c.state).where(_leases.c.token.in_(tokens))
    return {lease.token: lease.state for lease in session.execute(statement)}


def state_of_returned(now: datetime) -> ColumnElement[str]:
    """The state to which an item goes that comes back from a lease."""
    return case((_items.c.expires_at > now, literal_column("'available'")), else_=literal_column("'expired'"))


def _take_items(wanted: NewLease, now: datetime) -> Any:
    """One statement picks and takes: two takers never see the same item as available."""
    soonest = (
        select(_items.c.id)
        .where(
            _items.c.campaign_id == wanted.campaign_id,
            in_state(_items, ItemState.AVAILABLE),
            _items.c.expires_at > now,
        )
        .order_by(_items.c.expires_at, _items.c.id)
        .limit(wanted.count)
        .with_for_update(skip_locked=True)
        .cte("soonest")
    )
    return (
        update(_items)
        .where(_items.c.id.in_(select(soonest.c.id)), in_state(_items, ItemState.AVAILABLE))
        .values(state=ItemState.LEASED)
        .returning(_items.c.id, _items.c.value, _items.c.expires_at)
    )


def _row(lease: TakenLease, index: int, wanted: NewLease) -> Mapping[str, Any]:
    return {
        "token": lease.token,
        "campaign_id": lease.campaign_id,
        "item_id": lease.item_id,
        "holder": wanted.holder,
        "idempotency_key": wanted.key,
        "key_index": index,
        "state": lease.state,
        "leased_at": lease.leased_at,
        "expires_at": lease.expires_at,
    }


def _close(tokens: Collection[str], state: str, now: datetime) -> Any:
    c = _leases.c
    closed = _of_active(tokens).values(state=state, closed_at=now)
    return closed.returning(c.token, c.item_id, c.campaign_id, c.leased_at)


def _of_active(tokens: Collection[str]) -> Update:
    return update(_leases).where(_leases.c.token.in_(tokens), in_state(_leases, LeaseState.ACTIVE))


def _of_leased(item_ids: Sequence[int]) -> Update:
    return update(_items).where(_items.c.id.in_(item_ids), in_state(_items, ItemState.LEASED))
