"""One try to get what a consumer asks for, within a transaction: the items, their leases, the demand, and the ring."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from kylink_cli.errors import LeaseOverError, UnknownCampaignError
from kylink_cli.language import tr
from kylink_cli.leasing.requests import Bell, Taken, TakeRequest
from kylink_cli.rules.leases import is_live
from kylink_cli.rules.text import one_line
from kylink_cli.store import bell as rings
from kylink_cli.store import leases, no_stock, takes
from kylink_cli.store.bell import Look
from kylink_cli.store.demand import Refusal
from kylink_cli.store.engine.direct import Transaction
from kylink_cli.store.takes import NewLease
from kylink_cli.store.waiters import NO_PLACE


@dataclass(frozen=True, slots=True)
class Try:
    """One try to get what a consumer asks for."""

    request: TakeRequest
    bell: Bell
    now: datetime
    place: int = NO_PLACE  # in the queue
    is_last: bool = True  # whoever gets nothing now is refused

    @property
    def look(self) -> Look:
        """When the bell is rung, and by whom not."""
        return Look(self.now, self.now - self.bell.delay, self.bell.reorder_point)


def attempt(transaction: Transaction, this: Try) -> tuple[Taken | None, bool]:
    """Take what there is; the ring of a campaign that is left too low is recorded.

    Returns:
        What was taken, None if there is nothing; and whether the bell is to be heard once this is committed.

    Raises:
        NotFoundError: there is no such campaign.
        LeaseOverError: the key was used, and its leases were released or have expired.
    """
    again = _take_again(transaction, this.request)
    if again is not None:
        return again, False
    taken, is_low = _take_new(transaction, this)
    if is_low:
        rings.ring(transaction, this.request.campaign_id, this.now)
    return taken, is_low


def has_landed(transaction: Transaction, *taken: Taken | None) -> bool:
    """Whether leases are there; a refusal is recorded again without harm."""
    tokens = [lease.token for one in taken if one is not None for lease in one.leases]
    return bool(tokens) and bool(leases.states(transaction, tokens))


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


def _take_new(transaction: Transaction, this: Try) -> tuple[Taken | None, bool]:
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


def _find_nothing(transaction: Transaction, this: Try) -> bool:
    """Record a refusal, unless the consumer waits; whether to ring."""
    request = this.request
    if not takes.lock_campaign(transaction, request.campaign_id):
        raise UnknownCampaignError(request.campaign_id)
    if not this.is_last:
        return rings.look(transaction, request.campaign_id, this.look)
    no_stock.record(transaction, _refusal(request, request.count), this.now)
    return _record_refusal(transaction, this, request.count)


def _record_refusal(transaction: Transaction, this: Try, items: int) -> bool:
    """Items that a consumer did not get are demand as well; whether to ring."""
    return rings.record_refused(transaction, _refusal(this.request, items), this.look)


def _refusal(request: TakeRequest, items: int) -> Refusal:
    return Refusal(request.campaign_id, items, request.holder or request.key or "")
