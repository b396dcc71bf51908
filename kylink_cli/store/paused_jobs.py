"""Which jobs are paused: their scheduled runs do nothing."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from kylink_cli.store.engine.database import upsert
from kylink_cli.store.tables import PausedJob, table

_paused = table(PausedJob)


def pause(session: Session, job: str, now: datetime) -> bool:
    """Pause a job.

    Returns:
        False if it was paused already.
    """
    insert = upsert(session, _paused).values(job=job, paused_at=now).on_conflict_do_nothing()
    return session.scalar(insert.returning(_paused.c.job)) is not None


def resume(session: Session, job: str) -> bool:
    """Let a job run again.

    Returns:
        False if it was not paused.
    """
    return session.scalar(delete(_paused).where(_paused.c.job == job).returning(_paused.c.job)) is not None


def paused(session: Session) -> dict[str, datetime]:
    """The paused jobs, and since when."""
    return {row.job: row.paused_at for row in session.scalars(select(PausedJob))}
