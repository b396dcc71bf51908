"""Campaigns with their stock, and what the rule says of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from kylink_cli.rules.demand import MINUTES_AN_HOUR, NO_HISTORY
from kylink_cli.rules.replenishment import Need, Policy, need, runway_minutes
from kylink_cli.rules.text import natural
from kylink_cli.store.figures.campaign_stock import CampaignStock, iterate_campaign_stock
from kylink_cli.store.levels import Scope

MINUTES_A_DAY = 24 * MINUTES_AN_HOUR


@dataclass(frozen=True, slots=True)
class ShownCampaign:
    """A campaign with its stock, and what the rule says of it.

    Attributes:
        stock: the campaign, without what was asked of it.
        need: what it needs, without what that was decided by: of a hundred thousand campaigns, that fills 100 MiB.
        runway: how long the stock lasts, minutes; None if nobody asks for it.
        expected_24h: items that are to be expected to be asked for within 24 hours; None if nobody asks for any.
        refused_24h: items that consumers were refused within 24 hours.
    """

    stock: CampaignStock
    need: Need
    runway: int | None
    expected_24h: float | None
    refused_24h: int

    @property
    def status(self) -> str:
        """The campaign's status."""
        return "active" if self.stock.level.active else "paused"

    @property
    def failing(self) -> bool:
        """Whether its last run went wrong."""
        return self.stock.level.active and self.stock.last_error is not None


def as_shown(stock: CampaignStock, need: Need) -> ShownCampaign:
    """A campaign as it is shown, out of its stock and what was decided about it."""
    level = replace(stock.level, history=NO_HISTORY)
    return ShownCampaign(
        stock=replace(stock, level=level),
        need=Need(level, need.watermark, need.target, need.order),
        runway=runway_minutes(need),
        expected_24h=_expected(need),
        refused_24h=_refused(need),
    )


def _expected(need: Need) -> float | None:
    is_known = need.forecast is not None and need.level.history.hours
    return round(need.forecast.items(MINUTES_A_DAY), 1) if is_known and need.forecast else None


def _refused(need: Need) -> int:
    """Items refused since the hour that began 23 to 24 hours ago."""
    minute = 0 if need.forecast is None else need.forecast.minute
    return need.level.history.since(minute // MINUTES_AN_HOUR - 23).refused


def read_campaigns(session: Session, policy: Policy, now: datetime, scope: Scope) -> list[ShownCampaign]:
    """The campaigns of a scope, by as many statements however many there are."""
    found = iterate_campaign_stock(session, now, scope)
    return [as_shown(stock, need(stock.level, policy, now)) for stock in found]


def in_order(shown: Sequence[ShownCampaign], sort: str) -> list[ShownCampaign]:
    """Campaigns sorted by `id`, `runway` or `available`; those of equal rank by id.

    Args:
        sort: `runway` is the shortest first, then what is not known, then what is paused; `available` the emptiest.
    """

    def rank(one: ShownCampaign) -> tuple[bool, float]:
        if sort == "available":
            return False, one.stock.level.available
        if sort == "runway":
            return not one.stock.level.active, math.inf if one.runway is None else one.runway
        return False, 0

    return sorted(shown, key=lambda one: (rank(one), natural(one.stock.level.campaign_id)))
