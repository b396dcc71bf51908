"""Looking ahead: what was asked for is folded into hours, and reorder points follow the forecast.

A run looks at the campaigns of which something was asked lately, and at the others when the time of day, or the past
that fades, may have moved their reorder point; the rest cost it nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from zlib import crc32

from sqlalchemy.orm import Session

from kylink_cli.rules.demand import MINUTES_AN_HOUR
from kylink_cli.rules.replenishment import Level, Policy, need, settled_hours
from kylink_cli.store import demand, reorder_points
from kylink_cli.store.demand import minute_at
from kylink_cli.store.engine.database import Database
from kylink_cli.store.levels import Scope, read_levels
from kylink_cli.store.reorder_points import Point
from kylink_cli.store.retention import purge

CAMPAIGNS_AT_ONCE = 1_000


def look_ahead(database: Database, policy: Policy, scope: Scope, now: datetime) -> None:
    """Bring the reorder points of campaigns up to date, as far as they may have moved.

    Raises:
        DatabaseError: the database failed; what was done before is done.
    """
    for _ in purge(database, [(demand.fold, now)]):
        pass
    # Hosts of which only some hear the bell look at each other's campaigns no more often than at their own.
    rule = crc32(repr(replace(policy, look_minutes=0)).encode())
    ids = database.read(lambda session: reorder_points.due(session, now, scope, rule))
    for first in range(0, len(ids), CAMPAIGNS_AT_ONCE):
        some = ids[first : first + CAMPAIGNS_AT_ONCE]
        database.commit(partial(_look_at, policy=policy, ids=some, now=now, rule=rule))


def _look_at(session: Session, policy: Policy, ids: Sequence[str], now: datetime, rule: int) -> None:
    levels = read_levels(session, now, Scope(campaign_ids=ids))
    reorder_points.write(session, {level.campaign_id: _point(level, policy, now) for level in levels}, rule)


def _point(level: Level, policy: Policy, now: datetime) -> Point:
    seen = need(level, policy, now)
    return Point(seen.watermark.items, minute_at(now) + settled_hours(seen, now) * MINUTES_AN_HOUR)
