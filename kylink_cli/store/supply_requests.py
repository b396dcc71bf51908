"""Supply requests: recorded before they are sent, settled with what came, by guarded updates only."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kylink_cli.rules.vocabulary import ItemState, RequestState
from kylink_cli.store.engine.database import is_among, upsert
from kylink_cli.store.tables import StockItem, SupplyRequest, in_state, not_before, table

_requests = table(SupplyRequest)
_items = table(StockItem)


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request that is about to be sent."""

    key: str  # its idempotency key
    campaign_id: str
    quantity: int
    body: str  # the exact text that belongs to the key
    run_id: int | None  # that recorded it; None once its record is deleted


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A recorded request that has no definite answer yet."""

    id: int  # its row
    request: NewRequest
    outstanding: int  # items that it may still bring


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item to store."""

    value: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a call for a request ended."""

    request_id: int
    campaign_id: str
    state: RequestState  # `open` if it must be asked again, else its end
    items: Sequence[NewItem] = ()  # what came and can be used
    error: str | None = None  # None if nothing was wrong


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of the items of one settlement."""

    produced: int = 0  # items that are new in stock
    duplicates: int = 0  # items that the campaign had already


def record(session: Session, requests: Sequence[NewRequest], now: datetime) -> list[OpenRequest]:
    """Record requests before they are sent (new -> open).

    Returns:
        The recorded requests, in the same order.
    """
    if not requests:
        return []
    rows = [
        {
            "key": r.key,
            "campaign_id": r.campaign_id,
            "run_id": r.run_id,
            "quantity": r.quantity,
            "body": r.body,
            "state": RequestState.OPEN,
            "created_at": now,
            "produced": 0,
            "duplicates": 0,
        }
        for r in requests
    ]
    returned = session.execute(_requests.insert().returning(_requests.c.key, _requests.c.id), rows)
    ids = {row.key: row.id for row in returned}
    return [OpenRequest(ids[r.key], r, r.quantity) for r in requests]


def settle(session: Session, settlements: Sequence[Settlement], now: datetime) -> list[Stored]:
    """Store what came and move the requests on (open -> open, answered, refused or cancelled).

    A request that is no longer open was settled by another run; its settlement is dropped. An item that the same
    request brought before is no duplicate.

    Args:
        settlements: how the calls ended, at most one a request.

    Returns:
        What became of each settlement's items, in the same order.
    """
    before = _lock_open(session, [s.request_id for s in settlements])
    valid = [s for s in settlements if s.request_id in before]
    produced = _insert_items(session, valid, now)
    stored = {}
    for s in valid:
        new = produced.get(s.request_id, 0)
        stored[s.request_id] = Stored(new, max(0, len(s.items) - new - before[s.request_id]))
    _update_settled(session, valid, stored, now)
    return [stored.get(s.request_id, Stored()) for s in settlements]


def _lock_open(session: Session, request_ids: Sequence[int]) -> dict[int, int]:
    """Items produced so far by each of the requests that are open; their rows stay locked."""
    statement = (
        select(_requests.c.id, _requests.c.produced)
        .where(is_among(session, _requests.c.id, request_ids), in_state(_requests, RequestState.OPEN))
        .with_for_update()
    )
    return {row.id: row.produced for row in session.execute(statement)}


def _insert_items(session: Session, settlements: Sequence[Settlement], now: datetime) -> dict[int, int]:
    """Store items that their campaigns do not have yet; how many were new, by request."""
    rows = [
        {
            "campaign_id": s.campaign_id,
            "value": item.value,
            "state": ItemState.AVAILABLE,
            "created_at": now,
            "expires_at": item.expires_at,
            "supply_request_id": s.request_id,
        }
        for s in settlements
        for item in s.items
    ]
    if not rows:
        return {}
    insert = upsert(session, _items).on_conflict_do_nothing()
    return Counter(session.scalars(insert.returning(_items.c.supply_request_id), rows).all())


def _update_settled(
    session: Session, settlements: Sequence[Settlement], stored: dict[int, Stored], now: datetime
) -> None:
    """Move requests on, all of those at once that have come to the same end."""
    alike: defaultdict[tuple[RequestState, int, int, str | None], list[int]] = defaultdict(list)
    for s in settlements:
        counts = stored[s.request_id]
        alike[s.state, counts.produced, counts.duplicates, s.error].append(s.request_id)
    for (state, produced, duplicates, error), ids in alike.items():
        ended_at = None if state == RequestState.OPEN else now
        session.execute(
            update(_requests)
            .where(is_among(session, _requests.c.id, ids))
            .values(
                state=state,
                finished_at=not_before(_requests.c.created_at, ended_at),
                produced=_requests.c.produced + produced,
                duplicates=_requests.c.duplicates + duplicates,
                error=error,
            )
        )


def read_open(session: Session, campaign_ids: Collection[str]) -> dict[str, list[OpenRequest]]:
    """The open requests of campaigns, oldest first; a campaign without any is missing.

    Under the campaigns' claims these are the requests that dead or ended runs left behind.
    """
    statement = (
        select(SupplyRequest)
        .where(_requests.c.campaign_id.in_(campaign_ids), in_state(_requests, RequestState.OPEN))
        .order_by(_requests.c.id)
    )
    found: dict[str, list[OpenRequest]] = {}
    for row in session.scalars(statement):
        request = NewRequest(row.key, row.campaign_id, row.quantity, row.body, row.run_id)
        open_request = OpenRequest(row.id or 0, request, row.quantity - row.produced)
        found.setdefault(row.campaign_id, []).append(open_request)
    return found


def give_up(session: Session, older_than: datetime, now: datetime) -> list[tuple[str, str]]:
    """Stop asking for requests that the service may no longer know (open -> in_doubt).

    Args:
        older_than: requests recorded before this moment are given up.

    Returns:
        Campaign id and idempotency key of each.
    """
    statement = (
        update(_requests)
        .where(in_state(_requests, RequestState.OPEN), _requests.c.created_at < older_than)
        .values(state=RequestState.IN_DOUBT, finished_at=not_before(_requests.c.created_at, now))
        .returning(_requests.c.campaign_id, _requests.c.key)
    )
    return [(row.campaign_id, row.key) for row in session.execute(statement)]
