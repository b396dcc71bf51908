"""Campaigns a page at a time: which ones, and how many there are in all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from kylink_cli.rules.vocabulary import CampaignStatus, ItemState
from kylink_cli.store.tables import Campaign, StockItem, in_state, table

_campaigns = table(Campaign)
_items = table(StockItem)

# Active ones without an item that could be leased are `empty`, beside being `active`.
ListedState = Literal["active", "paused", "empty"]
# More users than that are not offered for choice.
_OFFERED_USERS: Final = 200


@dataclass(frozen=True, slots=True)
class WantedCampaigns:
    """Which campaigns are meant; what is None excludes none."""

    user_id: str | None = None
    state: ListedState | None = None
    text: str | None = None  # a part of the id or of the name, whatever its case


@dataclass(frozen=True, slots=True)
class CampaignPart:
    """Some of the campaigns that are meant.

    Attributes:
        campaign_ids: by name, then id.
        total: how many are meant in all.
    """

    campaign_ids: Sequence[str]
    total: int


def read_part(session: Session, wanted: WantedCampaigns, now: datetime, *, limit: int, offset: int) -> CampaignPart:
    """A part of the campaigns that are meant.

    Args:
        now: items that expired before this moment do not count.
        limit: how many at most.
        offset: how many come before it.
    """
    c = _campaigns.c
    by_name = _matching(select(c.id), wanted, now).order_by(c.name, c.id).limit(limit).offset(offset)
    total = session.scalar(_matching(select(func.count()).select_from(_campaigns), wanted, now))
    return CampaignPart(list(session.scalars(by_name)), total or 0)


def users(session: Session) -> list[str]:
    """Users who have campaigns, the first of them by name."""
    user_id = _campaigns.c.user_id
    return list(session.scalars(select(user_id).distinct().order_by(user_id).limit(_OFFERED_USERS)))


def _matching(statement: Select[Any], wanted: WantedCampaigns, now: datetime) -> Select[Any]:
    c = _campaigns.c
    if wanted.user_id is not None:
        statement = statement.where(c.user_id == wanted.user_id)
    if wanted.state is not None:
        statement = statement.where(
            c.status == (CampaignStatus.PAUSED if wanted.state == "paused" else CampaignStatus.ACTIVE)
        )
    if wanted.state == "empty":
        statement = statement.where(~_has_stock(now))
    if wanted.text is not None:
        held = [column.icontains(wanted.text, autoescape=True) for column in (c.id, c.name)]
        statement = statement.where(or_(*held))
    return statement


def _has_stock(now: datetime) -> ColumnElement[bool]:
    available = in_state(_items, ItemState.AVAILABLE) & (_items.c.expires_at > now)
    return select(_items.c.id).where(_items.c.campaign_id == _campaigns.c.id, available).exists()
