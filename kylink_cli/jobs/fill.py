"""Filling one campaign: order what is missing, ask, and ask again for what did not come."""

from tenacity import AsyncRetrying

from kylink_cli.errors import KylinkError
from kylink_cli.jobs.assignment import FillLimits
from kylink_cli.jobs.calls import Calls, Slot
from kylink_cli.jobs.claiming import Claimed
from kylink_cli.jobs.outcome import Outcome
from kylink_cli.jobs.requests import CampaignRequests, NotOursError
from kylink_cli.language import tr
from kylink_cli.rules import counted
from kylink_cli.rules.backoff import is_barren
from kylink_cli.rules.reasons import order_limit_reached
from kylink_cli.rules.replenishment import result_status
from kylink_cli.rules.vocabulary import ResultStatus
from kylink_cli.running.events import AttemptStarted, RetryWaiting
from kylink_cli.running.run import LiveRun
from kylink_cli.running.stop import StoppedError
from kylink_cli.supply.errors import SupplyError
from kylink_cli.supply.retry import retrying


class NothingSuppliedError(SupplyError):
    """The service answered without a single new item."""

    retryable = True


class DuplicatesError(SupplyError):
    """The service goes on supplying what is there already."""


class UnansweredError(SupplyError):
    """So many earlier orders have had no answer that no further ones are made."""


class OrderLimitError(KylinkError):
    """Nothing is ordered for a campaign until orders of the last 24 hours have become older."""


class Fill:
    """One campaign being filled. It begins with a slot, and holds one while it has calls to make."""

    def __init__(self, run: LiveRun, limits: FillLimits, calls: Calls, claimed: Claimed) -> None:
        self._run = run
        self._limits = limits
        self._calls = calls
        self._claimed = claimed
        self._need = claimed.need
        self._level = claimed.need.level
        self._requests = CampaignRequests(run, limits, calls, claimed)
        self._ordered = self._requests.outstanding
        self._tally = self._requests.tally
        self._rounds = self._barren_rounds = 0

    async def fill(self, slot: Slot) -> Outcome:
        """Fill the campaign, with as many tries as the policy gives it, and give the slot back.

        Raises:
            DatabaseError: what came could not be stored; it will be asked for again by a later run.
        """
        if not self._requests.to_ask:
            slot.free()
            return self._unasked()
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
        await self._requests.settle_rest(failure)
        return self._outcome(failure or self._held_back())

    def _unasked(self) -> Outcome:
        if self._need.limited is not None:
            return Outcome(
                self._need, ResultStatus.SKIPPED, failure=OrderLimitError(order_limit_reached(self._need.limited))
            )
        return self._outcome(self._held_back())

    def _outcome(self, failure: KylinkError | None) -> Outcome:
        is_barren = isinstance(failure, DuplicatesError)
        return Outcome(self._need, self._status(failure), self._ordered, self._tally, failure, is_barren=is_barren)

    def _status(self, failure: KylinkError | None) -> ResultStatus:
        if failure is None and self._ordered == 0:
            return ResultStatus.SKIPPED
        if isinstance(failure, NotOursError):
            return ResultStatus.PARTIAL if self._tally.produced else ResultStatus.SKIPPED
        return result_status(
            self._need,
            self._requests.arrived,
            complete=failure is None,
            stopped=isinstance(failure, StoppedError),
        )

    def _held_back(self) -> KylinkError | None:
        """Why less was ordered than the campaign lacks, if it was."""
        if self._claimed.held_back == 0:
            return None
        return UnansweredError(
            tr(
                "{items} not ordered, since earlier orders for as many have no answer yet: 'kylink supply "
                "requests --campaign {campaign_id}' shows them",
                items=counted.items(self._claimed.held_back),
                campaign_id=self._level.campaign_id,
            )
        )

    def _tries(self) -> AsyncRetrying:
        stop = self._run.stop
        return retrying(self._limits.retry, sleep=stop.sleep, time_left=stop.seconds_left, on_wait=self._announce_wait)

    def _announce_wait(self, error: SupplyError, seconds: float) -> None:
        self._run.observe(RetryWaiting(self._level.campaign_id, round(seconds * 1000), str(error)))

    def _announce_attempt(self) -> None:
        attempt, tries = self._tally.attempts, self._limits.retry.tries
        self._run.observe(AttemptStarted(self._level.campaign_id, self._level.name, attempt, tries, self._ordered))

    async def _try_once(self, slot: Slot) -> None:
        """Ask for all that is missing, and go on at once as long as something comes.

        Raises:
            SupplyError: something is still missing.
            StoppedError: the run is to end.
        """
        self._run.check()
        self._tally.attempts += 1
        self._announce_attempt()
        await self._calls.admit(self._level.campaign_id)
        while await self._has_something_to_ask():
            before = self._requests.arrived, self._tally.duplicates
            await self._requests.ask_all(slot)
            self._rounds += 1
            self._judge_round(*before)

    async def _has_something_to_ask(self) -> bool:
        """Whether requests are open, once there are some for all that is missing; asked before every batch of calls."""
        missing = max(0, self._ordered - self._requests.arrived - self._requests.outstanding)
        if missing or (self._rounds and self._requests.to_ask):
            self._run.check()
            # What a limit of 24 hours keeps back by now is no longer asked of this run.
            self._ordered -= await self._requests.order(missing)
        return bool(self._requests.to_ask)

    def _judge_round(self, arrived: int, duplicates: int) -> None:
        """Go on as long as something new comes.

        Args:
            arrived: new items before the round.
            duplicates: duplicates before the round.

        Raises:
            DuplicatesError: what comes is there already again and again.
            NothingSuppliedError: nothing new came.
        """
        tally = self._tally
        is_new = self._requests.arrived > arrived
        self._barren_rounds += not is_new and tally.duplicates > duplicates
        if self._requests.arrived >= self._ordered:
            return
        if is_barren(self._barren_rounds, tally.duplicates, self._ordered):
            raise DuplicatesError(
                tr(
                    "{items} supplied once more: nothing else is ordered for now",
                    items=counted.items(tally.duplicates),
                )
            )
        if not is_new:
            raise NothingSuppliedError(tr("the supply service supplied nothing new"))
