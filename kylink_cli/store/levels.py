"""How much stock every campaign has, and what is asked of it: a few statements, however many campaigns."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, Text, and_, case, cast, func, literal, or_, select
from sqlalchemy.orm import Session

from kylink_cli.rules.demand import NO_HISTORY
from kylink_cli.rules.replenishment import Level, Policy
from kylink_cli.rules.vocabulary import CampaignStatus, ItemState, LeaseState, ReplenishRule, RequestState
from kylink_cli.store.demand import read_histories
from kylink_cli.store.tables import Campaign, LeaseRecord, ReorderPoint, StockItem, SupplyRequest, in_state, table

_campaigns = table(Campaign)
_items = table(StockItem)
_leases = table(LeaseRecord)
_points = table(ReorderPoint)
_requests = table(SupplyRequest)

# The histories of more are read all at once, and not by name.
FEW_CAMPAIGNS = 5_000


@dataclass(frozen=True, slots=True)
class Scope:
    """Which campaigns are meant."""

    user_id: str | None = None
    campaign_ids: Collection[str] | None = None


def read_levels(session: Session, now: datetime, scope: Scope, *, low_by: Policy | None = None) -> list[Level]:
    """The stock levels of the campaigns that a run may have to do with.

    These are the active ones, and those with unfinished supply requests whatever their status.

    Args:
        now: items that expired before this moment do not count; consumption is that of the 24 hours before.
        low_by: leave out campaigns that are certainly not low by this policy; None leaves out none. By a forecast,
            reorder points tell, and consumption is not looked at.
    """
    available, consumed = available_items(now, scope), consumed_items(now, scope)
    by_forecast = low_by is not None and low_by.rule == ReplenishRule.FORECAST
    in_stock = func.coalesce(available.c.number, 0)
    used = literal(0) if by_forecast else func.coalesce(consumed.c.number, 0)
    unfinished = select(_requests.c.campaign_id).where(in_state(_requests, RequestState.OPEN))
    c = _campaigns.c
    statement = (
        select(*level_columns(in_stock, used), c.id.in_(unfinished))
        .outerjoin_from(_campaigns, available, available.c.campaign_id == c.id)
        .outerjoin(_points, _points.c.campaign_id == c.id)
    )
    if not by_forecast:
        statement = statement.outerjoin(consumed, consumed.c.campaign_id == c.id)
    wanted = c.status == CampaignStatus.ACTIVE
    if low_by is not None:
        wanted = and_(wanted, in_stock < func.coalesce(c.low_watermark, _watermark(used, low_by)))
    statement = statement.where(or_(wanted, c.id.in_(unfinished)))
    return with_histories(session, now, session.execute(within(statement, c.id, scope, c.user_id)).all())


def level_columns(available: ColumnElement[int], consumed: ColumnElement[int]) -> list[ColumnElement[Any]]:
    """The columns of a campaign's level, as `Level` names them, up to whether it is active."""
    c = _campaigns.c
    own = (c.id, c.user_id, c.name, c.country, c.source_url, c.created_at, c.low_watermark, c.target_stock)
    return [*own, available, consumed, c.order_limit, c.status == CampaignStatus.ACTIVE]


def with_histories(session: Session, now: datetime, rows: Sequence[Sequence[Any]]) -> list[Level]:
    """Levels out of their columns, with what was asked of the campaigns."""
    few = [row[0] for row in rows] if len(rows) <= FEW_CAMPAIGNS else None
    histories = read_histories(session, now, few)
    return [replace(Level(*row), history=histories.pop(row[0], NO_HISTORY)) for row in rows]


def _watermark(consumed: ColumnElement[int], policy: Policy) -> ColumnElement[Any]:
    """The watermark as it was last seen by the forecast, or what it is at most by the rule `cover`."""
    if policy.rule == ReplenishRule.COVER:
        return _highest_watermark(consumed, policy)
    return func.coalesce(_points.c["items"], max(policy.watermark_default, policy.watermark_min))


def _highest_watermark(consumed: ColumnElement[int], policy: Policy) -> ColumnElement[float]:
    """What a campaign's dynamic watermark is at most: the rule itself decides, about the few that may be low."""
    rounded_up = consumed * (policy.cover_hours / 24) + 1
    unused = max(policy.watermark_default, policy.watermark_min)
    return case(
        (consumed == 0, float(unused)),
        (rounded_up < policy.watermark_min, float(policy.watermark_min)),
        (rounded_up > policy.watermark_max, float(policy.watermark_max)),
        else_=rounded_up,
    )


def count_available(session: Session, now: datetime, campaign_ids: Collection[str]) -> dict[str, int]:
    """How many items of these campaigns can be leased now; a campaign without any is missing.

    Args:
        now: items that expired before this moment do not count.
    """
    available = available_items(now, Scope(campaign_ids=campaign_ids))
    rows = session.execute(select(available.c.campaign_id, available.c.number))
    return {row.campaign_id: row.number for row in rows}


def statuses(session: Session, scope: Scope) -> dict[str, str]:
    """The campaigns in a scope, each with its status."""
    c = _campaigns.c
    rows = session.execute(within(select(c.id, c.status), c.id, scope, c.user_id))
    return {row.id: row.status for row in rows}


def available_items(now: datetime, scope: Scope) -> Subquery:
    """The number of items that can be leased, by campaign."""
    statement = (
        select(_items.c.campaign_id, func.count().label("number"))
        .where(in_state(_items, ItemState.AVAILABLE), _items.c.expires_at > now)
        .group_by(_items.c.campaign_id)
    )
    return within(statement, _items.c.campaign_id, scope).subquery("available")


def consumed_items(now: datetime, scope: Scope) -> Subquery:
    """The number of items that were consumed in the 24 hours before `now`, by campaign."""
    # Grouped by the bare column, SQLite walks the unique index over the whole history instead of the last day's items;
    # grouped by anything that is no TEXT, it can't look up a campaign's number, and reads them all for each campaign.
    campaign_id: Any = cast(_items.c.campaign_id, Text)
    statement = (
        select(campaign_id.label("campaign_id"), func.count().label("number"))
        .where(in_state(_items, ItemState.CONSUMED), _items.c.consumed_at > now - timedelta(hours=24))
        .group_by(campaign_id)
    )
    return within(statement, _items.c.campaign_id, scope).subquery("consumed")


def leased_items(scope: Scope) -> Subquery:
    """The number of items that consumers hold, by campaign."""
    statement = (
        select(_leases.c.campaign_id, func.count().label("number"))
        .where(in_state(_leases, LeaseState.ACTIVE))
        .group_by(_leases.c.campaign_id)
    )
    return within(statement, _leases.c.campaign_id, scope).subquery("leased")


def within(statement: Select[Any], campaign_id: Any, scope: Scope, user_id: Any = None) -> Select[Any]:
    """Narrow a statement to a scope; only statements on campaigns know a user."""
    if scope.campaign_ids is not None:
        statement = statement.where(campaign_id.in_(scope.campaign_ids))
    if scope.user_id is not None and user_id is not None:
        statement = statement.where(user_id == scope.user_id)
    return statement


def of_user(statement: Select[Any], campaign_id: Any, user_id: str | None) -> Select[Any]:
    """Narrow a statement on what belongs to campaigns to those of a user; None narrows nothing."""
    if user_id is None:
        return statement
    return statement.where(campaign_id.in_(select(_campaigns.c.id).where(_campaigns.c.user_id == user_id)))
