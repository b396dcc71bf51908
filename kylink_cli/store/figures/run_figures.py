"""Runs in numbers: one statement each, however many runs there were."""

from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from kylink_cli.rules.figures import JobFigures, RunFacts, RunsOfHour
from kylink_cli.rules.histograms import RUN_BOUNDS
from kylink_cli.rules.vocabulary import SUCCESSES, RunStatus
from kylink_cli.store.engine.hours import counted, histogram, hour_of, start_of
from kylink_cli.store.tables import Run, table

_runs = table(Run)


def read_runs(session: Session, since: datetime) -> list[RunsOfHour]:
    """The runs that began after a moment, by hour, job and status."""
    c = _runs.c
    hour: Any = hour_of(c.started_at)
    statement = (
        select(hour, c.job, c.status, func.count(), *counted(c.duration_ms / 1000.0, RUN_BOUNDS))
        .where(c.started_at > since)
        .group_by(hour, c.job, c.status)
        .order_by(hour, c.job, c.status)
    )
    rows = session.execute(statement)
    return [RunsOfHour(start_of(row[0]), row[1], row[2], row[3], histogram(row[4:], RUN_BOUNDS)) for row in rows]


def read_jobs(session: Session) -> list[JobFigures]:
    """When each job last ran; one that never did is missing."""
    c = _runs.c
    last_success = func.max(case((c.status.in_(SUCCESSES), c.finished_at)))
    running = func.sum(case((c.status == RunStatus.RUNNING, 1), else_=0))
    statement = select(c.job, running, func.max(c.started_at), last_success).group_by(c.job).order_by(c.job)
    return [JobFigures(row[0], int(row[1]), *row[2:]) for row in session.execute(statement)]


def read_last_runs(session: Session, since: datetime, limit: int) -> list[RunFacts]:
    """The last runs that began after a moment, newest first."""
    c = _runs.c
    columns = (c.id, c.job, c.status, c.trigger, c.host, c.started_at, c.duration_ms)
    statement = select(*columns).where(c.started_at > since).order_by(c.id.desc()).limit(limit)
    return [RunFacts(*row) for row in session.execute(statement)]
