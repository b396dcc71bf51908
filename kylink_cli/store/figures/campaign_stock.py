"""Campaigns beside their stock, for people to look at: one statement, however many campaigns."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from kylink_cli.rules.demand import NO_HISTORY
from kylink_cli.rules.replenishment import Level
from kylink_cli.rules.vocabulary import ItemState
from kylink_cli.store.demand import read_histories
from kylink_cli.store.levels import (
    Scope,
    available_items,
    consumed_items,
    leased_items,
    level_columns,
    within,
)
from kylink_cli.store.tables import Campaign, StockItem, in_state, table

_campaigns = table(Campaign)
_items = table(StockItem)


@dataclass(frozen=True, slots=True)
class CampaignStock:
    """A campaign and its stock."""

    level: Level
    leased: int
    last_replenished_at: datetime | None  # None if never
    last_error: str | None  # of its last run, None if nothing went wrong


def read_campaign_stock(session: Session, now: datetime, scope: Scope) -> list[CampaignStock]:
    """The campaigns of a scope, active and paused, with their stock; by id.

    Args:
        now: items that expired before this moment do not count; consumption is that of the 24 hours before.
    """
    return list(iterate_campaign_stock(session, now, scope))


def iterate_campaign_stock(session: Session, now: datetime, scope: Scope) -> Iterator[CampaignStock]:
    """The same, one after the other, for those who keep less of each; within the transaction.

    Args:
        now: items that expired before this moment do not count; consumption is that of the 24 hours before.
    """
    available, consumed, leased = available_items(now, scope), consumed_items(now, scope), leased_items(scope)
    c = _campaigns.c
    level = level_columns(func.coalesce(available.c.number, 0), func.coalesce(consumed.c.number, 0))
    statement = (
        select(
            *level,
            func.coalesce(leased.c.number, 0),
            c.last_replenished_at,
            c.last_error,
        )
        .outerjoin_from(_campaigns, available, available.c.campaign_id == c.id)
        .outerjoin(consumed, consumed.c.campaign_id == c.id)
        .outerjoin(leased, leased.c.campaign_id == c.id)
        .order_by(c.id)
    )
    histories = read_histories(session, now, None if scope == Scope() else within(select(c.id), c.id, scope, c.user_id))
    # Row by row, since a list of them would be as large as what is made of them.
    for row in session.execute(within(statement, c.id, scope, c.user_id)):
        history = histories.pop(row.id, NO_HISTORY)
        yield CampaignStock(replace(Level(*row[: len(level)]), history=history), *row[len(level) :])


def count_by_state(session: Session, now: datetime, campaign_id: str) -> dict[str, int]:
    """How many items of a campaign are in each state; one past its end counts as expired, marked or not."""
    is_over = in_state(_items, ItemState.AVAILABLE) & (_items.c.expires_at <= now)
    state = case((is_over, ItemState.EXPIRED), else_=_items.c.state).label("effective_state")
    statement = select(state, func.count().label("number")).where(_items.c.campaign_id == campaign_id)
    rows = session.execute(statement.group_by(state))
    return dict.fromkeys(ItemState, 0) | {row.effective_state: row.number for row in rows}
