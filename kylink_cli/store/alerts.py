"""Alerts: at most one unresolved row per condition; one that persists is counted, not repeated."""

from datetime import datetime

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from kylink_cli.rules.alerts import NewAlert
from kylink_cli.store.database import upsert
from kylink_cli.store.tables import Alert, table

_alerts = table(Alert)


def open_or_count(session: Session, alert: NewAlert, now: datetime) -> int:
    """Open an alert, or count it once more if its condition has an unresolved one (new -> open).

    Args:
        session: a writing transaction.
        alert: the condition as it is now; its texts and level replace the earlier ones.
        now: when it was seen.

    Returns:
        The alert's id.
    """
    changing = {
        "level": alert.level,
        "title": alert.title,
        "message": alert.message,
        "metadata": alert.details,
        "last_seen_at": now,
    }
    statement = (
        upsert(session, _alerts)
        .values(type=alert.type, state="open", fingerprint=alert.fingerprint, count=1, first_seen_at=now, **changing)
        .on_conflict_do_update(
            index_elements=["fingerprint"],
            # A literal, since PostgreSQL finds a partial index for no parameter.
            index_where=text("state <> 'resolved'"),
            set_={**changing, "count": _alerts.c.count + 1},
        )
        .returning(_alerts.c.id)
    )
    return int(session.execute(statement).scalar_one())


def resolve(session: Session, fingerprint: str, now: datetime) -> int | None:
    """Record that a condition is over (open, acknowledged -> resolved).

    Returns:
        The id of the alert that was resolved; None if there was none.
    """
    statement = (
        update(_alerts)
        .where(_alerts.c.fingerprint == fingerprint, _alerts.c.state != "resolved")
        .values(state="resolved", resolved_at=now)
        .returning(_alerts.c.id)
    )
    resolved: int | None = session.scalar(statement)
    return resolved


def unresolved(session: Session) -> list[Alert]:
    """The alerts that are open or acknowledged, newest first."""
    return list(session.scalars(select(Alert).where(_alerts.c.state != "resolved").order_by(_alerts.c.id.desc())))
