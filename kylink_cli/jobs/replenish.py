"""`kylink replenish`: fill the campaigns that are low.

Within its run record (`runner.py`), a run goes like this:

1. Supply requests that are too old to be asked again safely are given up as in doubt.
2. One query yields every campaign that is low, or has requests left open by runs that ended.
3. They are put in order: emptiest first.
4. In that order they are claimed in batches, each while the batch before is filled; what another run holds is skipped.
   What a batch lacks is recorded as requests in the transaction that claims it.
5. A few at once, they are filled (`fill.py`): requests are sent, those that earlier runs left open under their old
   key, and what comes is stored at once.
6. The deadline, a signal or a refused key stops the work; what was not served is reported.
7. Failures become one alert.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kylink_cli.errors import LockedError
from kylink_cli.jobs.fill import Fill, FillLimits, FillTools
from kylink_cli.jobs.outcome import Outcome
from kylink_cli.jobs.replenish_report import ReplenishReport
from kylink_cli.jobs.writes import Claimed, RunWrites
from kylink_cli.language import tr
from kylink_cli.rules.moments import readable
from kylink_cli.rules.replenishment import Demand, Need, Policy, need, urgency
from kylink_cli.rules.vocabulary import ResultStatus
from kylink_cli.running.events import CampaignFinished, SupplyPaused, WorkFound
from kylink_cli.running.runner import RunContext, Work
from kylink_cli.running.stop import StoppedError
from kylink_cli.store import claims, supply_requests
from kylink_cli.store.campaign_results import NewResult
from kylink_cli.store.engine.database import Database
from kylink_cli.store.levels import Scope, read_levels
from kylink_cli.store.tables import Run
from kylink_cli.supply.base import Supplier
from kylink_cli.supply.breaker import Breaker
from kylink_cli.supply.errors import SupplyError

# The service keeps an answer under its key for 24 hours; after 23 nobody asks again by himself.
ASKED_AGAIN_WITHIN = timedelta(hours=23)
CLAIM_POLL_SECONDS = 0.2
SMALLEST_CLAIM_BATCH = 10


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a replenish run is to do."""

    scope: Scope
    policy: Policy
    demand: Demand  # what the operator asks for beyond the policy
    limits: FillLimits
    deadline_seconds: float  # from the run's start
    wait_seconds: float = 0  # for campaigns that another run fills


def scan(database: Database, assignment: Assignment, now: datetime) -> list[Need]:
    """What every campaign in scope needs that is low, forced or has open requests, in the order of work."""
    low_by = None if assignment.demand.force else assignment.policy
    found = database.read(lambda session: read_levels(session, now, assignment.scope, low_by=low_by))
    needs = [need(level, assignment.policy, now, assignment.demand) for level in found]
    return sorted((n for n in needs if n.order > 0 or n.level.has_open_requests), key=urgency)


async def replenish(assignment: Assignment, supplier: Supplier, run: RunContext) -> ReplenishReport:
    """Fill the campaigns in scope that are low; the run is recorded by the runner.

    Raises:
        DatabaseError: the database failed; what was asked and not stored is asked for again by a later run.
    """
    in_doubt = _give_up_old_requests(run)
    needs = scan(run.machinery.database, assignment, run.machinery.clock())
    run.machinery.observe(WorkFound(len(needs), sum(n.order for n in needs)))
    with run.stop.at_deadline(assignment.deadline_seconds):
        outcomes = await _Work(assignment, supplier, run).serve(needs)
    return ReplenishReport(
        outcomes=outcomes,
        in_doubt=in_doubt,
        is_whole=assignment.scope == Scope(),
        stopped_by=run.stop.reason,
        now=run.machinery.clock(),
    )


def replenish_with(assignment: Assignment, supplier: Supplier) -> Work[ReplenishReport]:
    """The work of a run, as the runner takes it; the supplier is closed at its end."""

    async def work(run: RunContext) -> ReplenishReport:
        try:
            return await replenish(assignment, supplier, run)
        finally:
            await supplier.close()

    return work


def _give_up_old_requests(run: RunContext) -> list[tuple[str, str]]:
    now = run.machinery.clock()
    return run.machinery.database.commit(
        lambda session: supply_requests.give_up(session, now - ASKED_AGAIN_WITHIN, now)
    )


