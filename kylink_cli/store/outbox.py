"""The outbox: notifications, written with the alerts that they tell of, and kept until they are sent or given up."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, delete, func, select, update
from sqlalchemy.orm import Session

from kylink_cli.language import tr
from kylink_cli.rules.notices import Message
from kylink_cli.store.tables import Notification, Run, table

_notifications = table(Notification)
_runs = table(Run)


@dataclass(frozen=True, slots=True)
class ClaimedMessage:
    """A notification that a run is about to send."""

    id: int
    channel: str
    message: Message
    attempts: int  # that failed before
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which notifications a run claims."""

    due_by: datetime | None  # when the next try was due at the latest; None for all
    limit: int


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Notifications that have not arrived, by channel."""

    channel: str
    waiting: int  # have failed and will be tried again
    given_up: int  # will not be tried any more
    error: str | None  # of the last one that failed

    @property
    def text(self) -> str:
        """All of it in one line."""
        reason = self.error or tr("the channel is gone")
        counts = tr(
            "{waiting} wait for another try, {given_up} given up after a day",
            waiting=self.waiting,
            given_up=self.given_up,
        )
        return tr(
            "notifications through {channel} fail: {counts}; last error: {reason}",
            channel=self.channel,
            counts=counts,
            reason=reason,
        )


def write(session: Session, channel: str, message: Message, now: datetime) -> None:
    """Record a notification before it is sent (new -> pending)."""
    session.add(
        Notification(
            key=message.key,
            channel=channel,
            level=message.level,
            title=message.title,
            body=message.body,
            document=message.document,
            created_at=now,
            next_try_at=now,
        )
    )


def drop_superseded(session: Session, channel: str, alert_ids: Collection[int]) -> None:
    """Forget what a channel did not take, where later messages tell of each of its alerts: the last says how it is.

    Args:
        alert_ids: the alerts that a message is about to be written of.
    """
    has_failed = and_(_is_pending(), _notifications.c.attempts > 0, _notifications.c.claimed_by.is_(None))
    pending = (
        select(_notifications.c.id, _notifications.c.document)
        .where(has_failed, _notifications.c.channel == channel)
        .order_by(_notifications.c.id.desc())
    )
    told, superseded = set(alert_ids), []
    for row in session.execute(pending).all():
        alerts = {int(alert["id"]) for alert in row.document.get("alerts", ())}
        if alerts and alerts <= told:
            superseded.append(row.id)
        told |= alerts
    session.execute(delete(_notifications).where(_notifications.c.id.in_(superseded)))


def has_pending(session: Session) -> bool:
    """Whether there is anything to send."""
    return session.scalar(select(_notifications.c.id).where(_is_pending()).limit(1)) is not None


def claimants(session: Session) -> list[Run]:
    """The runs that have claimed pending notifications, living or dead."""
    claimed = select(_notifications.c.claimed_by).where(_is_pending(), _notifications.c.claimed_by.is_not(None))
    return list(session.scalars(select(Run).where(_runs.c.id.in_(claimed))))


def free(session: Session, run_ids: Collection[int]) -> None:
    """Let others send what runs have claimed."""
    session.execute(update(_notifications).where(_notifications.c.claimed_by.in_(run_ids)).values(claimed_by=None))


def claim(session: Session, run_id: int | None, channel: str, wanted: Wanted) -> list[ClaimedMessage]:
    """Claim a channel's pending notifications for a run, the oldest first: nobody else sends them meanwhile.

    Without a run they are only read.
    """
    condition = and_(_is_pending(), _notifications.c.claimed_by.is_(None), _notifications.c.channel == channel)
    if wanted.due_by is not None:
        condition = and_(condition, _notifications.c.next_try_at <= wanted.due_by)
    picked = select(_notifications.c.id).where(condition).order_by(_notifications.c.id).limit(wanted.limit)
    ids = session.scalars(picked.with_for_update(skip_locked=True)).all()
    session.execute(update(_notifications).where(_notifications.c.id.in_(ids)).values(claimed_by=run_id))
    rows = session.scalars(select(Notification).where(_notifications.c.id.in_(ids)).order_by(_notifications.c.id))
    return [ClaimedMessage(row.id or 0, row.channel, _message(row), row.attempts, row.created_at) for row in rows]


def mark_sent(session: Session, notification_id: int, now: datetime) -> None:
    """Record that a notification has arrived (pending -> sent)."""
    _change(session, notification_id, sent_at=now, claimed_by=None, error=None)


def mark_failed(session: Session, claimed: ClaimedMessage, next_try_at: datetime, error: str) -> None:
    """Record that a try has failed (pending -> pending)."""
    _change(
        session,
        claimed.id,
        attempts=claimed.attempts + 1,
        next_try_at=next_try_at,
        claimed_by=None,
        error=error,
    )


def give_up(session: Session, before: datetime, channels: Collection[str], now: datetime) -> int:
    """Stop trying (pending -> given up) what was written long ago, and has been tried or has no channel any more.

    Args:
        before: what was written before this moment.
        channels: the channels that there are.

    Returns:
        How many were given up.
    """
    was_tried = (_notifications.c.attempts > 0) | _notifications.c.channel.not_in(channels)
    condition = and_(_is_pending(), _notifications.c.claimed_by.is_(None), _notifications.c.created_at < before)
    statement = update(_notifications).where(condition, was_tried).values(given_up_at=now)
    return session.connection().execute(statement).rowcount


def undelivered(session: Session, given_up_after: datetime) -> list[Undelivered]:
    """The channels whose notifications fail.

    Args:
        given_up_after: what was given up before this moment is not spoken of any more.
    """
    has_failed = _is_pending() & (_notifications.c.attempts > 0)
    was_given_up = _notifications.c.given_up_at > given_up_after
    newest = (
        select(
            func.max(_notifications.c.id).label("id"),
            func.sum(_one_if(has_failed)).label("waiting"),
            func.sum(_one_if(was_given_up)).label("given_up"),
        )
        .where(has_failed | was_given_up)
        .group_by(_notifications.c.channel)
        .subquery()
    )
    statement = (
        select(_notifications.c.channel, newest.c.waiting, newest.c.given_up, _notifications.c.error)
        .join_from(newest, _notifications, _notifications.c.id == newest.c.id)
        .order_by(_notifications.c.channel)
    )
    return [Undelivered(*row) for row in session.execute(statement)]


def _is_pending() -> ColumnElement[bool]:
    return _notifications.c.sent_at.is_(None) & _notifications.c.given_up_at.is_(None)


def _one_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)


def _change(session: Session, notification_id: int, **values: object) -> None:
    session.execute(update(_notifications).where(_notifications.c.id == notification_id).values(**values))


def _message(row: Notification) -> Message:
    return Message(row.key, row.title, row.body, row.level, row.document)  # type: ignore[arg-type]
