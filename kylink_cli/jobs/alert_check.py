"""`kylink alert-check`: look at the whole system, and tell people what they should know of.

Within its run record (`runner.py`), a run goes like this:

1. Stock, leases, runs, supply requests and the disk are looked at, in one transaction that changes nothing.
2. Each check holds its figures against its thresholds (`rules/checks.py`, `rules/health_checks.py`).
3. What is kept long enough is deleted, batch by batch: resolved alerts, ended silences, notifications, finished runs.
4. With the run's end the runner enters what was found into the alert book, and sends the notifications (`alerting.py`,
   `delivery.py`).
"""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from kylink_cli.errors import KylinkError
from kylink_cli.rules.alerts import NewAlert
from kylink_cli.rules.check_facts import Disk, JobStart, Thresholds
from kylink_cli.rules.checks import CheckResult, check_failure_rate, check_lease_age, check_low_stock, check_no_stock
from kylink_cli.rules.health_checks import check_crashes, check_disk, check_overdue, check_supply
from kylink_cli.rules.replenishment import Policy
from kylink_cli.rules.vocabulary import RunStatus
from kylink_cli.running.events import ChecksDone
from kylink_cli.running.runner import RunContext, Work
from kylink_cli.running.stop import StoppedError
from kylink_cli.store import paused_jobs, retention, runs
from kylink_cli.store.engine.database import Database
from kylink_cli.store.figures import alert_facts
from kylink_cli.store.retention import Deletion, purge

HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Watch:
    """What the alert check watches, and against what it holds it."""

    thresholds: Thresholds
    policy: Policy
    intervals: Mapping[str, int]  # minutes, by job
    scheduling: bool  # whether scheduled runs do anything
    alert_retention: timedelta
    run_retention: timedelta


@dataclass(frozen=True, slots=True)
class AlertCheckReport:
    """What an alert check has come to."""

    results: Sequence[CheckResult]
    purged: int = 0
    interrupted: bool = False

    @property
    def status(self) -> str:
        """How the run ended."""
        return RunStatus.INTERRUPTED if self.interrupted else RunStatus.SUCCEEDED

    @property
    def figures(self) -> dict[str, Any]:
        """What it did, in numbers."""
        return {"checks": len(self.results), "raised": len(self.raised), "purged": self.purged}

    @property
    def error(self) -> KylinkError | None:
        """What the checks find is no error of the run."""
        return None

    @property
    def raised(self) -> list[NewAlert]:
        """The conditions that are there."""
        return [result.alert for result in self.results if result.alert is not None]

    @property
    def over(self) -> list[str]:
        """The conditions that are not there."""
        return [result.fingerprint for result in self.results if result.alert is None]


def check_all(database: Database, watch: Watch, now: datetime) -> list[CheckResult]:
    """What every check finds; nothing is changed."""
    limits = watch.thresholds
    disk = _disk(database)

    def look(session: Session) -> list[CheckResult]:
        return [
            check_low_stock(alert_facts.read_low_campaigns(session, watch.policy, now), limits),
            check_lease_age(
                alert_facts.read_held_leases(session, now - timedelta(minutes=limits.lease_warning_minutes), now), now
            ),
            check_failure_rate(alert_facts.read_failed_leases(session, now - HOUR), limits),
            check_no_stock(alert_facts.read_no_stock(session, now - DAY), limits),
            *[check_overdue(start, limits, now) for start in _starts(session, watch)],
            check_crashes(
                alert_facts.read_crashed_runs(session, now - timedelta(minutes=limits.crash_window_minutes)), limits
            ),
            check_supply(alert_facts.read_supply_rate(session, now - HOUR), limits),
            check_disk(disk, limits),
        ]

    return database.read(look)


def check_with(watch: Watch) -> Work[AlertCheckReport]:
    """The work of a run, as the runner takes it."""

    async def work(run: RunContext) -> AlertCheckReport:
        machinery, now = run.machinery, run.machinery.clock()
        results = await asyncio.to_thread(check_all, machinery.database, watch, now)
        found = tuple(f"{result.level} {result.detail}" for result in results if result.alert is not None)
        machinery.observe(ChecksDone(len(results), found))
        purged = 0
        batches = purge(machinery.database, deletions(watch, now))
        try:
            while (deleted := await asyncio.to_thread(next, batches, None)) is not None:
                purged += deleted
                run.stop.check()
        except StoppedError:
            return AlertCheckReport(results, purged, interrupted=True)
        return AlertCheckReport(results, purged)

    return work


def deletions(watch: Watch, now: datetime) -> list[Deletion]:
    """What has been kept long enough."""
    alerts: list[Deletion] = [(delete, now - watch.alert_retention) for delete in retention.OF_ALERTS]
    return alerts + [(delete, now - watch.run_retention) for delete in retention.OF_RUNS]


def _starts(session: Session, watch: Watch) -> list[JobStart]:
    """When each job was last started by its timer; of a paused one no start is expected."""
    paused = paused_jobs.paused(session)
    latest = runs.latest_timer_starts(session)
    expected = {job: start for job, start in latest.items() if watch.scheduling and job not in paused}
    return [JobStart(job, interval, expected.get(job)) for job, interval in watch.intervals.items()]


def _disk(database: Database) -> Disk | None:
    if database.path is None:
        return None
    usage = shutil.disk_usage(database.path.parent)
    return Disk(usage.used + usage.free, usage.free)
