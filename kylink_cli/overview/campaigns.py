"""Campaigns with their stock, and what the rule says of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from kylink_cli.rules.demand import MINUTES_AN_HOUR
from kylink_cli.rules.replenishment import Need, Policy, need, runway_minutes
from kylink_cli.rules.text import natural
from kylink_cli.store.figures.campaign_stock import CampaignStock, read_campaign_stock
from kylink_cli.store.levels import Scope

MINUTES_A_DAY = 24 * MINUTES_AN_HOUR


@dataclass(frozen=True, slots=True)
class ShownCampaign:
    """A campaign with its stock, and what the rule says of it."""

    stock: CampaignStock
    need: Need

    @property
    def status(self) -> str:
        """The campaign's status."""
        return "active" if self.stock.level.active else "paused"

    @property
    def failing(self) -> bool:
        """Whether its last run went wrong."""
        return self.stock.level.active and self.stock.last_error is not None

    @property
    def runway(self) -> int | None:
        """How long the stock lasts, minutes; None if nobody asks for it."""
        return runway_minutes(self.need)

    @property
    def expected_24h(self) -> float | None:
        """Items that are to be expected to be asked for within 24 hours."""
        is_known = self.need.forecast is not None and self.stock.level.history.hours
        return round(self.need.forecast.items(MINUTES_A_DAY), 1) if is_known and self.need.forecast else None

    @property
    def day_ago(self) -> int:
        """The hour that began 23 to 24 hours ago, counted since 1970."""
        minute = 0 if self.need.forecast is None else self.need.forecast.minute
        return minute // MINUTES_AN_HOUR - 23


def read_campaigns(session: Session, policy: Policy, now: datetime, scope: Scope) -> list[ShownCampaign]:
    """The campaigns of a scope, by as many statements however many there are."""
    return [ShownCampaign(stock, need(stock.level, policy, now)) for stock in read_campaign_stock(session, now, scope)]


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
