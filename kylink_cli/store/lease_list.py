"""Leases as an operator looks at them: without their tokens, which are their holders' alone."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kylink_cli.rules.vocabulary import LeaseState
from kylink_cli.store.tables import LeaseRecord, in_state, table

_leases = table(LeaseRecord)


@dataclass(frozen=True, slots=True)
class ListedLease:
    """A lease without its token."""

    campaign_id: str
    item_id: int
    holder: str | None  # None if the consumer did not say
    state: str  # `active`, `confirmed`, `released` or `expired`
    leased_at: datetime
    expires_at: datetime  # its deadline
    closed_at: datetime | None  # None while it is active
    error: str | None  # why it was released, None if nothing was wrong


@dataclass(frozen=True, slots=True)
class LeaseFilter:
    """Which leases are meant."""

    campaign_id: str | None = None
    state: str | None = None
    overdue: bool = False  # only active ones past their deadline
    limit: int = 20


def read_leases(session: Session, wanted: LeaseFilter, now: datetime) -> list[ListedLease]:
    """Leases, newest first.

    Args:
        now: a deadline before this moment is over.
    """
    c = _leases.c
    columns = (c.campaign_id, c.item_id, c.holder, c.state, c.leased_at, c.expires_at, c.closed_at, c.error)
    statement = select(*columns).order_by(c.id.desc()).limit(wanted.limit)
    if wanted.campaign_id is not None:
        statement = statement.where(c.campaign_id == wanted.campaign_id)
    if wanted.state is not None:
        statement = statement.where(c.state == wanted.state)
    if wanted.overdue:
        statement = statement.where(in_state(_leases, LeaseState.ACTIVE), c.expires_at <= now)
    return [ListedLease(*row) for row in session.execute(statement)]
