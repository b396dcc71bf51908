"""Alerts: at most one unresolved row per condition; and silences: which alerts are muted, until when and why."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, or_, select, update
from sqlalchemy.orm import Session

from kylink_cli.rules.alert_book import Entry
from kylink_cli.rules.alerts import NewAlert
from kylink_cli.rules.moments import iso
from kylink_cli.rules.silences import Silence
from kylink_cli.rules.vocabulary import AlertState
from kylink_cli.store.engine.database import lock_table
from kylink_cli.store.tables import Alert, AlertUser, SilenceRecord, table

_alerts = table(Alert)
_users = table(AlertUser)
_silences = table(SilenceRecord)


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts are meant; what is None or empty excludes none."""

    state: str | None = None
    type: str | None = None
    level: str | None = None
    user_id: str | None = None
    limit: int = 20
    unresolved: bool = False  # only those that go on


def read_book(session: Session, fingerprints: Collection[str], resolved_after: datetime) -> dict[str, Alert]:
    """The alerts that are not resolved, and of some conditions those that were resolved a short while ago.

    Nobody else may change alerts until the transaction ends.

    Args:
        fingerprints: the conditions whose resolved alerts are wanted.
        resolved_after: what was resolved before this moment is over for good.

    Returns:
        The newest alert of each condition.
    """
    lock_table(session, _alerts)
    recent = _alerts.c.fingerprint.in_(fingerprints) & (_alerts.c.resolved_at > resolved_after)
    statement = select(Alert).where(or_(_alerts.c.state != AlertState.RESOLVED, recent)).order_by(_alerts.c.id)
    return {alert.fingerprint: alert for alert in session.scalars(statement)}


def entry_of(alert: Alert) -> Entry:
    """What the alert book needs to know of an alert."""
    return Entry(alert.state, alert.level, alert.announced, alert.told_level, alert.told_at)  # type: ignore[arg-type]


def add(session: Session, condition: NewAlert, now: datetime) -> Alert:
    """Record a condition that has no alert yet (new -> open)."""
    alert = Alert(
        type=condition.type,
        level=condition.level,
        fingerprint=condition.fingerprint,
        title=condition.title,
        message=condition.message,
        details=condition.details,
        first_seen_at=now,
        last_seen_at=now,
    )
    session.add(alert)
    session.flush()
    _set_users(session, alert, condition)
    return alert


def count(session: Session, alert: Alert, condition: NewAlert, now: datetime) -> None:
    """Record that a condition was seen once more; its texts replace the earlier ones."""
    alert.title = condition.title
    alert.message = condition.message
    alert.details = condition.details
    alert.count += 1
    alert.last_seen_at = now
    session.flush()
    _set_users(session, alert, condition)


def set_entry(session: Session, alert: Alert, entry: Entry, now: datetime) -> None:
    """Record what the alert book has decided."""
    if entry.state == AlertState.RESOLVED and alert.state != AlertState.RESOLVED:
        alert.resolved_at = now
    if entry.state == AlertState.OPEN:
        alert.resolved_at = alert.acknowledged_at = None
    alert.state, alert.level = entry.state, entry.level
    alert.announced, alert.told_level, alert.told_at = entry.announced, entry.told_level, entry.told_at
    session.flush()


def acknowledge(session: Session, alert_ids: Collection[int], now: datetime) -> set[int]:
    """Record that somebody takes alerts on (open -> acknowledged).

    Returns:
        Those that were open.
    """
    statement = (
        update(_alerts)
        .where(_alerts.c.id.in_(alert_ids), _alerts.c.state == AlertState.OPEN)
        .values(state=AlertState.ACKNOWLEDGED, acknowledged_at=now)
        .returning(_alerts.c.id)
    )
    return set(session.scalars(statement))


def forget_silences(session: Session) -> None:
    """Let the next look at each alert decide anew whether it is silenced."""
    session.execute(update(_alerts).where(_alerts.c.silenced_until.is_not(None)).values(silenced_until=None))


