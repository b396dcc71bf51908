"""Taking items out of a campaign's stock; what is left too low rings, and who finds nothing may wait for it.

A take is one transaction: the items, their leases, the demand, and the ring. It is heard on this host after the commit.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from kylink_cli.errors import LeaseOverError, NoStockError, UnknownCampaignError, UsageError
from kylink_cli.language import tr
from kylink_cli.rules import counted
from kylink_cli.rules.leases import COUNT_LIMIT, TEXT_LIMIT, TTL_LIMIT_MINUTES, WAIT_LIMIT_SECONDS, is_live
from kylink_cli.rules.text import has_hidden_characters, one_line
from kylink_cli.store import bell as rings
from kylink_cli.store import leases, no_stock, takes, waiters
from kylink_cli.store.bell import Look
from kylink_cli.store.demand import Refusal
from kylink_cli.store.engine.database import Database
from kylink_cli.store.engine.direct import Transaction, direct
from kylink_cli.store.takes import NewLease, TakenLease
from kylink_cli.store.waiters import NO_PLACE

POLL_SECONDS: Final = 0.1
# Who waits tries in earnest as often as this, which rings again if nobody has come.
TRY_SECONDS: Final = 2.0


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


def _say_nothing() -> None:
    """Rings are recorded, and nobody hears them."""


@dataclass(frozen=True, slots=True)
class Bell:
    """What a take rings when it leaves too little."""

    ring: Callable[[], None] = _say_nothing  # make it heard on this host; never fails
    delay: timedelta = timedelta(minutes=1)  # nobody rings again within it
    reorder_point: int = 5  # of a campaign that has none yet, items


SILENT: Final = Bell()


@dataclass(frozen=True, slots=True)
class _Try:
    """One try to get what a consumer asks for."""

    request: TakeRequest
    bell: Bell
    now: datetime
    place: int = NO_PLACE  # in the queue
    is_last: bool = True  # whoever gets nothing now is refused

    @property
    def look(self) -> Look:
        return Look(self.now, self.now - self.bell.delay, self.bell.reorder_point)


def take(
    database: Database, request: TakeRequest, now: datetime, *, wait_seconds: float = 0, bell: Bell = SILENT
) -> Taken:
    """Lease items of a campaign, those that expire soonest first.

    Args:
        wait_seconds: how long to wait where there is nothing to lease; who came first is served first.

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
    check_wait(wait_seconds)
    first = _Try(request, bell, now, is_last=wait_seconds <= 0)
    taken = _attempt(database, first)
    if taken is None and wait_seconds > 0:
        taken = _wait(database, first, now + timedelta(seconds=wait_seconds))
    if taken is None:
        raise NoStockError(
            tr(
                "campaign {campaign_id} has nothing to lease: try later, or replenish it",
                campaign_id=request.campaign_id,
            )
        )
    return taken


def check_ttl(minutes: int) -> None:
    """Refuse a lease that is no lease, or that lasts for ever.

    Raises:
        UsageError: it is out of bounds.
    """
    if not 1 <= minutes <= TTL_LIMIT_MINUTES:
        raise UsageError(
            tr(
                "the time to live is {minutes}: must be 1 to {limit}",
                minutes=counted.minutes(minutes),
                limit=TTL_LIMIT_MINUTES,
            )
        )


def check_wait(seconds: float) -> None:
    """Refuse to wait for ever.

    Raises:
        UsageError: it is out of bounds.
    """
    if not 0 <= seconds <= WAIT_LIMIT_SECONDS:
        raise UsageError(
            tr("the wait is {seconds} seconds: must be 0 to {limit}", seconds=seconds, limit=WAIT_LIMIT_SECONDS)
        )


