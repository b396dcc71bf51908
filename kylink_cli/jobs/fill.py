"""Filling one campaign: order what is missing, ask, store what comes, and ask again for what did not."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from tenacity import AsyncRetrying

from kylink_cli.errors import KylinkError
from kylink_cli.jobs.orders import requests_for
from kylink_cli.jobs.outcome import Outcome, Tally
from kylink_cli.jobs.writes import Claimed, NewOrders, RunWrites
from kylink_cli.language import tr
from kylink_cli.rules.replenishment import result_status
from kylink_cli.rules.vocabulary import RequestState, ResultStatus
from kylink_cli.running.events import AttemptStarted, ItemsStored, Observer, RetryWaiting, Warned
from kylink_cli.running.ledger import Ledger
from kylink_cli.running.stop import Stop, StoppedError, StopReason
from kylink_cli.store.supply_requests import NewItem, OpenRequest, Settlement
from kylink_cli.supply.base import Order, Supplier, Supply
from kylink_cli.supply.breaker import Breaker
from kylink_cli.supply.errors import CutOffError, ServiceDownError, SupplyError
from kylink_cli.supply.retry import RetryPolicy, retrying


class ClaimLostError(SupplyError):
    """Another run has taken over the campaign: this one orders nothing more."""


class NothingSuppliedError(SupplyError):
    """The service answered without a single new item."""

    retryable = True


@dataclass(frozen=True, slots=True)
class FillLimits:
    """What bounds the filling of campaigns."""

    campaigns_in_flight: int
    calls_in_flight: int  # for one campaign
    max_per_call: int  # items
    item_ttl: timedelta  # unless the supplier says less
    retry: RetryPolicy


@dataclass(frozen=True, slots=True)
class FillTools:
    """What the campaigns of one run share."""

    supplier: Supplier
    breaker: Breaker
    ledger: Ledger
    writes: RunWrites
    slots: asyncio.Semaphore  # one for each campaign that has calls in flight
    stop: Stop
    limits: FillLimits
    time_left: Callable[[], float]  # seconds until the run's deadline
    observe: Observer


class Fill:
    """One campaign being filled. It begins with a slot, and holds one while it has calls to make."""

    def __init__(self, claimed: Claimed, tools: FillTools) -> None:
        self._claimed = claimed
        self._level = claimed.need.level
        self._tools = tools
        self._holds_slot = True
        self._open = {request.id: request for request in (*claimed.inherited, *claimed.ordered)}
        # Requests that the service may have charged: nobody but the service knows.
        self._doubtful = {request.id for request in claimed.inherited}
        self._ordered = max(claimed.need.order, self._outstanding)
        self._tally = Tally()

    async def run(self) -> Outcome:
        """Fill the campaign, with as many tries as the policy gives it, and give the slot back.

        Raises:
            DatabaseError: what came could not be stored; it will be asked for again by a later run.
        """
        if self._ordered == 0:
            self._free_slot()
            return Outcome(self._claimed.need, ResultStatus.SKIPPED)
        failure: KylinkError | None = None
        try:
            async for attempt in self._tries():
                with attempt:
                    try:
                        await self._try_once()
                    finally:
                        # Others go on while this one waits for its next try.
                        self._free_slot()
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
        return retrying(
            self._tools.limits.retry,
            sleep=self._tools.stop.sleep,
            time_left=self._tools.time_left,
            on_wait=self._announce_wait,
        )

    def _announce_wait(self, error: SupplyError, seconds: float) -> None:
        self._tools.observe(RetryWaiting(self._level.campaign_id, round(seconds * 1000), str(error)))

    async def _take_slot(self) -> None:
        if not self._holds_slot:
            await self._tools.slots.acquire()
            self._holds_slot = True

    def _free_slot(self) -> None:
        if self._holds_slot:
            self._tools.slots.release()
            self._holds_slot = False

    async def _try_once(self) -> None:
        """Ask for all that is missing, and go on at once as long as something comes.

        Raises:
            SupplyError: something is still missing.
            StoppedError: the run is to end.
        """
        self._tools.stop.check()
        self._tally.attempts += 1
        self._announce_attempt()
        await self._tools.breaker.admit()
        while True:
            await self._order_missing()
            if not self._open:
                return
            before = self._tally.produced
            await self._ask_all()
            if self._tally.produced == before:
                raise NothingSuppliedError(tr("the supply service supplied nothing new"))

    def _announce_attempt(self) -> None:
        self._tools.observe(
            AttemptStarted(
                self._level.campaign_id,
                self._level.name,
                self._tally.attempts,
                self._tools.limits.retry.tries,
                self._ordered,
            )
        )

    async def _order_missing(self) -> None:
        """Record requests for what no open request covers.

        Raises:
            ClaimLostError: another run orders for this campaign now.
        """
        missing = self._ordered - self._tally.produced - self._outstanding
        if missing <= 0:
            return
        self._tools.stop.check()
        requests = requests_for(self._level, missing, self._tools.limits.max_per_call)
        orders = NewOrders(self._level.campaign_id, self._claimed.epoch, requests)
        recorded = await self._tools.ledger.write(self._tools.writes.record, orders)
        if recorded is None:
            raise ClaimLostError(tr("another run has taken over this campaign"))
        self._open |= {request.id: request for request in recorded}

    async def _ask_all(self) -> None:
        """Ask for every open request once, some at a time; what comes is stored while further calls are in flight.

        Raises:
            SupplyError: the worst of what went wrong.
            StoppedError: the run is to end.
        """
        await self._take_slot()
        async with asyncio.TaskGroup() as stores:
            errors = await self._make_calls(stores)
        if errors:
            raise max(errors, key=_severity)
        if self._open:
            self._tools.stop.check()

    async def _make_calls(self, stores: asyncio.TaskGroup) -> list[SupplyError]:
        """Make a call for every open request, some at a time; what went wrong. The end of a run may cut them off."""
        waiting = deque(self._open.values())
        asking = min(self._tools.limits.calls_in_flight, len(waiting))
        errors: list[SupplyError] = []

        async def ask_in_turn() -> None:
            nonlocal asking
            while waiting and self._tools.stop.reason is None:
                try:
                    await self._ask(waiting.popleft(), stores)
                except SupplyError as error:
                    errors.append(error)
                    if not error.retryable:
                        waiting.clear()
            asking -= 1
            if asking == 0:
                # The next campaign makes its calls while this one's tasks are still being gathered in.
                self._free_slot()

        try:
            async with self._tools.stop.in_flight(), asyncio.TaskGroup() as calls:
                for _ in range(asking):
                    calls.create_task(ask_in_turn())
        except TimeoutError:
            errors.append(CutOffError(tr("the run ended while the call was in flight")))
        return errors

    async def _ask(self, request: OpenRequest, stores: asyncio.TaskGroup) -> None:
        """Make one call and have stored what comes.

        Raises:
            SupplyError: not all of a good answer came.
        """
        try:
            supply = await self._tools.breaker.call(self._level.campaign_id, partial(self._call, request))
        except SupplyError as error:
            await self._judge(request, error)
            raise
        stores.create_task(self._store(request, supply))
        if supply.fault is not None:
            raise supply.fault

    async def _call(self, request: OpenRequest) -> Supply:
        self._tally.calls += 1
        recorded = request.request
        order = Order(recorded.key, recorded.campaign_id, recorded.quantity, recorded.body)
        try:
            return await self._tools.supplier.supply(order)
        except asyncio.CancelledError:
            # Cut off in flight: nobody but the service knows whether it was charged.
            self._doubtful.add(request.id)
            raise

    async def _judge(self, request: OpenRequest, error: SupplyError) -> None:
        if error.charge_open:
            self._doubtful.add(request.id)
        if error.stops_run:
            self._tools.stop.ask(StopReason(str(error), error=error))
        elif not error.retryable:
            del self._open[request.id]
            await self._write(
                Settlement(request.id, request.request.campaign_id, RequestState.REFUSED, error=str(error))
            )

    async def _store(self, request: OpenRequest, supply: Supply) -> None:
        """Put what came into stock at once; a mixed answer leaves its request open."""
        latest = self._tools.writes.clock() + self._tools.limits.item_ttl
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
            self._tools.observe(
                Warned(
                    tr(
                        "campaign {campaign_id}: {surplus} items beyond the order were dropped",
                        campaign_id=self._level.campaign_id,
                        surplus=supply.surplus,
                    )
                )
            )

    async def _write(self, settlement: Settlement) -> int:
        """Settle a request; how many items were new."""
        stored = await self._tools.ledger.write(self._tools.writes.settle, settlement)
        self._tally.produced += stored.produced
        self._tally.duplicates += stored.duplicates
        if stored.produced:
            self._tools.observe(ItemsStored(self._level.campaign_id, stored.produced))
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