def get(session: Session, alert_ids: Collection[int]) -> dict[int, Alert]:
    """Alerts by their ids; one that does not exist is missing."""
    return {alert.id or 0: alert for alert in session.scalars(select(Alert).where(_alerts.c.id.in_(alert_ids)))}


def read_alerts(session: Session, wanted: AlertFilter) -> list[Alert]:
    """Alerts, those that are not resolved first, then newest first."""
    newest_first = (_alerts.c.state == AlertState.RESOLVED, _alerts.c.id.desc())
    return list(session.scalars(_matching(select(Alert), wanted).order_by(*newest_first).limit(wanted.limit)))


def count_alerts(session: Session, wanted: AlertFilter) -> dict[str, int]:
    """How many alerts are meant, by state, whatever the limit; a state without any is missing."""
    statement = _matching(select(_alerts.c.state, func.count()), wanted).group_by(_alerts.c.state)
    return {row[0]: row[1] for row in session.execute(statement)}


def _matching(statement: Select[Any], wanted: AlertFilter) -> Select[Any]:
    for column in ("state", "type", "level"):
        if (value := getattr(wanted, column)) is not None:
            statement = statement.where(_alerts.c[column] == value)
    if wanted.unresolved:
        statement = statement.where(_alerts.c.state != AlertState.RESOLVED)
    if wanted.user_id is not None:
        concerned = select(_users.c.alert_id).where(_users.c.user_id == wanted.user_id)
        statement = statement.where(_alerts.c.id.in_(concerned))
    return statement


def users_of(session: Session, alert_id: int) -> list[str]:
    """The users whose campaigns an alert is about."""
    statement = select(_users.c.user_id).where(_users.c.alert_id == alert_id).order_by(_users.c.user_id)
    return list(session.scalars(statement))


def document(alert: Alert) -> dict[str, Any]:
    """An alert as JSON (contract, section 3)."""
    moments = ("first_seen_at", "last_seen_at", "acknowledged_at", "resolved_at")
    facts = {name: getattr(alert, name) for name in ("id", "type", "level", "state", "title", "message")}
    times = {name: None if (moment := getattr(alert, name)) is None else iso(moment) for name in moments}
    return {**facts, "metadata": alert.details, "count": alert.count, **times}


def _set_users(session: Session, alert: Alert, condition: NewAlert) -> None:
    """Record whom an alert concerns now."""
    session.execute(delete(_users).where(_users.c.alert_id == alert.id))
    users: Sequence[str] = sorted({concern.user_id for concern in condition.concerns})
    if users:
        session.connection().execute(_users.insert(), [{"alert_id": alert.id, "user_id": user} for user in users])


def add_silence(session: Session, silence: Silence, reason: str | None, now: datetime) -> SilenceRecord:
    """Record a silence.

    Args:
        silence: what is silenced, until when.
        reason: why, for people.
        now: when it begins.
    """
    record = SilenceRecord(
        type=silence.type,
        campaign_id=silence.campaign_id,
        user_id=silence.user_id,
        reason=reason,
        created_at=now,
        until=silence.until,
    )
    session.add(record)
    session.flush()
    return record


def active_silences(session: Session, now: datetime) -> list[SilenceRecord]:
    """The silences that have not ended, those that end soonest first."""
    statement = select(SilenceRecord).where(_silences.c.until > now).order_by(_silences.c.until, _silences.c.id)
    return list(session.scalars(statement))


def silence_of(record: SilenceRecord) -> Silence:
    """What the rules need to know of a silence."""
    return Silence(record.until, record.type, record.campaign_id, record.user_id)


def end_silence(session: Session, silence_id: int) -> bool:
    """End a silence.

    Returns:
        False if there is none.
    """
    statement = delete(_silences).where(_silences.c.id == silence_id).returning(_silences.c.id)
    return session.scalar(statement) is not None
