"""How long things took, exactly: the nearest rank among all, found where the lengths are."""

from datetime import datetime
from typing import Any

from sqlalchemy import Subquery, func, or_, select
from sqlalchemy.orm import Session

from kylink_cli.rules.figures import Percentiles
from kylink_cli.rules.vocabulary import RequestState
from kylink_cli.store.engine.hours import hour_of, seconds_between, start_of
from kylink_cli.store.levels import of_user
from kylink_cli.store.tables import Run, SupplyRequest, table

_runs = table(Run)
_requests = table(SupplyRequest)


def read_run_percentiles(session: Session, since: datetime) -> dict[str, Percentiles]:
    """How long the runs took that began after a moment, milliseconds, by job."""
    c = _runs.c
    lengths = select(c.job.label("what"), c.duration_ms.label("length")).where(
        c.started_at > since, c.duration_ms.is_not(None)
    )
    return _read(session, lengths.subquery("lengths"))


def read_answer_percentiles(
    session: Session, since: datetime, user_id: str | None, step_hours: int | None = None
) -> dict[datetime, Percentiles]:
    """How long answered supply requests took, milliseconds, repeated tries included.

    Args:
        since: those answered after this moment count.
        user_id: only those for this user's campaigns; None for everyone's.
        step_hours: by steps of so many hours, counted from 1970 and named by their beginnings; None for all at once,
            under the moment.
    """
    c = _requests.c
    step: Any = hour_of(c.finished_at) // step_hours if step_hours else func.coalesce(0, 0)
    lengths = select(step.label("what"), (seconds_between(c.created_at, c.finished_at) * 1000).label("length")).where(
        c.state == RequestState.ANSWERED, c.finished_at > since
    )
    found = _read(session, of_user(lengths, c.campaign_id, user_id).subquery("lengths"))
    return {start_of(key * step_hours) if step_hours else since: value for key, value in found.items()}


def _read(session: Session, lengths: Subquery) -> dict[Any, Percentiles]:
    c = lengths.c
    place = func.row_number().over(partition_by=c.what, order_by=c.length).label("place")
    number = func.count().over(partition_by=c.what).label("number")
    placed = select(c.what, c.length, place, number).subquery("placed")
    half, most = (_rank(placed.c.number, share) for share in (50, 95))
    statement = select(placed).where(or_(placed.c.place == half, placed.c.place == most)).order_by(placed.c.place)
    found: dict[Any, list[float]] = {}
    for row in session.execute(statement):
        found.setdefault(row.what, []).append(float(row.length))
    return {what: Percentiles(at[0], at[-1]) for what, at in found.items()}


def _rank(number: Any, share: int) -> Any:
    """The place of a percentile among so many, by the nearest rank."""
    return (number * share + 99) // 100
