"""The audit trail: who did what, to what, when; written in the transaction of the act itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import Act
from kylink_cli.store.tables import ActRecord, table

_acts = table(ActRecord)
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


def record(session: Session, entry: AuditEntry, now: datetime) -> None:
    """Record an act, one row for each thing that it was done to."""
    detail = None if entry.detail is None else one_line(entry.detail, _DETAIL_LENGTH)
    session.add_all(
        ActRecord(at=now, who=entry.who, act=entry.act, subject=one_line(subject, _SUBJECT_LENGTH), detail=detail)
        for subject in entry.subjects
    )


def read(session: Session, wanted: TrailPart) -> list[ActRecord]:
    """What was done, newest first."""
    statement = select(ActRecord).order_by(_acts.c.id.desc()).limit(wanted.limit)
    if wanted.since is not None:
        statement = statement.where(_acts.c.at >= wanted.since)
    if wanted.who is not None:
        statement = statement.where(_acts.c.who.contains(wanted.who, autoescape=True))
    return list(session.scalars(statement))
