"""When consumers asked for an item and the campaign had none."""

from datetime import datetime

from sqlalchemy import Integer, String, bindparam, exists, func, select
from sqlalchemy.orm import Session

from kylink_cli.store.demand import Refusal, minute_at
from kylink_cli.store.engine.direct import Direct, Transaction
from kylink_cli.store.tables import DemandMinute, NoStockEvent, UtcDateTime, table

_events = table(NoStockEvent)
_minutes = table(DemandMinute).c


def record(transaction: Transaction, refusal: Refusal, now: datetime) -> None:
    """Record that a campaign had nothing to lease, once for each asker and minute: some ask again in a loop.

    Args:
        refusal: not yet recorded as demand.
    """
    _RECORD.rows(
        transaction,
        campaign_id=refusal.campaign_id,
        happened_at=now,
        refused_by=refusal.asker,
        in_minute=minute_at(now),
    )


_campaign_id = bindparam("campaign_id", type_=String)
_is_known = exists().where(
    _minutes.campaign_id == _campaign_id,
    _minutes.minute == bindparam("in_minute", type_=Integer),
    _minutes.asker == bindparam("refused_by", type_=String),
    _minutes.refused > 0,
)
_RECORD = Direct(
    lambda _: (
        _events.insert()
        .inline()
        .from_select(
            ["campaign_id", "happened_at"],
            select(_campaign_id, bindparam("happened_at", type_=UtcDateTime)).where(~_is_known),
        )
    )
)


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
