"""`kylink recover-leases`: take back what is over, so that no item is lost with the consumer that held it.

Within its run record (`runner.py`), a run goes like this:

1. Leases past their deadline expire, batch by batch; their items are available again, or discarded if this has
   happened too often.
2. Available items past their end are marked as expired, batch by batch.
3. Closed leases, spent items and the record of empty stocks are deleted once they have been kept long enough.
4. Demand by the minute is folded into hours, and hours are forgotten after four weeks, as replenish runs do: they may
   be paused for long.

What is over is decided once, at the start: a run has an end, however fast consumers are. Between two batches it lets
consumers write; a signal ends it after the batch under way.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from kylink_cli.language import marked
from kylink_cli.rules.demand import KEPT_HOURS
from kylink_cli.rules.pace import MOST_ROWS, Pace
from kylink_cli.rules.vocabulary import RunStatus
from kylink_cli.running.events import BatchDone, LeasesRecovered
from kylink_cli.running.run import LiveRun, Report, Work
from kylink_cli.running.stop import StoppedError
from kylink_cli.store import demand, recovery, retention
from kylink_cli.store.batches import PAUSE_SECONDS, Sweep, commit_batch
from kylink_cli.store.engine import commit_marks
from kylink_cli.store.engine.database import Database
from kylink_cli.store.figures import totals
from kylink_cli.store.recovery import Recovered

# Longer than anybody asks what became of a commit.
MARKS_KEPT = timedelta(hours=1)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RecoveryLimits:
    """What bounds a recovery."""

    max_expirations: int  # expired leases after which an item is discarded
    retention: timedelta
    batch_size: int = MOST_ROWS  # rows that one transaction changes at most


@dataclass(frozen=True)
class RecoveryReport(Report):
    """What a recovery has come to."""

    recovered: Recovered = field(default_factory=Recovered)
    deleted: int = 0  # rows that had been kept long enough


def foresee(database: Database, limits: RecoveryLimits, now: datetime) -> Recovered:
    """What a recovery would come to; nothing is changed."""
    return database.read(lambda session: recovery.foresee(session, now, limits.max_expirations))


def recover_within(limits: RecoveryLimits) -> Work[RecoveryReport]:
    """The work of a run, as the runner takes it."""

    async def work(run: LiveRun) -> RecoveryReport:
        return await _Recovery(limits, run).run()

    return work


class _Recovery:
    """One run of the job."""

    def __init__(self, limits: RecoveryLimits, run: LiveRun) -> None:
        self._limits = limits
        self._run = run
        self._database = run.database
        self._now = run.clock()
        self._recovered = Recovered()
        self._deleted = 0

    async def run(self) -> RecoveryReport:
        """Recover, mark and delete until nothing is left to do, or the run is to end.

        Raises:
            DatabaseError: the database failed; every batch before is committed.
        """
        status = RunStatus.SUCCEEDED
        try:
            await self._expire_leases()
            await self._expire_items()
            await self._delete_old()
            await self._shorten_demand()
        except StoppedError:
            status = RunStatus.INTERRUPTED
        finally:
            self._run.observe(LeasesRecovered(**asdict(self._recovered)))
        return RecoveryReport(
            status,
            figures={**asdict(self._recovered), "deleted": self._deleted},
            recovered=self._recovered,
            deleted=self._deleted,
        )

    async def _expire_leases(self) -> None:
        total = self._database.read(lambda session: recovery.count_overdue(session, self._now))
        expire = partial(recovery.expire_leases, now=self._now, max_expirations=self._limits.max_expirations)
        async for batch in self._batches(expire, lambda found: found.expired_leases):
            self._recovered += batch
            done = self._recovered.expired_leases
            self._run.observe(BatchDone(marked("leases recovered"), done, max(done, total)))

    async def _expire_items(self) -> None:
        expire = partial(recovery.expire_items, now=self._now)
        async for batch in self._batches(expire, lambda found: found.expired_items):
            self._recovered += batch

    async def _delete_old(self) -> None:
        before = self._now - self._limits.retention
        fold = partial(totals.fold, before=self._now - totals.LAG, limit=self._limits.batch_size)
        async for _ in self._batches(fold, int):
            pass
        for delete in (retention.delete_leases, retention.delete_items, retention.delete_no_stock_events):
            batch = partial(delete, before=before)
            async for deleted in self._batches(batch, int):
                self._deleted += deleted
        marks = partial(commit_marks.delete_old, before=self._now - MARKS_KEPT)
        async for _ in self._batches(marks, int):
            pass

    async def _shorten_demand(self) -> None:
        """Fold minutes of demand into hours and forget old hours, also where no replenish run does it for long."""
        kept = timedelta(hours=KEPT_HOURS)
        for shorten, before in ((demand.fold, self._now), (demand.delete_hours, self._now - kept)):
            async for _ in self._batches(partial(shorten, before=before), int):
                pass

    async def _batches(self, batch: Sweep[T], count: Callable[[T], int]) -> AsyncIterator[T]:
        """Do batch after batch, each in a transaction of its own and none for long, until one is not full.

        Raises:
            StoppedError: the run is to end.
        """
        pace = Pace(self._limits.batch_size)
        while True:
            self._run.stop.check()
            limit = pace.rows
            done = await asyncio.to_thread(commit_batch, self._database, batch, pace)
            yield done
            if count(done) < limit:
                return
            await self._run.stop.sleep(PAUSE_SECONDS)
