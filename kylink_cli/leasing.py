"""The consumer's side: take a lease on an item, then confirm it, release it or extend it.

Each act is one transaction. An act on several tokens answers for each of them, in the order in which they were given.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from kylink_cli.errors import LeaseOverError, NoStockError, UnknownCampaignError, UsageError
from kylink_cli.language import tr
from kylink_cli.rules.leases import (
    COUNT_LIMIT,
    TEXT_LIMIT,
    TOKENS_LIMIT,
    TTL_LIMIT_MINUTES,
    UNKNOWN,
    Act,
    TokenState,
    answer,
    is_live,
)
from kylink_cli.rules.text import ERROR_LENGTH, has_hidden_characters, one_line
from kylink_cli.store import demand, leases, no_stock
from kylink_cli.store.demand import Refusal
from kylink_cli.store.engine.database import Database
from kylink_cli.store.engine.direct import Transaction
from kylink_cli.store.leases import NewLease, TakenLease


@dataclass(frozen=True, slots=True)
class TakeRequest:
    """What a consumer asks for."""

    campaign_id: str
    ttl_minutes: int  # 1 to 10,080
    count: int = 1  # 1 to 1,000
    holder: str | None = None  # who asks, for people; at most 200 characters
    key: str | None = None  # the same one gets the same leases again; at most 200 characters

    def check(self) -> None:
        """Refuse what can't be.

        Raises:
            UsageError: a part of it is out of bounds.
        """
        check_ttl(self.ttl_minutes)
        if not 1 <= self.count <= COUNT_LIMIT:
            raise UsageError(tr("the count is {count}: must be 1 to {limit}", count=self.count, limit=COUNT_LIMIT))
        for name, text in (("holder", self.holder), ("key", self.key)):
            if text is not None and (not text.strip() or len(text) > TEXT_LIMIT or has_hidden_characters(text)):
                shown = one_line(text, 40)
                raise UsageError(
                    tr(
                        "the {name} is {shown!r}: must be 1 to {limit} characters of text",
                        name=name,
                        shown=shown,
                        limit=TEXT_LIMIT,
                    )
                )


@dataclass(frozen=True, slots=True)
class Taken:
    """What a consumer gets."""

    leases: Sequence[TakenLease]  # at least one
    reused: bool = False  # an earlier call with the same key took them


@dataclass(frozen=True, slots=True)
class LeaseResult:
    """What an act on one lease has come to."""

    token: str
    ok: bool
    state: TokenState  # after the act; `unknown` if there is no such lease
    message: str
    expires_at: datetime | None = None  # if the act was about the deadline


def take(database: Database, request: TakeRequest, now: datetime) -> Taken:
    """Lease items of a campaign, those that expire soonest first.

    Returns:
        As many leases as were asked for, or as the stock gives; never none.

    Raises:
        UsageError: the request is out of bounds.
        NotFoundError: there is no such campaign.
        NoStockError: the campaign has nothing to lease; this is recorded.
        LeaseOverError: the key was used, and its leases were released or have expired.
        DatabaseError: the database failed; nothing was taken.
    """
    request.check()

    def act(transaction: Transaction) -> Taken | None:
        taken = _take_again(transaction, request) or _take_new(transaction, request, now)
        if taken is None:
            _record_no_stock(transaction, request, now)
        return taken

    taken = database.commit_direct(act)
    if taken is None:
        raise NoStockError(
            tr(
                "campaign {campaign_id} has nothing to lease: try later, or replenish it",
                campaign_id=request.campaign_id,
            )
        )
    return taken


def confirm(database: Database, tokens: Iterable[str], now: datetime) -> list[LeaseResult]:
    """Say that the items of leases were used; they are consumed for good.

    Raises:
        UsageError: there are more than 10,000 tokens.
        DatabaseError: the database failed; nothing was confirmed.
    """
    wanted = _distinct(tokens)
    return database.commit_direct(
        lambda transaction: _results(transaction, "confirm", wanted, leases.confirm(transaction, wanted, now))
    )


def release(
    database: Database, tokens: Iterable[str], now: datetime, *, error: str | None = None, discard: bool = False
) -> list[LeaseResult]:
    """Give the items of leases back to the stock.

    Args:
        error: why the items could not be used; None if nothing was wrong.
        discard: discard the items instead of returning them to stock.

    Raises:
        UsageError: there are more than 10,000 tokens.
        DatabaseError: the database failed; nothing was released.
    """
    wanted = _distinct(tokens)
    reason = None if error is None else one_line(error, ERROR_LENGTH)

    def act(transaction: Transaction) -> list[LeaseResult]:
        done = leases.release(transaction, wanted, now, error=reason, discard=discard)
        return _results(transaction, "release", wanted, done)

    return database.commit_direct(act)


def extend(database: Database, tokens: Iterable[str], ttl_minutes: int, now: datetime) -> list[LeaseResult]:
    """Let leases end that many minutes from now; a deadline that is later already stays.

    Raises:
        UsageError: the time is out of bounds, or there are more than 10,000 tokens.
        DatabaseError: the database failed; nothing was extended.
    """
    check_ttl(ttl_minutes)
    wanted = _distinct(tokens)

    def act(transaction: Transaction) -> list[LeaseResult]:
        deadlines = leases.extend(transaction, wanted, now + timedelta(minutes=ttl_minutes))
        results = _results(transaction, "extend", wanted, deadlines)
        return [replace(result, expires_at=deadlines.get(result.token)) for result in results]

    return database.commit_direct(act)


def check_ttl(minutes: int) -> None:
    """Refuse a lease that is no lease, or that lasts for ever.

    Raises:
        UsageError: it is out of bounds.
    """
    if not 1 <= minutes <= TTL_LIMIT_MINUTES:
        raise UsageError(
            tr(
                "the time to live is {minutes} minutes: must be 1 to {limit}",
                minutes=minutes,
                limit=TTL_LIMIT_MINUTES,
            )
        )


def _take_again(transaction: Transaction, request: TakeRequest) -> Taken | None:
    """What an earlier call with the same key took; None if there was none.

    Only live leases are handed out again: the item of one that is over may be in other hands.
    """
    if request.key is None:
        return None
    leases.lock_campaign(transaction, request.campaign_id)
    found = leases.find_by_key(transaction, request.campaign_id, request.key)
    live = [lease for lease in found if is_live(lease.state)]
    if found and not live:
        raise LeaseOverError(
            tr(
                "key {key} of campaign {campaign_id} stands for a lease that is over ({state}): use a new key to "
                "lease another item",
                key=one_line(request.key, 80),
                campaign_id=request.campaign_id,
                state=found[0].state,
            )
        )
    return Taken(live, reused=True) if live else None


def _take_new(transaction: Transaction, request: TakeRequest, now: datetime) -> Taken | None:
    expires_at = now + timedelta(minutes=request.ttl_minutes)
    wanted = NewLease(request.campaign_id, request.count, expires_at, request.holder, request.key)
    taken = leases.take(transaction, wanted, now)
    if 0 < len(taken) < request.count:
        _record_refusal(transaction, request, request.count - len(taken), now)
    return Taken(taken) if taken else None


def _record_no_stock(transaction: Transaction, request: TakeRequest, now: datetime) -> None:
    if not leases.lock_campaign(transaction, request.campaign_id):
        raise UnknownCampaignError(request.campaign_id)
    no_stock.record(transaction, request.campaign_id, now)
    _record_refusal(transaction, request, request.count, now)


def _record_refusal(transaction: Transaction, request: TakeRequest, items: int, now: datetime) -> None:
    """Items that a consumer did not get are demand as well."""
    demand.record_refused(transaction, Refusal(request.campaign_id, items, request.holder or request.key or ""), now)


def _distinct(tokens: Iterable[str]) -> list[str]:
    distinct = list(dict.fromkeys(tokens))
    if len(distinct) > TOKENS_LIMIT:
        raise UsageError(
            tr(
                "{number} tokens are too many at once: at most {limit} are allowed",
                number=len(distinct),
                limit=TOKENS_LIMIT,
            )
        )
    return distinct


def _results(transaction: Transaction, act: Act, tokens: Sequence[str], done: Collection[str]) -> list[LeaseResult]:
    """The answer for each token: those that are not done were found in another state than active, or not at all."""
    missed = [token for token in tokens if token not in done]
    found = leases.states(transaction, missed) if missed else {}
    results = []
    for token in tokens:
        state = "active" if token in done else found.get(token, UNKNOWN)
        given = answer(act, cast("TokenState", state))
        results.append(LeaseResult(token, given.ok, given.state, given.message))
    return results
