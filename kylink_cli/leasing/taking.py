"""Taking items out of a campaign's stock; what is left too low rings, and who finds nothing may wait for it.

A take is one transaction. It is heard on this host after the commit.
"""

import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from kylink_cli.errors import NoStockError
from kylink_cli.language import tr
from kylink_cli.leasing.requests import SILENT, Bell, Taken, TakeRequest, check_wait
from kylink_cli.leasing.trying import Try, attempt, has_landed
from kylink_cli.store import waiters
from kylink_cli.store.engine.database import Database
from kylink_cli.store.engine.direct import direct

POLL_SECONDS: Final = 0.1
# Who waits tries in earnest as often as this, which rings again if nobody has come.
TRY_SECONDS: Final = 2.0


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
    first = Try(request, bell, now, is_last=wait_seconds <= 0)
    taken = _attempt(database, first)
    if taken is None and wait_seconds > 0:
        taken = _wait(database, first, now + timedelta(seconds=wait_seconds))
    if taken is None:
        raise nothing_to_lease(request)
    return taken


def nothing_to_lease(request: TakeRequest) -> NoStockError:
    """What a consumer is told who gets nothing."""
    return NoStockError(
        tr("campaign {campaign_id} has nothing to lease: try later, or replenish it", campaign_id=request.campaign_id)
    )


def _wait(database: Database, first: Try, end: datetime) -> Taken | None:
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


def _attempt(database: Database, this: Try) -> Taken | None:
    """Take what there is, and ring if too little is left; None if there is nothing."""
    taken, is_low = database.commit_direct(
        lambda transaction: attempt(transaction, this),
        lambda transaction, done: has_landed(transaction, done[0]),
    )
    if is_low:
        this.bell.ring()
    return taken
