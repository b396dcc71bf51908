"""`kylink alert-check`: look at the whole system, and tell people what they should know of.

Within its run record (`runner.py`), a run goes like this:

1. Stock, leases, runs, supply requests and the disk are looked at, in one transaction that changes nothing.
2. Each check holds its figures against its thresholds (`rules/checks.py`, `rules/health_checks.py`).
3. What is kept long enough is deleted, batch by batch: resolved alerts, ended silences, notifications, finished runs.
4. With the run's end the runner enters what was found into the alert book, and sends the notifications
   (`alerting/posting.py`, `alerting/delivery.py`).
"""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from kylink_cli.rules.check_facts import Disk, JobStart, Thresholds
from kylink_cli.rules.checks import CheckResult, check_failure_rate, check_lease_age, check_low_stock, check_no_stock
from kylink_cli.rules.demand import KEPT_HOURS
from kylink_cli.rules.demand_checks import check_forecast, check_order_limit
from kylink_cli.rules.health_checks import check_crashes, check_disk, check_overdue, check_supply
from kylink_cli.rules.order_limits import NO_LIMITS, OrderLimits
from kylink_cli.rules.replenishment import Policy
from kylink_cli.rules.vocabulary import RunStatus
from kylink_cli.running.events import ChecksDone
from kylink_cli.running.run import LiveRun, Report, Work
from kylink_cli.running.stop import StoppedError
from kylink_cli.store import demand, retention, runs
from kylink_cli.store.engine.database import Database
from kylink_cli.store.figures import alert_facts, totals
from kylink_cli.store.retention import Deletion, purge

HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Watch:
    """What the alert check watches, and against what it holds it."""

    thresholds: Thresholds
    policy: Policy
    intervals: Mapping[str, int]  # minutes, by job
    scheduling: bool  # whether scheduled runs do anything
    alert_retention: timedelta
    run_retention: timedelta
    orders: OrderLimits = NO_LIMITS


@dataclass(frozen=True)
class AlertCheckReport(Report):
    """What an alert check has come to."""

    results: Sequence[CheckResult] = ()
    purged: int = 0


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
            check_order_limit(alert_facts.read_ordered(session, now - DAY, watch.orders), watch.orders),
            check_forecast(alert_facts.read_refused(session, now - WEEK, now), watch.policy.service_level),
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

    async def work(run: LiveRun) -> AlertCheckReport:
        now, purged, status = run.clock(), 0, RunStatus.SUCCEEDED
        results = await asyncio.to_thread(check_all, run.database, watch, now)
        raised = [result.alert for result in results if result.alert is not None]
        found = tuple(f"{result.level} {result.detail}" for result in results if result.alert is not None)
        run.observe(ChecksDone(len(results), found))
        batches = purge(run.database, deletions(watch, now))
        try:
            while (deleted := await asyncio.to_thread(next, batches, None)) is not None:
                purged += deleted
                run.stop.check()
        except StoppedError:
            status = RunStatus.INTERRUPTED
        return AlertCheckReport(
            status,
            figures={"checks": len(results), "raised": len(raised), "purged": purged},
            raised=raised,
            over=[result.fingerprint for result in results if result.alert is None],
            results=results,
            purged=purged,
        )

    return work


def deletions(watch: Watch, now: datetime) -> list[Deletion]:
    """What has been kept long enough; before anything goes, it is added to the sums that stay."""
    counted: list[Deletion] = [(totals.fold, now - totals.LAG)]
    alerts: list[Deletion] = [(delete, now - watch.alert_retention) for delete in retention.OF_ALERTS]
    runs_and_requests: list[Deletion] = [(delete, now - watch.run_retention) for delete in retention.OF_RUNS]
    return [*counted, *alerts, *runs_and_requests, (demand.delete_hours, now - timedelta(hours=KEPT_HOURS))]


def _starts(session: Session, watch: Watch) -> list[JobStart]:
    """Since when each job waits for its timer; of a paused one no start is expected."""
    paused = runs.paused_jobs(session)
    waiting = runs.waiting_since(session, watch.intervals)
    expected = {job: since for job, since in waiting.items() if watch.scheduling and job not in paused}
    return [JobStart(job, interval, expected.get(job)) for job, interval in watch.intervals.items()]


def _disk(database: Database) -> Disk | None:
    if database.path is None:
        return None
    usage = shutil.disk_usage(database.path.parent)
    return Disk(usage.used + usage.free, usage.free)
