"""Leases in numbers: two statements, however many leases there were."""

from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from kylink_cli.rules.figures import LeaseFigures, Period
from kylink_cli.rules.vocabulary import LeaseState
from kylink_cli.store.levels import of_user
from kylink_cli.store.tables import LeaseRecord, NoStockEvent, in_state, table

_leases = table(LeaseRecord)
_events = table(NoStockEvent)


def read_lease_figures(session: Session, period: Period, user_id: str | None) -> LeaseFigures:
    """The leases that are active now, and those that ended within a period.

    Args:
        period: its end is now.
        user_id: only those of this user's campaigns; None for everyone's.
    """
    c = _leases.c
    overdue = func.coalesce(func.sum(case((c.expires_at <= period.until, 1), else_=0)), 0)
    held = select(func.count(), overdue).select_from(_leases).where(in_state(_leases, LeaseState.ACTIVE))
    ended = select(c.state, func.count()).where(c.closed_at > period.since).group_by(c.state)
    active, late = session.execute(of_user(held, c.campaign_id, user_id)).one()
    closed = {row[0]: row[1] for row in session.execute(of_user(ended, c.campaign_id, user_id))}
    return LeaseFigures(
        active, int(late), {state: closed.get(state, 0) for state in LeaseState if state != LeaseState.ACTIVE}
    )


def count_no_stock(session: Session, since: datetime, user_id: str | None) -> int:
    """How often consumers found nothing to lease after a moment.

    Args:
        since: what happened later counts.
        user_id: only at this user's campaigns; None for everyone's.
    """
    statement = select(func.count()).select_from(_events).where(_events.c.happened_at > since)
    return int(session.scalars(of_user(statement, _events.c.campaign_id, user_id)).one())
