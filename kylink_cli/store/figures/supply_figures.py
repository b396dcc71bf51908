"""Supply requests in numbers: one statement each, however many requests there were."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kylink_cli.rules.figures import RequestsOfHour
from kylink_cli.rules.histograms import CALL_BOUNDS
from kylink_cli.rules.vocabulary import RequestState
from kylink_cli.store.engine.hours import counted, histogram, hour_of, seconds_between, start_of
from kylink_cli.store.levels import of_user
from kylink_cli.store.tables import SupplyRequest, in_state, table

_requests = table(SupplyRequest)


def read_requests(session: Session, since: datetime, user_id: str | None) -> list[RequestsOfHour]:
    """The requests that were settled after a moment, by hour and state.

    Args:
        since: those settled later count.
        user_id: only those for this user's campaigns; None for everyone's.
    """
    c = _requests.c
    hour: Any = hour_of(c.finished_at)
    statement = (
        select(hour, c.state, *counted(seconds_between(c.created_at, c.finished_at), CALL_BOUNDS))
        .where(c.finished_at > since)
        .group_by(hour, c.state)
        .order_by(hour, c.state)
    )
    rows = session.execute(of_user(statement, c.campaign_id, user_id))
    return [RequestsOfHour(start_of(row[0]), row[1], histogram(row[2:], CALL_BOUNDS)) for row in rows]


def count_open_requests(session: Session, user_id: str | None) -> int:
    """How many requests wait for an answer.

    Args:
        user_id: only those for this user's campaigns; None for everyone's.
    """
    statement = select(func.count()).select_from(_requests).where(in_state(_requests, RequestState.OPEN))
    return int(session.scalars(of_user(statement, _requests.c.campaign_id, user_id)).one())
