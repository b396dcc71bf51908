"""When consumers asked for an item and the campaign had none."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kylink_cli.store.engine.direct import Direct, Transaction
from kylink_cli.store.tables import NoStockEvent, table

_events = table(NoStockEvent)
_RECORD = Direct(lambda _: _events.insert().inline(), columns=("campaign_id", "happened_at"))


def record(transaction: Transaction, campaign_id: str, now: datetime) -> None:
    """Record that a campaign had nothing to lease."""
    _RECORD.rows(transaction, campaign_id=campaign_id, happened_at=now)


def count_since(session: Session, since: datetime, campaign_id: str | None = None) -> int:
    """How often there was nothing to lease.

    Args:
        since: events after this moment count.
        campaign_id: only this campaign's; None for every campaign's.
    """
    statement = select(func.count()).select_from(_events).where(_events.c.happened_at > since)
    if campaign_id is not None:
        statement = statement.where(_events.c.campaign_id == campaign_id)
    return session.scalars(statement).one()
