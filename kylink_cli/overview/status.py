"""The status: how each job is doing, from its recorded runs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile

from sqlalchemy.orm import Session

from kylink_cli.locks.base import Locks
from kylink_cli.rules.figures import Percentiles
from kylink_cli.rules.success import Success
from kylink_cli.rules.vocabulary import JobState, RunStatus, Trigger
from kylink_cli.running.liveness import is_dead
from kylink_cli.scheduling.host import Schedule
from kylink_cli.scheduling.jobs import JOBS, Job
from kylink_cli.settings.fields import Settings
from kylink_cli.store import runs
from kylink_cli.store.engine.database import Database
from kylink_cli.store.figures.percentiles import read_run_percentiles
from kylink_cli.store.figures.success import read_success
from kylink_cli.store.tables import Run

DAY = timedelta(hours=24)
# More than the runs of a day at the shortest usual interval, on several hosts.
READ_RUNS = 2_000


@dataclass(frozen=True, slots=True)
class HostStatus:
    """How a job is doing on one host."""

    host: str
    last_run: Run  # under way or not
    silent: bool  # its timer should have started the job long ago


@dataclass(frozen=True, slots=True)
class JobStatus:
    """How a job is doing."""

    job: Job
    interval_minutes: int
    paused_since: datetime | None  # None if it is not paused
    enabled: bool  # its scheduled runs do something
    current: Run | None  # under way
    last_run: Run | None  # under way or not
    last_ended: Run | None  # not under way
    last_success_at: datetime | None
    due_at: datetime | None  # when the timer was to start it after its last run by a timer; None if that can't be told
    next_run_at: datetime | None  # None if no timer starts it, or that can't be told
    overdue: bool
    success_24h: Success | None  # what it did of what it should; None without any run
    runs_24h: int
    p50_ms: int | None  # of the runs that began in the last 24 hours
    p95_ms: int | None
    consecutive_failures: int  # failed or crashed runs since the last that was neither
    failing_since: datetime | None  # when the first of these began; None without any
    hosts: Sequence[HostStatus]  # those that ran it in the last 24 hours

    @property
    def state(self) -> JobState:
        """The one word for how it is: what goes on now first, then what is wrong, then what was asked for."""
        if self.current is not None:
            return JobState.RUNNING
        if self.overdue:
            return JobState.OVERDUE
        if self.paused_since is not None:
            return JobState.PAUSED
        return JobState.ON if self.enabled else JobState.OFF


def _read_records(session: Session, now: datetime) -> "list[_Record]":
    done, took = read_success(session, now - DAY), read_run_percentiles(session, now - DAY)
    waiting = runs.waiting_since(session, [job.name for job in JOBS])
    return [
        _Record(
            job,
            runs.history(session, job.name, READ_RUNS),
            runs.latest_success(session, job.name),
            done.get(job.name),
            took.get(job.name),
            waiting.get(job.name),
        )
        for job in JOBS
    ]


def read_status(
    database: Database, locks: Locks, settings: Settings, now: datetime, schedule: Schedule | None = None
) -> list[JobStatus]:
    """How every job is doing.

    Args:
        schedule: what starts the jobs on this host; None if that is unknown, so that the last run by a timer must do.
    """
    paused, records = database.read(lambda session: (runs.paused_jobs(session), _read_records(session, now)))
    for record in records:
        record.recent = [as_found(run, locks, now) for run in record.recent]
        record.rests = locks is not locks.of_host
    found = [_status(record, paused.get(record.job.name), settings, now) for record in records]
    return found if schedule is None else [_by_schedule(status, schedule, settings, now) for status in found]


@dataclass(slots=True)
class _Record:
    job: Job
    recent: list[Run]
    success: Run | None
    done: Success | None
    took: Percentiles | None
    waiting_since: datetime | None  # for its timer; a run by hand says nothing of that
    # With one run in all, a host that came too late records nothing.
    rests: bool = False


def as_found(run: Run, locks: Locks, now: datetime) -> Run:
    """A run as it is shown: one that died without an end has crashed, though no other has marked it yet."""
    if run.status == RunStatus.RUNNING and is_dead(run, locks, now):
        run.status = RunStatus.CRASHED
    return run


def _status(record: _Record, paused_since: datetime | None, settings: Settings, now: datetime) -> JobStatus:
    recent = record.recent
    interval = record.job.interval_minutes(settings)
    enabled = settings.enable_auto_cron and paused_since is None
    due_at = record.waiting_since + timedelta(minutes=interval) if enabled and record.waiting_since else None
    silence = settings.alert_overdue_intervals * timedelta(minutes=interval) if enabled and not record.rests else None
    today = [run for run in recent if run.started_at > now - DAY]
    failures = _consecutive_failures(recent)
    return JobStatus(
        job=record.job,
        interval_minutes=interval,
        paused_since=paused_since,
        enabled=enabled,
        current=next((run for run in recent if run.status == RunStatus.RUNNING), None),
        last_run=recent[0] if recent else None,
        last_ended=next((run for run in recent if run.status != RunStatus.RUNNING), None),
        last_success_at=None if record.success is None else record.success.finished_at,
        due_at=due_at,
        next_run_at=due_at,
        overdue=_is_overdue(due_at, interval, settings.alert_overdue_intervals, now),
        success_24h=record.done,
        runs_24h=len(today),
        p50_ms=None if record.took is None else round(record.took.half),
        p95_ms=None if record.took is None else round(record.took.most),
        consecutive_failures=len(failures),
        failing_since=failures[-1].started_at if failures else None,
        hosts=by_host(today, silence, now),
    )


def _by_schedule(status: JobStatus, schedule: Schedule, settings: Settings, now: datetime) -> JobStatus:
    """The same, by what starts the jobs on this host: a job whose timer is not at work is off.

    Where no timer has ever started any job, each waits since its own was switched on.
    """
    if not status.enabled or status.job.name not in schedule.next_at:
        return replace(status, enabled=False, next_run_at=None)
    found = replace(status, next_run_at=schedule.next_at[status.job.name])
    since = schedule.since.get(status.job.name)
    if found.due_at is not None or since is None:
        return found
    due_at = since + timedelta(minutes=found.interval_minutes)
    overdue = _is_overdue(due_at, found.interval_minutes, settings.alert_overdue_intervals, now)
    return replace(found, due_at=due_at, overdue=overdue)


def _is_overdue(due_at: datetime | None, interval_minutes: int, intervals: float, now: datetime) -> bool:
    if due_at is None:
        return False
    last = due_at - timedelta(minutes=interval_minutes)
    return now - last > intervals * timedelta(minutes=interval_minutes)


def _consecutive_failures(recent: Sequence[Run]) -> list[Run]:
    """The runs that failed or crashed since the last that did neither, newest first."""
    ended = [run for run in recent if run.status != RunStatus.RUNNING]
    return list(takewhile(lambda run: run.status in {RunStatus.FAILED, RunStatus.CRASHED}, ended))


def by_host(recent: Sequence[Run], silence: timedelta | None, now: datetime) -> list[HostStatus]:
    """How a job is doing on each host that has run it, by the host's name.

    Args:
        recent: runs of the job, newest first.
        silence: a host is silent when its timer started nothing for so long; None if hosts may rest, since one run
            goes on in all.
    """
    last: dict[str, Run] = {}
    last_by_timer: dict[str, Run] = {}
    for run in recent:
        last.setdefault(run.host, run)
        if run.trigger == Trigger.TIMER:
            last_by_timer.setdefault(run.host, run)
    silent = {
        host
        for host, run in last_by_timer.items()
        if silence is not None and run.status != RunStatus.RUNNING and now - run.started_at > silence
    }
    return [HostStatus(host, last[host], host in silent) for host in sorted(last)]
