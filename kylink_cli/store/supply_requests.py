"""Supply requests: recorded before they are sent, moved on by guarded updates, as `rules/supply_requests.py` says."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session

from kylink_cli.language import tr
from kylink_cli.rules.supply_requests import ASKED_AGAIN_WITHIN, BY_RECORDER, after_answer
from kylink_cli.rules.vocabulary import ItemState, RequestState
from kylink_cli.store.claims import Claim, still_held
from kylink_cli.store.engine.database import is_among, lock_name, upsert
from kylink_cli.store.figures import totals
from kylink_cli.store.tables import StockItem, SupplyRequest, in_state, not_before, table

# Why an item of a restored database is discarded: kept there, in every language the same.
MAY_BE_USED = "may have been used after the backup was made"

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
    created_at: datetime
    unanswered_runs: int = 0  # that asked in vain
    asked_at: datetime | None = None  # by the last of them


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item to store."""

    value: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came of a request."""

    request_id: int
    campaign_id: str
    items: Sequence[NewItem]  # what can be used
    fault: str | None = None  # what is wrong with the rest, which is asked for again; None if the answer is whole
    settled_by: str | None = None  # the operator who found it out; None for the service's own answer


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run makes of a request of a campaign that it has claimed, without an answer."""

    request_id: int
    claim: Claim
    state: RequestState
    error: str | None = None
    was_asked: bool = False  # in this run, in vain


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of the items of one answer."""

    produced: int = 0  # items that are new in stock
    duplicates: int = 0  # items that the campaign had already
    before: int = 0  # items that the request had brought before, to whichever run
    discarded: int = 0  # items that may have been used after a backup was made that was restored


def take_turns(session: Session) -> None:
    """Let nobody else who does the same record requests until the transaction ends."""
    lock_name(session, "kylink orders")


def ordered_since(session: Session, since: datetime, campaign_ids: Collection[str] | None) -> dict[str, int]:
    """Items that were ordered since a moment, by campaign; what was refused or never sent is no order.

    A request that was answered counts what it brought.

    Args:
        campaign_ids: of these campaigns; None for all.
    """
    brought = _requests.c.produced + _requests.c.duplicates
    items = case((in_state(_requests, RequestState.ANSWERED), brought), else_=_requests.c.quantity)
    counts = _requests.c.state.not_in((RequestState.REFUSED, RequestState.CANCELLED))
    statement = (
        select(_requests.c.campaign_id, func.sum(items).label("items"))
        .where(_requests.c.created_at > since, counts)
        .group_by(_requests.c.campaign_id)
    )
    if campaign_ids is not None:
        statement = statement.where(_requests.c.campaign_id.in_(campaign_ids))
    return {row.campaign_id: int(row.items) for row in session.execute(statement)}


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
    return [OpenRequest(ids[r.key], r, r.quantity, now) for r in requests]


def store_answers(session: Session, answers: Sequence[Arrival], now: datetime) -> list[Stored]:
    """Store what came, whatever has become of the requests meanwhile: it was paid for (any -> answered, open).

    An item that the same request brought before is no duplicate. What a request brings that is older than a backup
    that was restored is discarded: it may have been used since.

    Args:
        answers: at most one a request.

    Returns:
        What became of each answer's items, in the same order; nothing if its campaign was removed.
    """
    before = _lock(session, [answer.request_id for answer in answers])
    valid = [answer for answer in answers if answer.request_id in before]
    produced = _insert_items(session, valid, {key for key, row in before.items() if row.is_restored}, now)
    alike: defaultdict[tuple[RequestState, Stored, str | None, str | None, datetime | None], list[int]]
    alike = defaultdict(list)
    stored, ends_anew = {}, []
    for answer in valid:
        row, new = before[answer.request_id], produced.get(answer.request_id, 0)
        known = len(answer.items) - new - row.produced - row.duplicates
        discarded = new if row.is_restored else 0
        stored[answer.request_id] = Stored(new - discarded, max(0, known), row.produced, discarded)
        state = after_answer(RequestState(row.state), is_whole=answer.fault is None)
        ended_at = row.finished_at if state == row.state else None
        alike[state, stored[answer.request_id], answer.fault, answer.settled_by, ended_at].append(answer.request_id)
        if row.finished_at is not None and ended_at is None:
            ends_anew.append(answer.request_id)
    if ends_anew:
        totals.keep_ends(session, ends_anew)
    for (state, counts, fault, settled_by, ended_at), ids in alike.items():
        values = _ended(state, fault, ended_at or now) | {
            "produced": _requests.c.produced + counts.produced + counts.discarded,
            "duplicates": _requests.c.duplicates + counts.duplicates,
            "unanswered_runs": 0,
        }
        if settled_by is not None:
            values["settled_by"] = settled_by
        session.execute(update(_requests).where(is_among(session, _requests.c.id, ids)).values(values))
    return [stored.get(answer.request_id, Stored()) for answer in answers]


def _lock(session: Session, request_ids: Sequence[int]) -> dict[int, Any]:
    """What is known of requests, whatever their state; their rows stay locked."""
    c = _requests.c
    known = select(c.id, c.state, c.produced, c.duplicates, c.is_restored, c.finished_at)
    statement = known.where(is_among(session, c.id, request_ids))
    return {row.id: row for row in session.execute(statement.order_by(c.id).with_for_update())}


def _ended(state: RequestState, error: str | None, now: datetime) -> dict[str, Any]:
    ended_at = None if state == RequestState.OPEN else now
    return {"state": state, "error": error, "finished_at": not_before(_requests.c.created_at, ended_at)}


def judge(session: Session, verdicts: Sequence[Verdict], now: datetime) -> list[bool]:
    """Move open requests on without an answer (open -> open, in_doubt, refused, cancelled), if the claims still stand.

    Only the run that recorded a request calls it refused or cancelled: it alone knows whether it was sent.

    Returns:
        Whether each verdict was carried out: not if its claim was lost, or the request is open no more.
    """
    held = still_held(session, {verdict.claim for verdict in verdicts})
    alike: defaultdict[tuple[RequestState, str | None, bool, int], list[int]] = defaultdict(list)
    for v in verdicts:
        if v.claim in held:
            alike[v.state, v.error, v.was_asked, v.claim.run_id].append(v.request_id)
    moved: set[int] = set()
    for (state, error, was_asked, run_id), ids in alike.items():
        statement = update(_requests).where(
            is_among(session, _requests.c.id, ids), in_state(_requests, RequestState.OPEN)
        )
        if state in BY_RECORDER:
            nothing_came = (_requests.c.produced == 0) & (_requests.c.duplicates == 0)
            statement = statement.where(_requests.c.run_id == run_id, nothing_came)
        values = _ended(state, error, now)
        if was_asked:
            values |= {"unanswered_runs": _requests.c.unanswered_runs + 1, "asked_at": now}
        moved |= set(session.scalars(statement.values(values).returning(_requests.c.id)))
    return [v.request_id in moved for v in verdicts]


def _insert_items(
    session: Session, answers: Sequence[Arrival], restored: Collection[int], now: datetime
) -> dict[int, int]:
    """Store items that their campaigns do not have yet, those of restored requests as discarded.

    Returns:
        How many were new, by request.
    """
    rows = [
        {
            "campaign_id": answer.campaign_id,
            "value": item.value,
            "state": ItemState.DISCARDED if answer.request_id in restored else ItemState.AVAILABLE,
            "reason": MAY_BE_USED if answer.request_id in restored else None,
            "created_at": now,
            "expires_at": item.expires_at,
            "supply_request_id": answer.request_id,
        }
        for answer in answers
        for item in answer.items
    ]
    if not rows:
        return {}
    insert = upsert(session, _items).on_conflict_do_nothing()
    return Counter(session.scalars(insert.returning(_items.c.supply_request_id), rows).all())


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
        open_request = OpenRequest(
            row.id or 0, request, row.quantity - row.produced, row.created_at, row.unanswered_runs, row.asked_at
        )
        found.setdefault(row.campaign_id, []).append(open_request)
    return found


def give_up(session: Session, campaign_ids: Collection[str], now: datetime) -> dict[str, list[str]]:
    """Stop asking for requests that the service may no longer know (open -> in_doubt).

    Args:
        campaign_ids: campaigns that the caller has claimed in this transaction.

    Returns:
        The idempotency keys, by campaign.
    """
    statement = (
        update(_requests)
        .where(
            _requests.c.campaign_id.in_(campaign_ids),
            in_state(_requests, RequestState.OPEN),
            _requests.c.created_at < now - ASKED_AGAIN_WITHIN,
        )
        .values(_ended(RequestState.IN_DOUBT, tr("too old to be asked again safely"), now))
        .returning(_requests.c.campaign_id, _requests.c.key)
    )
    given_up: dict[str, list[str]] = {}
    for row in session.execute(statement):
        given_up.setdefault(row.campaign_id, []).append(row.key)
    return given_up
