"""Runs: one row for each execution of a job, from start to end."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from kylink_cli.language import tr
from kylink_cli.rules.vocabulary import SUCCESSES, RunStatus, Trigger
from kylink_cli.store.tables import Run, not_before, table

_runs = table(Run)
# A run that left some campaigns unserved has done its work: the alert speaks of the campaigns.


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended."""

    status: str
    duration_ms: int  # by a clock that never jumps
    figures: dict[str, Any]
    error: str | None = None  # None if nothing went wrong


def start(session: Session, run: Run) -> int:
    """Record a run that begins (new -> running).

    Returns:
        Its id.
    """
    session.add(run)
    session.flush()
    return run.id or 0


def beat(session: Session, run_id: int, now: datetime) -> None:
    """Record that a run is alive, for those on other hosts who can't look at its lock."""
    session.execute(update(_runs).where(_runs.c.id == run_id).values(heartbeat_at=now))


def finish(session: Session, run_id: int, end: RunEnd, now: datetime) -> None:
    """Record the end of a run (running, or crashed in others' eyes -> its end)."""
    session.execute(
        update(_runs)
        .where(_runs.c.id == run_id)
        .values(
            status=end.status,
            finished_at=not_before(_runs.c.started_at, now),
            duration_ms=end.duration_ms,
            figures=end.figures,
            error=end.error,
        )
    )


def remove(session: Session, run_id: int) -> None:
    """Delete the record of a run that did nothing (running -> none)."""
    session.execute(delete(_runs).where(_runs.c.id == run_id))


def running(session: Session) -> list[Run]:
    """The runs that have begun and not ended, oldest first."""
    return list(session.scalars(select(Run).where(_runs.c.status == RunStatus.RUNNING).order_by(_runs.c.id)))


def mark_crashed(session: Session, run_ids: Collection[int], now: datetime) -> set[int]:
    """Record that runs died without an end (running -> crashed).

    Returns:
        Those that were still recorded as running; another process may have been quicker.
    """
    statement = (
        update(_runs)
        .where(_runs.c.id.in_(run_ids), _runs.c.status == RunStatus.RUNNING)
        .values(
            status=RunStatus.CRASHED,
            finished_at=not_before(_runs.c.started_at, now),
            error=tr("the process died without recording an end"),
        )
        .returning(_runs.c.id)
    )
    return set(session.scalars(statement))


def get(session: Session, run_id: int) -> Run | None:
    """A run by its id, None if there is none."""
    return session.get(Run, run_id)


def history(session: Session, job: str | None, limit: int) -> list[Run]:
    """The last runs, newest first.

    Args:
        job: only this job's; None for every job's.
    """
    statement = select(Run).order_by(_runs.c.id.desc()).limit(limit)
    if job is not None:
        statement = statement.where(_runs.c.job == job)
    return list(session.scalars(statement))


def latest_timer_starts(session: Session) -> dict[str, datetime]:
    """When a timer last started each job; one that no timer has started is missing."""
    statement = select(_runs.c.job, func.max(_runs.c.started_at)).where(_runs.c.trigger == Trigger.TIMER)
    return {row[0]: row[1] for row in session.execute(statement.group_by(_runs.c.job))}


def latest_success(session: Session, job: str) -> Run | None:
    """The last run of a job that did its work; None if none has."""
    statement = (
        select(Run).where(_runs.c.job == job, _runs.c.status.in_(SUCCESSES)).order_by(_runs.c.id.desc()).limit(1)
    )
    return session.scalars(statement).first()
