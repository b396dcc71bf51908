"""Filling one campaign: order what is missing, ask, store what comes, and ask again for what did not."""

import asyncio
from dataclasses import replace

from tenacity import AsyncRetrying

from kylink_cli.errors import KylinkError
from kylink_cli.jobs import writes
from kylink_cli.jobs.assignment import FillLimits
from kylink_cli.jobs.calls import Calls, Slot
from kylink_cli.jobs.claiming import Claimed
from kylink_cli.jobs.outcome import Outcome, Tally
from kylink_cli.jobs.writes import NewOrders, requests_for
from kylink_cli.language import tr
from kylink_cli.rules.replenishment import result_status
from kylink_cli.rules.vocabulary import RequestState, ResultStatus
from kylink_cli.running.events import AttemptStarted, ItemsStored, RetryWaiting, Warned
from kylink_cli.running.run import LiveRun
from kylink_cli.running.stop import StoppedError, StopReason
from kylink_cli.store import supply_requests
from kylink_cli.store.supply_requests import NewItem, OpenRequest, Settlement
from kylink_cli.supply.base import Supply
from kylink_cli.supply.errors import ServiceDownError, SupplyError
from kylink_cli.supply.retry import retrying


class ClaimLostError(SupplyError):
    """Another run has taken over the campaign: this one orders nothing more."""


class NothingSuppliedError(SupplyError):
    """The service answered without a single new item."""

    retryable = True


