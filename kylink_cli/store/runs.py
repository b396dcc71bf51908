"""Runs: one row for each execution of a job, from start to end; how far one has come, and which jobs are paused."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from kylink_cli.language import tr
from kylink_cli.rules.vocabulary import SUCCESSES, RequestState, RunStatus, Trigger
from kylink_cli.store.engine.database import upsert
from kylink_cli.store.figures import totals
from kylink_cli.store.tables import (
    CampaignClaim,
    CampaignResult,
    PausedJob,
    Run,
    SupplyRequest,
    in_state,
    not_before,
    table,
)

_runs = table(Run)
_paused = table(PausedJob)
_results = table(CampaignResult)
_requests = table(SupplyRequest)
_claims = table(CampaignClaim)


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
    known = select(_runs.c.job, _runs.c.status, _runs.c.finished_at)
    before = session.execute(known.where(_runs.c.id == run_id)).one_or_none()
    if before is not None and before.status == RunStatus.CRASHED:
        totals.keep_crash(session, before.job, before.finished_at)
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


def waiting_since(session: Session, jobs: Iterable[str]) -> dict[str, datetime]:
    """Since when each job waits for its timer: since that last started it.

    One that no timer has ever started waits since a timer first started any: since scheduling was switched on. Where
    none has, nothing is known of any.
    """
    by_timer = _runs.c.trigger == Trigger.TIMER
    statement = select(_runs.c.job, func.max(_runs.c.started_at)).where(by_timer).group_by(_runs.c.job)
    latest = {row[0]: row[1] for row in session.execute(statement)}
    switched_on = session.scalars(select(func.min(_runs.c.started_at)).where(by_timer)).one()
    return {} if switched_on is None else {job: latest.get(job, switched_on) for job in jobs}


def latest_success(session: Session, job: str) -> Run | None:
    """The last run of a job that did its work; None if none has."""
    statement = (
        select(Run).where(_runs.c.job == job, _runs.c.status.in_(SUCCESSES)).order_by(_runs.c.id.desc()).limit(1)
    )
    return session.scalars(statement).first()


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run has come."""

    run_id: int
    finished: int  # campaigns whose result is recorded
    claimed: int  # campaigns that it holds
    items: int  # put in stock
    open_requests: int  # that wait for an answer


def read_progress(session: Session, run_id: int, started_at: datetime) -> RunProgress:
    """How far a run has come.

    Args:
        started_at: when it began; requests that were settled before are not even read.
    """
    finished = select(func.count()).where(_results.c.run_id == run_id).scalar_subquery()
    claimed = select(func.count()).where(_claims.c.run_id == run_id).scalar_subquery()
    of_run, settled = _requests.c.run_id == run_id, _requests.c.finished_at >= started_at
    items = select(func.coalesce(func.sum(_requests.c.produced), 0)).where(of_run, settled).scalar_subquery()
    waiting = select(func.count()).where(of_run, in_state(_requests, RequestState.OPEN)).scalar_subquery()
    return RunProgress(run_id, *session.execute(select(finished, claimed, items, waiting)).one())


def pause_job(session: Session, job: str, now: datetime) -> bool:
    """Pause a job.

    Returns:
        False if it was paused already.
    """
    insert = upsert(session, _paused).values(job=job, paused_at=now).on_conflict_do_nothing()
    return session.scalar(insert.returning(_paused.c.job)) is not None


def resume_job(session: Session, job: str) -> bool:
    """Let a job run again.

    Returns:
        False if it was not paused.
    """
    return session.scalar(delete(_paused).where(_paused.c.job == job).returning(_paused.c.job)) is not None


def paused_jobs(session: Session) -> dict[str, datetime]:
    """The paused jobs, and since when."""
    return {row.job: row.paused_at for row in session.scalars(select(PausedJob))}


def read_filled(session: Session, run_id: int) -> dict[str, int]:
    """The campaigns that a run has claimed, each with the items that it has put in stock for it."""
    of_claim = (_requests.c.campaign_id == _claims.c.campaign_id) & (_requests.c.run_id == run_id)
    statement = (
        select(_claims.c.campaign_id, func.coalesce(func.sum(_requests.c.produced), 0))
        .outerjoin(_requests, of_claim)
        .where(_claims.c.run_id == run_id)
        .group_by(_claims.c.campaign_id)
    )
    return {row[0]: row[1] for row in session.execute(statement)}
