"""Takes from several campaigns in one transaction, for consumers who ask for many at once, and wait elsewhere."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from kylink_cli.errors import KylinkError, LeaseOverError, NotFoundError, UnknownCampaignError, UsageError
from kylink_cli.leasing.requests import Bell, Taken, TakeRequest
from kylink_cli.leasing.taking import nothing_to_lease
from kylink_cli.leasing.trying import Try, attempt, has_landed
from kylink_cli.store import owners, waiters
from kylink_cli.store.engine.database import Database
from kylink_cli.store.engine.direct import Transaction
from kylink_cli.store.waiters import NO_PLACE


@dataclass(frozen=True, slots=True)
class TakeOutcome:
    """What one of several takes has come to: leases, or the reason why there are none."""

    request: TakeRequest
    taken: Taken | None = None
    error: KylinkError | None = None

    @property
    def may_wait(self) -> bool:
        """Whether there was nothing, and may be something later."""
        return self.taken is None and self.error is None


@dataclass(frozen=True, slots=True)
class Takers:
    """Who takes, and when."""

    now: datetime
    bell: Bell
    user_id: str | None = None  # only from this user's campaigns; to it, those of others do not exist
    places: Sequence[int] = ()  # in the queues, one for each request; empty for those who do not wait
    is_patient: bool = False  # whoever gets nothing at all waits, and is not refused yet


def take_several(database: Database, requests: Sequence[TakeRequest], takers: Takers) -> list[TakeOutcome]:
    """Lease items of campaigns, all in one transaction; what can't be had of one takes nothing from another.

    Returns:
        What each request has come to, in their order. Where the takers are patient and nobody got anything, those who
        may wait have neither leases nor an error.

    Raises:
        DatabaseError: the database failed; nothing was taken.
    """

    def act(transaction: Transaction) -> tuple[dict[int, TakeOutcome], bool]:
        this = _Round(transaction, requests, takers, _own(transaction, requests, takers))
        outcomes, is_low = this.take(range(len(requests)), is_last=not takers.is_patient)
        if not takers.is_patient or all(outcome.taken is None for outcome in outcomes.values()):
            return outcomes, is_low
        # What some have got is not to wait with those who have not.
        late, is_lower = this.take([n for n, outcome in outcomes.items() if outcome.may_wait], is_last=True)
        return outcomes | late, is_low or is_lower

    outcomes, is_low = database.commit_direct(
        act, lambda transaction, done: has_landed(transaction, *[outcome.taken for outcome in done[0].values()])
    )
    if is_low:
        takers.bell.ring()
    return [outcomes[number] for number in range(len(requests))]


def join(database: Database, requests: Sequence[TakeRequest], until: datetime) -> list[int]:
    """Take a place at the end of each campaign's queue.

    Args:
        until: when their holder gives up.
    """
    return database.commit_direct(
        lambda transaction: [waiters.join(transaction, one.campaign_id, one.count, until) for one in requests],
        lambda transaction, places: waiters.has_joined(transaction, places[0], until),
    )


def leave(database: Database, places: Sequence[int], now: datetime) -> None:
    """Give places up."""

    def act(transaction: Transaction) -> None:
        for place in places:
            waiters.leave(transaction, place, now)

    database.commit_direct(act)


def _own(transaction: Transaction, requests: Sequence[TakeRequest], takers: Takers) -> set[str] | None:
    """The campaigns that exist for a user; None if all do."""
    if takers.user_id is None:
        return None
    return owners.campaigns_of(transaction, takers.user_id, sorted({one.campaign_id for one in requests}))


@dataclass(frozen=True, slots=True)
class _Round:
    transaction: Transaction
    requests: Sequence[TakeRequest]
    takers: Takers
    own: set[str] | None

    def take(self, numbers: Iterable[int], *, is_last: bool) -> tuple[dict[int, TakeOutcome], bool]:
        """Try some requests, by campaign: two who lock the same rows in different orders would wait for each other."""
        outcomes: dict[int, TakeOutcome] = {}
        is_low = False
        for number in sorted(numbers, key=lambda n: self.requests[n].campaign_id):
            outcomes[number], rings = self._try(number, is_last=is_last)
            is_low = is_low or rings
        return outcomes, is_low

    def _try(self, number: int, *, is_last: bool) -> tuple[TakeOutcome, bool]:
        request = self.requests[number]
        place = self.takers.places[number] if self.takers.places else NO_PLACE
        try:
            request.check()
            if self.own is not None and request.campaign_id not in self.own:
                raise UnknownCampaignError(request.campaign_id)
            taken, is_low = attempt(
                self.transaction, Try(request, self.takers.bell, self.takers.now, place, is_last=is_last)
            )
        except (UsageError, NotFoundError, LeaseOverError) as error:
            return TakeOutcome(request, error=error), False
        if taken is None and is_last:
            return TakeOutcome(request, error=nothing_to_lease(request)), is_low
        return TakeOutcome(request, taken), is_low
