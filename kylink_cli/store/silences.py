"""Silences as they are kept: which alerts are muted, until when and why."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from kylink_cli.rules.silences import Silence
from kylink_cli.store.tables import SilenceRecord, table

_silences = table(SilenceRecord)


def add(session: Session, silence: Silence, reason: str | None, now: datetime) -> SilenceRecord:
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


def read_active(session: Session, now: datetime) -> list[SilenceRecord]:
    """The silences that have not ended, those that end soonest first."""
    statement = select(SilenceRecord).where(_silences.c.until > now).order_by(_silences.c.until, _silences.c.id)
    return list(session.scalars(statement))


def rule_of(record: SilenceRecord) -> Silence:
    """What the rules need to know of a silence."""
    return Silence(record.until, record.type, record.campaign_id, record.user_id)


def remove(session: Session, silence_id: int) -> bool:
    """End a silence.

    Returns:
        False if there is none.
    """
    statement = delete(_silences).where(_silences.c.id == silence_id).returning(_silences.c.id)
    return session.scalar(statement) is not None