class _Work:
    """The campaigns of one run, being served."""

    def __init__(self, assignment: Assignment, supplier: Supplier, run: RunContext) -> None:
        self._assignment = assignment
        self._run = run
        self._began = time.monotonic()
        self._outcomes: dict[str, Outcome] = {}
        limits = assignment.limits
        self._tools = FillTools(
            supplier=supplier,
            breaker=Breaker(limits.retry.delay_seconds, self._announce_outage),
            ledger=run.ledger,
            writes=RunWrites(
                run.run_id, assignment.policy, assignment.demand, limits.max_per_call, run.machinery.clock
            ),
            slots=asyncio.Semaphore(limits.campaigns_in_flight),
            stop=run.stop,
            limits=limits,
            time_left=self._time_left,
            observe=run.machinery.observe,
        )

    async def serve(self, needs: Sequence[Need]) -> list[Outcome]:
        """Claim and fill campaigns in order until all are served or the run is to end.

        Returns:
            How each of them fared, in the order of work.
        """
        async with asyncio.TaskGroup() as tasks:
            async for claimed in self._claimed(needs, tasks):
                await self._tools.slots.acquire()
                tasks.create_task(self._fill(claimed))
        await self._report_unserved([n for n in needs if n.level.campaign_id not in self._outcomes])
        return [self._outcomes[n.level.campaign_id] for n in needs]

    async def _claimed(self, needs: Sequence[Need], tasks: asyncio.TaskGroup) -> AsyncIterator[Claimed]:
        """Claim campaigns in batches, each while those of the batch before are taken up."""
        size = max(SMALLEST_CLAIM_BATCH, 2 * self._assignment.limits.campaigns_in_flight)
        ahead = tasks.create_task(self._claim(needs[:size]))
        for batch in (*_batches(needs[size:], size), ()):
            claimed = await ahead
            ahead = tasks.create_task(self._claim(batch))
            for one in claimed:
                yield one

    async def _claim(self, batch: Sequence[Need]) -> list[Claimed]:
        """Claim a batch, unless the run is to end; wait for what other runs hold as long as the operator allows."""
        if not batch or self._run.stop.reason is not None:
            return []
        missing = {n.level.campaign_id: n for n in batch}
        claimed: list[Claimed] = []
        while True:
            found = await self._tools.ledger.write(self._tools.writes.claim, [n.level for n in missing.values()])
            claimed += found.won
            for c in found.won:
                del missing[c.need.level.campaign_id]
            for n in found.full:
                self._outcomes[n.level.campaign_id] = Outcome(n, ResultStatus.SKIPPED)
                del missing[n.level.campaign_id]
            if not missing or not self._may_wait():
                break
            await asyncio.sleep(CLAIM_POLL_SECONDS)
        await self._skip(list(missing.values()))
        return claimed

    async def _skip(self, held: Sequence[Need]) -> None:
        """Leave campaigns to the runs that hold them."""
        if not held:
            return
        holders = await asyncio.to_thread(self._holders, [n.level.campaign_id for n in held])
        for n in held:
            key = n.level.campaign_id
            self._outcomes[key] = Outcome(
                n, ResultStatus.SKIPPED, failure=LockedError(_held_text(key, holders.get(key)))
            )

    def _holders(self, campaign_ids: Sequence[str]) -> dict[str, Run]:
        return self._run.machinery.database.read(lambda session: claims.holders(session, campaign_ids))

    async def _report_unserved(self, needs: Sequence[Need]) -> None:
        """Record the campaigns that the end of the run left unserved; a refused key fails them all."""
        reason = self._run.stop.reason
        if reason is None:
            return
        failure = reason.error or StoppedError(reason.text)
        status = ResultStatus.NOT_SERVED if reason.error is None else ResultStatus.FAILED
        await asyncio.gather(*[self._finish(Outcome(n, status, failure=failure)) for n in needs])

    async def _fill(self, claimed: Claimed) -> None:
        """Fill a campaign in the slot that was taken for it."""
        await self._finish(await Fill(claimed, self._tools).run())

    async def _finish(self, outcome: Outcome) -> None:
        """Record how a campaign fared."""
        self._outcomes[outcome.campaign_id] = outcome
        await self._tools.ledger.write(self._tools.writes.finish, _new_result(outcome))
        self._run.machinery.observe(_finished(outcome))

    def _announce_outage(self, error: SupplyError) -> None:
        self._run.machinery.observe(SupplyPaused(str(error), round((error.retry_after or 0) * 1000)))

    def _may_wait(self) -> bool:
        is_in_time = time.monotonic() - self._began < self._assignment.wait_seconds
        return is_in_time and self._run.stop.reason is None

    def _time_left(self) -> float:
        return self._assignment.deadline_seconds - (time.monotonic() - self._began)


def _batches(needs: Sequence[Need], size: int) -> Iterator[Sequence[Need]]:
    for start in range(0, len(needs), size):
        yield needs[start : start + size]


def _held_text(campaign_id: str, holder: Run | None) -> str:
    if holder is None:
        return tr("campaign {campaign_id} was held by another run", campaign_id=campaign_id)
    since = readable(holder.started_at)
    return tr(
        "campaign {campaign_id} is being filled by run {id}: pid {pid} on {host} since {since}; try later, or use "
        "--wait",
        campaign_id=campaign_id,
        id=holder.id,
        pid=holder.pid,
        host=holder.host,
        since=since,
    )


def _new_result(outcome: Outcome) -> NewResult:
    return NewResult(
        campaign_id=outcome.campaign_id,
        status=outcome.status,
        available_before=outcome.need.level.available,
        watermark=outcome.need.watermark.items,
        target=outcome.need.target,
        ordered=outcome.ordered,
        produced=outcome.tally.produced,
        attempts=outcome.tally.attempts,
        error=outcome.error,
    )


def _finished(outcome: Outcome) -> CampaignFinished:
    return CampaignFinished(
        outcome.campaign_id,
        outcome.need.level.name,
        outcome.status,
        outcome.tally.produced,
        outcome.ordered,
        outcome.error,
    )
