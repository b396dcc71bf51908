"""The supply requests of one campaign in one run: asked, judged, and what they bring stored."""

import asyncio
from dataclasses import replace

from kylink_cli.errors import KylinkError
from kylink_cli.jobs import writes
from kylink_cli.jobs.assignment import FillLimits
from kylink_cli.jobs.calls import Calls, Slot
from kylink_cli.jobs.claiming import Claimed
from kylink_cli.jobs.outcome import Tally
from kylink_cli.jobs.writes import NewOrders
from kylink_cli.language import tr
from kylink_cli.rules import counted
from kylink_cli.rules.supply_requests import is_too_old
from kylink_cli.rules.vocabulary import RequestState
from kylink_cli.running.events import ItemsStored, Warned
from kylink_cli.running.run import LiveRun
from kylink_cli.running.stop import StopReason
from kylink_cli.store import supply_requests
from kylink_cli.store.supply_requests import Arrival, NewItem, OpenRequest, Verdict
from kylink_cli.supply.base import Supply
from kylink_cli.supply.errors import ServiceDownError, SupplyError


class NotOursError(SupplyError):
    """The campaign was taken over by another run, or paused: this one orders nothing more for it."""


class CampaignRequests:
    """What is open for a campaign that this run has claimed."""

    def __init__(self, run: LiveRun, limits: FillLimits, calls: Calls, claimed: Claimed) -> None:
        self._run = run
        self._limits = limits
        self._calls = calls
        self._claim = claimed.claim
        self._level = claimed.need.level
        self._open = {request.id: request for request in (*claimed.inherited, *claimed.ordered)}
        # Asked once beside the others; whether they fail does not matter to the campaign.
        self._quiet = {request.id: request for request in claimed.quiet}
        # Requests that the service may have charged: nobody but the service knows.
        self._doubtful = {request.id for request in (*claimed.inherited, *claimed.quiet)}
        self._asked: set[int] = set()
        self._is_paused = False
        # Until the pause is looked for again.
        self._calls_left = 0
        self._looking = asyncio.Lock()
        # Items that came since the claim; some may have come to a run that was taken over, by the same requests.
        self.arrived = 0
        self.tally = Tally(in_doubt=list(claimed.given_up))

    @property
    def outstanding(self) -> int:
        """Items that may still come, of quiet requests not counted."""
        return sum(request.outstanding for request in self._open.values())

    @property
    def to_ask(self) -> list[OpenRequest]:
        """What is asked in the next round."""
        return [*self._open.values(), *(r for r in self._quiet.values() if r.id not in self._asked)]

    async def order(self, items: int) -> int:
        """Record requests for further items, none if all that is missing is open; the claim must still stand.

        Returns:
            How many of the items may not be ordered, since a limit of 24 hours is reached.

        Raises:
            NotOursError: another run orders for this campaign now, or it was paused.
        """
        wanted = NewOrders(self._claim, self._level, items, self._limits)
        recorded = await self._run.ledger.write(writes.record, wanted)
        if recorded is None:
            raise NotOursError(_not_ours())
        self._open |= {request.id: request for request in recorded}
        return items - sum(request.outstanding for request in recorded)

    async def ask_all(self, slot: Slot) -> None:
        """Ask for every open request once, some at a time; what comes is stored while further calls are in flight.

        Raises:
            SupplyError: the worst of what went wrong.
            NotOursError: the campaign was paused.
            StoppedError: the run is to end.
        """
        await slot.take()
        async with asyncio.TaskGroup() as stores:

            async def ask(request: OpenRequest) -> None:
                await self._ask(request, stores)

            errors = await self._calls.in_turn(self.to_ask, ask, slot)
        if errors:
            raise max(errors, key=_severity)
        if self._open:
            self._run.stop.check()
        if self._open and self._is_paused:
            raise NotOursError(_not_ours())

    async def settle_rest(self, failure: KylinkError | None) -> None:
        """Leave open what the service may have charged, for a later run; cancel what was certainly never charged."""
        reason = None if failure is None else str(failure)
        rest = [*self._open, *(self._quiet.keys() & self._asked)]

        def verdict(request_id: int) -> Verdict:
            state = RequestState.OPEN if request_id in self._doubtful else RequestState.CANCELLED
            return Verdict(request_id, self._claim, state, reason, was_asked=request_id in self._asked)

        await asyncio.gather(*[self._run.ledger.write(supply_requests.judge, verdict(one)) for one in rest])

    async def _ask(self, request: OpenRequest, stores: asyncio.TaskGroup) -> None:
        """Make one call and have stored what comes.

        Raises:
            SupplyError: not all of a good answer came.
        """
        if not await self._may_call():
            return
        if is_too_old(request.created_at, self._run.clock()):
            await self._end(request, tr("too old to be asked again safely"))
            return
        self._asked.add(request.id)
        try:
            supply = await self._calls.make(request, self.tally)
        except asyncio.CancelledError:
            # Cut off in flight: nobody but the service knows whether it was charged.
            self._doubtful.add(request.id)
            raise
        except SupplyError as error:
            await self._judge(request, error)
            if request.id in self._quiet and not error.stops_run:
                return
            raise
        stores.create_task(self._store(request, supply))
        if supply.fault is not None:
            raise supply.fault

    async def _may_call(self) -> bool:
        """Whether the campaign is not paused; looked at before each batch of as many calls as are made at once.

        What earlier runs ordered for a paused campaign is asked for all the same.
        """
        async with self._looking:
            if self._calls_left == 0 and self._level.active:
                self._is_paused = await self._calls.pauses.has(self._level.campaign_id)
                self._calls_left = self._limits.calls_in_flight
            self._calls_left -= 1
        return not self._is_paused

    async def _judge(self, request: OpenRequest, error: SupplyError) -> None:
        if error.charge_open:
            self._doubtful.add(request.id)
        if error.stops_run:
            self._run.stop.ask(StopReason(str(error), error=error))
        elif not error.retryable:
            await self._end(request, str(error))

    async def _end(self, request: OpenRequest, reason: str) -> None:
        """Never ask a request again: nothing comes of it, unless an earlier call was charged."""
        state = RequestState.IN_DOUBT if request.id in self._doubtful else RequestState.REFUSED
        self._forget(request)
        verdict = Verdict(request.id, self._claim, state, reason)
        if await self._run.ledger.write(supply_requests.judge, verdict) and state == RequestState.IN_DOUBT:
            self.tally.in_doubt.append(request.request.key)

    def _forget(self, request: OpenRequest) -> None:
        for requests in (self._open, self._quiet):
            requests.pop(request.id, None)

    async def _store(self, request: OpenRequest, supply: Supply) -> None:
        """Put what came into stock at once; a mixed answer leaves its request open."""
        latest = self._run.clock() + self._limits.item_ttl
        items = [NewItem(item.value, min(item.expires_at or latest, latest)) for item in supply.items]
        fault = None if supply.fault is None else str(supply.fault)
        answer = Arrival(request.id, self._level.campaign_id, items, fault)
        stored = await self._run.ledger.write(supply_requests.store_answers, answer)
        missed = stored.before - (request.request.quantity - request.outstanding)
        self.arrived += stored.produced + max(0, missed)
        self.tally.produced += stored.produced
        self.tally.duplicates += stored.duplicates
        if stored.produced:
            self._run.observe(ItemsStored(self._level.campaign_id, stored.produced))
        if fault is None:
            self._forget(request)
        else:
            self._doubtful.add(request.id)
            rest = max(1, request.request.quantity - stored.before - stored.produced)
            self._open[request.id] = replace(request, outstanding=rest)
        if supply.surplus:
            self._warn_of_surplus(supply.surplus)

    def _warn_of_surplus(self, items: int) -> None:
        campaign_id = self._level.campaign_id
        text = tr(
            "campaign {campaign_id}: {surplus} beyond the order dropped",
            campaign_id=campaign_id,
            surplus=counted.items(items),
        )
        self._run.observe(Warned(text))


def _not_ours() -> str:
    return tr("another run has taken over this campaign, or it was paused")


def _severity(error: SupplyError) -> tuple[bool, bool, bool, float]:
    """Which of several errors decides what happens next: what no retry mends, then the longest wait."""
    return (
        error.stops_run,
        not error.retryable,
        not isinstance(error, ServiceDownError),
        error.retry_after or 0.0,
    )
