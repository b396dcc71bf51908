"""The stock below which each campaign is to be refilled, as it was last seen: what a scan and a take compare with."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from kylink_cli.rules.replenishment import RECENT_MINUTES
from kylink_cli.rules.vocabulary import CampaignStatus
from kylink_cli.store.demand import minute_at
from kylink_cli.store.engine.database import upsert
from kylink_cli.store.levels import Scope, within
from kylink_cli.store.tables import Campaign, DemandMinute, ReorderPoint, table

_campaigns = table(Campaign)
_minutes = table(DemandMinute)
_points = table(ReorderPoint)


class Point(NamedTuple):
    """A reorder point, items, and the minute since 1970 in which it is to be looked at again."""

    items: int
    due_minute: int


def due(session: Session, now: datetime, scope: Scope, rule: int) -> list[str]:
    """The active campaigns whose reorder point is to be looked at again.

    These are those without one, those of which something was asked within the last hour, those whose time has come,
    and all that were last seen under other settings.

    Args:
        rule: names the settings that are in force.
    """
    c, minute = _campaigns.c, minute_at(now)
    asked = select(_minutes.c.campaign_id).where(_minutes.c.minute > minute - RECENT_MINUTES)
    is_due = or_(
        _points.c.campaign_id.is_(None), _points.c.due_minute <= minute, _points.c.rule != rule, c.id.in_(asked)
    )
    statement = (
        select(c.id)
        .outerjoin_from(_campaigns, _points, _points.c.campaign_id == c.id)
        .where(c.status == CampaignStatus.ACTIVE, c.low_watermark.is_(None), is_due)
        .order_by(c.id)
    )
    return list(session.scalars(within(statement, c.id, scope, c.user_id)))


def write(session: Session, points: Mapping[str, Point], rule: int) -> None:
    """Remember reorder points, as they are seen under the settings that `rule` names."""
    rows = [
        {"campaign_id": key, "items": point.items, "due_minute": point.due_minute, "rule": rule}
        for key, point in sorted(points.items())
    ]
    if rows:
        insert = upsert(session, _points)
        seen = {name: insert.excluded[name] for name in ("items", "due_minute", "rule")}
        session.connection().execute(insert.on_conflict_do_update(index_elements=["campaign_id"], set_=seen), rows)
