"""Alerts in numbers: one statement each, however many there were."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from kylink_cli.rules.figures import AlertFacts, AlertsOfHour, UnresolvedAlerts
from kylink_cli.rules.vocabulary import AlertState
from kylink_cli.store.engine.hours import hour_of, start_of
from kylink_cli.store.tables import Alert, AlertUser, table

_alerts = table(Alert)
_users = table(AlertUser)


def read_unresolved(session: Session, user_id: str | None) -> list[UnresolvedAlerts]:
    """The alerts that are not resolved, by type, level and state.

    Args:
        user_id: only those about this user's campaigns; None for all.
    """
    kind = (_alerts.c.type, _alerts.c.level, _alerts.c.state)
    statement = (
        select(*kind, func.count()).where(_alerts.c.state != AlertState.RESOLVED).group_by(*kind).order_by(*kind)
    )
    return [UnresolvedAlerts(*row) for row in session.execute(_concerning(statement, user_id))]


def read_alerts_by_hour(session: Session, since: datetime, user_id: str | None) -> list[AlertsOfHour]:
    """The alerts that were first seen after a moment, by hour and level.

    Args:
        since: what was first seen later counts.
        user_id: only those about this user's campaigns; None for all.
    """
    hour: Any = hour_of(_alerts.c.first_seen_at)
    statement = (
        select(hour, _alerts.c.level, func.count())
        .where(_alerts.c.first_seen_at > since)
        .group_by(hour, _alerts.c.level)
        .order_by(hour, _alerts.c.level)
    )
    return [AlertsOfHour(start_of(row[0]), *row[1:]) for row in session.execute(_concerning(statement, user_id))]


def read_last_alerts(session: Session, since: datetime, user_id: str | None, limit: int) -> list[AlertFacts]:
    """The alerts that are not resolved, then those last seen after a moment; newest first.

    Args:
        since: resolved ones last seen earlier are left out.
        user_id: only those about this user's campaigns; None for all.
    """
    c = _alerts.c
    columns = (c.id, c.type, c.level, c.state, c.title, c.count, c.first_seen_at, c.last_seen_at)
    is_over = c.state == AlertState.RESOLVED
    statement = select(*columns).where(~is_over | (c.last_seen_at > since)).order_by(is_over, c.id.desc()).limit(limit)
    return [AlertFacts(*row) for row in session.execute(_concerning(statement, user_id))]


def _concerning(statement: Select[Any], user_id: str | None) -> Select[Any]:
    if user_id is None:
        return statement
    return statement.where(_alerts.c.id.in_(select(_users.c.alert_id).where(_users.c.user_id == user_id)))
