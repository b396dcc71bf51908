"""The calls of a run to its supplier: how many at once, whether the service is up, and their end with the run's."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from kylink_cli.jobs.assignment import Assignment
from kylink_cli.jobs.outcome import Tally
from kylink_cli.jobs.pauses import Pauses
from kylink_cli.language import tr
from kylink_cli.running.events import SupplyPaused
from kylink_cli.running.run import LiveRun
from kylink_cli.store.supply_requests import OpenRequest
from kylink_cli.supply.base import Order, Supplier, Supply
from kylink_cli.supply.breaker import Breaker
from kylink_cli.supply.errors import CutOffError, SupplyError


class Slot:
    """A place among the campaigns that have calls in flight; it is taken and given back again and again."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        """Begin with a place that was taken already."""
        self._places = places
        self._is_held = True

    async def take(self) -> None:
        """Wait for a place, unless it is held."""
        if not self._is_held:
            await self._places.acquire()
            self._is_held = True

    def free(self) -> None:
        """Give it back, if it is held."""
        if self._is_held:
            self._places.release()
            self._is_held = False


class Calls:
    """What the campaigns of a run share to make their calls."""

    def __init__(self, run: LiveRun, supplier: Supplier, assignment: Assignment) -> None:
        limits = assignment.limits
        self._run = run
        self._supplier = supplier
        self._at_once = limits.calls_in_flight
        self._places = asyncio.Semaphore(limits.campaigns_in_flight)
        self.pauses = Pauses(run.database)
        self._breaker = Breaker(limits.retry.delay_seconds, self._announce_outage, probe_first=assignment.is_rung)

    async def slot(self) -> Slot:
        """Wait until a further campaign may make calls."""
        await self._places.acquire()
        return Slot(self._places)

    async def admit(self, campaign_id: str) -> None:
        """Go no further with a campaign while the service is down.

        Raises:
            ServiceDownError: it is.
        """
        await self._breaker.admit(campaign_id)

    async def make(self, request: OpenRequest, tally: Tally) -> Supply:
        """Make one call; the tally counts it once it is really made.

        Raises:
            SupplyError: nothing usable came.
        """
        new = request.request
        order = Order(new.key, new.campaign_id, new.quantity, new.body)

        async def call() -> Supply:
            tally.calls += 1
            return await self._supplier.supply(order)

        return await self._breaker.call(new.campaign_id, call)

    async def in_turn(
        self, requests: Sequence[OpenRequest], ask: Callable[[OpenRequest], Awaitable[None]], slot: Slot
    ) -> list[SupplyError]:
        """Ask for each request, some at a time; what went wrong. The end of the run may cut them off."""
        waiting = deque(requests)
        asking = min(self._at_once, len(waiting))
        errors: list[SupplyError] = []

        async def ask_one_by_one() -> None:
            nonlocal asking
            while waiting and self._run.goes_on():
                try:
                    await ask(waiting.popleft())
                except SupplyError as error:
                    errors.append(error)
                    if not error.retryable:
                        waiting.clear()
            asking -= 1
            if asking == 0:
                # The next campaign makes its calls while this one's tasks are still being gathered in.
                slot.free()

        try:
            async with self._run.stop.in_flight(), asyncio.TaskGroup() as calls:
                for _ in range(asking):
                    calls.create_task(ask_one_by_one())
        except TimeoutError:
            errors.append(CutOffError(tr("the run ended while the call was in flight")))
        return errors

    def _announce_outage(self, error: SupplyError) -> None:
        self._run.observe(SupplyPaused(str(error), round((error.retry_after or 0) * 1000)))
