"""The audit trail: who did what, to what, when; written in the transaction of the act itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, or_, select
from sqlalchemy.orm import Session

from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import Act
from kylink_cli.store.tables import ActRecord, AlertUser, Campaign, table

_acts = table(ActRecord)
_alert_users = table(AlertUser)
_campaigns = table(Campaign)
# Whose subject is a campaign, or an alert.
_TO_CAMPAIGNS: Final = (
    Act.CAMPAIGN_ADDED,
    Act.CAMPAIGN_CHANGED,
    Act.CAMPAIGN_PAUSED,
    Act.CAMPAIGN_RESUMED,
    Act.STOCK_IMPORTED,
)
_TO_ALERTS: Final = (Act.ALERT_ACKNOWLEDGED, Act.ALERT_RESOLVED)
_SUBJECT_LENGTH, _DETAIL_LENGTH = 200, 500


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act, done to one thing or to several."""

    who: str  # `login@host`, or `key NAME` over HTTP
    act: Act
    subjects: Sequence[str]
    detail: str | None = None  # what a person would want to know of it; nothing secret


@dataclass(frozen=True, slots=True)
class TrailPart:
    """Which part of the trail is asked for."""

    since: datetime | None = None
    who: str | None = None  # a part of the name
    limit: int = 100  # the newest ones
    offset: int = 0  # so many that are newer come before
    user_id: str | None = None  # what concerns this user's campaigns alone; None for everything


def record(session: Session, entry: AuditEntry, now: datetime) -> None:
    """Record an act, one row for each thing that it was done to."""
    detail = None if entry.detail is None else one_line(entry.detail, _DETAIL_LENGTH)
    session.add_all(
        ActRecord(at=now, who=entry.who, act=entry.act, subject=one_line(subject, _SUBJECT_LENGTH), detail=detail)
        for subject in entry.subjects
    )


def read(session: Session, wanted: TrailPart) -> list[ActRecord]:
    """What was done, newest first."""
    statement = select(ActRecord).order_by(_acts.c.id.desc()).limit(wanted.limit).offset(wanted.offset)
    return list(session.scalars(_matching(statement, wanted)))


def count(session: Session, wanted: TrailPart) -> int:
    """How much was done that is asked for, whatever the limit."""
    return session.scalar(_matching(select(func.count()).select_from(_acts), wanted)) or 0


def _matching(statement: Select[Any], wanted: TrailPart) -> Select[Any]:
    if wanted.since is not None:
        statement = statement.where(_acts.c.at >= wanted.since)
    if wanted.who is not None:
        statement = statement.where(_acts.c.who.contains(wanted.who, autoescape=True))
    if wanted.user_id is not None:
        statement = statement.where(_concerns(wanted.user_id))
    return statement


def _concerns(user_id: str) -> ColumnElement[bool]:
    """What was done to a campaign of a user, since it is that user's, or to an alert that is about one."""
    c, a = _campaigns.c, _acts.c
    own = select(c.id).where(c.id == a.subject, c.user_id == user_id, c.created_at <= a.at)
    about = select(_alert_users.c.alert_id).where(_alert_users.c.user_id == user_id)
    numbers = select(cast(about.subquery().c.alert_id, String))
    return or_(
        and_(a.act.in_(_TO_CAMPAIGNS), own.exists()),
        and_(a.act.in_(_TO_ALERTS), a.subject.in_(numbers)),
    )