class Fill:
    """One campaign being filled. It begins with a slot, and holds one while it has calls to make."""

    def __init__(self, run: LiveRun, limits: FillLimits, calls: Calls, claimed: Claimed) -> None:
        self._run = run
        self._limits = limits
        self._calls = calls
        self._claimed = claimed
        self._level = claimed.need.level
        self._open = {request.id: request for request in (*claimed.inherited, *claimed.ordered)}
        # Requests that the service may have charged: nobody but the service knows.
        self._doubtful = {request.id for request in claimed.inherited}
        self._ordered = max(claimed.need.order, self._outstanding)
        self._tally = Tally()

    async def fill(self, slot: Slot) -> Outcome:
        """Fill the campaign, with as many tries as the policy gives it, and give the slot back.

        Raises:
            DatabaseError: what came could not be stored; it will be asked for again by a later run.
        """
        if self._ordered == 0:
            slot.free()
            return Outcome(self._claimed.need, ResultStatus.SKIPPED)
        failure: KylinkError | None = None
        try:
            async for attempt in self._tries():
                with attempt:
                    try:
                        await self._try_once(slot)
                    finally:
                        # Others go on while this one waits for its next try.
                        slot.free()
        except (SupplyError, StoppedError) as error:
            failure = error
        await self._settle_rest(failure)
        status = result_status(
            self._claimed.need,
            self._tally.produced,
            complete=failure is None,
            stopped=isinstance(failure, StoppedError),
        )
        return Outcome(self._claimed.need, status, self._ordered, self._tally, failure)

    @property
    def _outstanding(self) -> int:
        return sum(request.outstanding for request in self._open.values())

    def _tries(self) -> AsyncRetrying:
        stop = self._run.stop
        return retrying(self._limits.retry, sleep=stop.sleep, time_left=stop.seconds_left, on_wait=self._announce_wait)

    def _announce_wait(self, error: SupplyError, seconds: float) -> None:
        self._run.observe(RetryWaiting(self._level.campaign_id, round(seconds * 1000), str(error)))

    async def _try_once(self, slot: Slot) -> None:
        """Ask for all that is missing, and go on at once as long as something comes.

        Raises:
            SupplyError: something is still missing.
            StoppedError: the run is to end.
        """
        self._run.stop.check()
        self._tally.attempts += 1
        self._announce_attempt()
        await self._calls.admit()
        while True:
            await self._order_missing()
            if not self._open:
                return
            before = self._tally.produced
            await self._ask_all(slot)
            if self._tally.produced == before:
                raise NothingSuppliedError(tr("the supply service supplied nothing new"))

    def _announce_attempt(self) -> None:
        attempt, tries = self._tally.attempts, self._limits.retry.tries
        self._run.observe(AttemptStarted(self._level.campaign_id, self._level.name, attempt, tries, self._ordered))

    async def _order_missing(self) -> None:
        """Record requests for what no open request covers.

        Raises:
            ClaimLostError: another run orders for this campaign now.
        """
        missing = self._ordered - self._tally.produced - self._outstanding
        if missing <= 0:
            return
        self._run.stop.check()
        requests = requests_for(self._level, missing, self._limits.max_per_call, self._run.id)
        recorded = await self._run.ledger.write(writes.record, NewOrders(self._claimed.claim, requests))
        if recorded is None:
            raise ClaimLostError(tr("another run has taken over this campaign"))
        self._open |= {request.id: request for request in recorded}

    async def _ask_all(self, slot: Slot) -> None:
        """Ask for every open request once, some at a time; what comes is stored while further calls are in flight.

        Raises:
            SupplyError: the worst of what went wrong.
            StoppedError: the run is to end.
        """
        await slot.take()
        async with asyncio.TaskGroup() as stores:

            async def ask(request: OpenRequest) -> None:
                await self._ask(request, stores)

            errors = await self._calls.in_turn(list(self._open.values()), ask, slot)
        if errors:
            raise max(errors, key=_severity)
        if self._open:
            self._run.stop.check()

    async def _ask(self, request: OpenRequest, stores: asyncio.TaskGroup) -> None:
        """Make one call and have stored what comes.

        Raises:
            SupplyError: not all of a good answer came.
        """
        try:
            supply = await self._calls.make(request, self._tally)
        except asyncio.CancelledError:
            # Cut off in flight: nobody but the service knows whether it was charged.
            self._doubtful.add(request.id)
            raise
        except SupplyError as error:
            await self._judge(request, error)
            raise
        stores.create_task(self._store(request, supply))
        if supply.fault is not None:
            raise supply.fault

    async def _judge(self, request: OpenRequest, error: SupplyError) -> None:
        if error.charge_open:
            self._doubtful.add(request.id)
        if error.stops_run:
            self._run.stop.ask(StopReason(str(error), error=error))
        elif not error.retryable:
            del self._open[request.id]
            refusal = Settlement(request.id, self._level.campaign_id, RequestState.REFUSED, error=str(error))
            await self._write(refusal)

    async def _store(self, request: OpenRequest, supply: Supply) -> None:
        """Put what came into stock at once; a mixed answer leaves its request open."""
        latest = self._run.clock() + self._limits.item_ttl
        settlement = Settlement(
            request_id=request.id,
            campaign_id=self._level.campaign_id,
            state=RequestState.ANSWERED if supply.fault is None else RequestState.OPEN,
            items=[NewItem(item.value, min(item.expires_at or latest, latest)) for item in supply.items],
            error=None if supply.fault is None else str(supply.fault),
        )
        produced = await self._write(settlement)
        if supply.fault is None:
            del self._open[request.id]
        else:
            self._doubtful.add(request.id)
            self._open[request.id] = replace(request, outstanding=max(1, request.outstanding - produced))
        if supply.surplus:
            self._warn_of_surplus(supply.surplus)

    def _warn_of_surplus(self, items: int) -> None:
        campaign_id = self._level.campaign_id
        self._run.observe(
            Warned(
                tr(
                    "campaign {campaign_id}: {surplus} items beyond the order were dropped",
                    campaign_id=campaign_id,
                    surplus=items,
                )
            )
        )

    async def _write(self, settlement: Settlement) -> int:
        """Settle a request; how many items were new."""
        stored = await self._run.ledger.write(supply_requests.settle, settlement)
        self._tally.produced += stored.produced
        self._tally.duplicates += stored.duplicates
        if stored.produced:
            self._run.observe(ItemsStored(self._level.campaign_id, stored.produced))
        return stored.produced

    async def _settle_rest(self, failure: KylinkError | None) -> None:
        """Leave open what the service may have charged, for a later run; cancel what was certainly never charged."""
        reason = None if failure is None else str(failure)

        def rest(request_id: int) -> Settlement:
            state = RequestState.OPEN if request_id in self._doubtful else RequestState.CANCELLED
            return Settlement(request_id, self._level.campaign_id, state, error=reason)

        await asyncio.gather(*[self._write(rest(request_id)) for request_id in self._open])


def _severity(error: SupplyError) -> tuple[bool, bool, bool, float]:
    """Which of several errors decides what happens next: what no retry mends, then the longest wait."""
    return (
        error.stops_run,
        not error.retryable,
        not isinstance(error, ServiceDownError),
        error.retry_after or 0.0,
    )