def _wait(database: Database, first: _Try, end: datetime) -> Taken | None:
    """Wait in the campaign's queue, and try when it is one's turn."""
    request = first.request
    place = database.commit_direct(
        lambda transaction: waiters.join(transaction, request.campaign_id, request.count, end),
        lambda transaction, joined: waiters.has_joined(transaction, joined, end),
    )
    tried_at = first.now
    try:
        while (now := database.now()) < end:
            if now - tried_at >= timedelta(seconds=TRY_SECONDS) or _is_next(database, request, place, now):
                tried_at = now
                taken = _attempt(database, replace(first, now=now, place=place))
                if taken is not None:
                    return taken
            time.sleep(min(POLL_SECONDS, (end - now).total_seconds()))
        return _attempt(database, replace(first, now=now, place=place, is_last=True))
    finally:
        database.commit_direct(lambda transaction: waiters.leave(transaction, place, end))


def _is_next(database: Database, request: TakeRequest, place: int, now: datetime) -> bool:
    def look(session: Session) -> bool:
        with direct(session.connection()) as transaction:
            return waiters.is_served_next(transaction, request.campaign_id, place, now)

    return database.read(look)


def _attempt(database: Database, this: _Try) -> Taken | None:
    """Take what there is, and ring if too little is left; None if there is nothing."""

    def act(transaction: Transaction) -> tuple[Taken | None, bool]:
        again = _take_again(transaction, this.request)
        if again is not None:
            return again, False
        taken, is_low = _take_new(transaction, this)
        if is_low:
            rings.ring(transaction, this.request.campaign_id, this.now)
        return taken, is_low

    taken, is_low = database.commit_direct(act, lambda transaction, done: _has_landed(transaction, done[0]))
    if is_low:
        this.bell.ring()
    return taken


def _has_landed(transaction: Transaction, taken: Taken | None) -> bool:
    """Whether leases are there; a refusal is recorded again without harm."""
    return taken is not None and bool(leases.states(transaction, [lease.token for lease in taken.leases]))


def _take_again(transaction: Transaction, request: TakeRequest) -> Taken | None:
    """What an earlier call with the same key took; None if there was none.

    Only live leases are handed out again: the item of one that is over may be in other hands.
    """
    if request.key is None:
        return None
    takes.lock_campaign(transaction, request.campaign_id)
    found = takes.find_by_key(transaction, request.campaign_id, request.key)
    live = [lease for lease in found if is_live(lease.state)]
    if found and not live:
        raise LeaseOverError(
            tr(
                "key {key} of campaign {campaign_id} names a lease that has ended ({state}): use a new key to "
                "lease another item",
                key=one_line(request.key, 80),
                campaign_id=request.campaign_id,
                state=found[0].state,
            )
        )
    return Taken(live, reused=True) if live else None


def _take_new(transaction: Transaction, this: _Try) -> tuple[Taken | None, bool]:
    """What the stock gives, and whether it is low now."""
    request, now = this.request, this.now
    expires_at = now + timedelta(minutes=request.ttl_minutes)
    wanted = NewLease(request.campaign_id, request.count, expires_at, request.holder, request.key, this.place)
    taken, is_low = takes.take(transaction, wanted, this.look)
    if not taken:
        return None, _find_nothing(transaction, this)
    if len(taken) < request.count:
        is_low = _record_refusal(transaction, this, request.count - len(taken))
    return Taken(taken), is_low


def _find_nothing(transaction: Transaction, this: _Try) -> bool:
    """Record a refusal, unless the consumer waits; whether to ring."""
    request = this.request
    if not takes.lock_campaign(transaction, request.campaign_id):
        raise UnknownCampaignError(request.campaign_id)
    if not this.is_last:
        return rings.look(transaction, request.campaign_id, this.look)
    no_stock.record(transaction, request.campaign_id, this.now)
    return _record_refusal(transaction, this, request.count)


def _record_refusal(transaction: Transaction, this: _Try, items: int) -> bool:
    """Items that a consumer did not get are demand as well; whether to ring."""
    request = this.request
    refusal = Refusal(request.campaign_id, items, request.holder or request.key or "")
    return rings.record_refused(transaction, refusal, this.look)
