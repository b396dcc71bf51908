"""How much a campaign needs: watermark, target, order and the order of work.

The model is the (s, S) inventory policy: when the stock falls below the reorder point s (the watermark), it is
ordered up to the level S (the target).
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from kylink_cli.rules.vocabulary import ResultStatus, WatermarkSource

MINUTES_PER_DAY = 24 * 60
NEW_CAMPAIGN_AGE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that decide how much is kept in stock.

    Attributes:
        watermark_min: lowest dynamic watermark, items.
        watermark_max: highest dynamic watermark, items.
        watermark_default: watermark of a new campaign that has consumed nothing yet, items.
        cover_hours: hours of consumption that the watermark has to cover.
        batch_size: smallest order-up-to level, items.
    """

    watermark_min: int = 3
    watermark_max: int = 20
    watermark_default: int = 5
    cover_hours: float = 2
    batch_size: int = 10


@dataclass(frozen=True, slots=True)
class Level:
    """What is known of one campaign's stock at one moment.

    Attributes:
        campaign_id: the campaign.
        user_id: whose campaign it is.
        name: what people call it.
        country: passed on to the supply service.
        source_url: passed on to the supply service.
        created_at: when the campaign was added.
        own_watermark: the campaign's own watermark, items.
        own_target: the campaign's own order-up-to level, items.
        available: items that can be leased now.
        consumed_24h: items consumed in the last 24 hours.
        active: whether it is to be kept in stock; a paused campaign is never low.
        has_open_requests: whether earlier runs asked for items and got no definite answer.
    """

    campaign_id: str
    user_id: str
    name: str
    country: str | None
    source_url: str | None
    created_at: datetime
    own_watermark: int | None
    own_target: int | None
    available: int
    consumed_24h: int
    active: bool = True
    has_open_requests: bool = False


@dataclass(frozen=True, slots=True)
class Watermark:
    """The reorder point of a campaign.

    Attributes:
        items: replenish when fewer are available.
        source: which rule gave it.
        capped: whether the consumption asked for more than the maximum.
    """

    items: int
    source: WatermarkSource
    capped: bool = False


@dataclass(frozen=True, slots=True)
class Need:
    """What one campaign needs, decided from its level.

    Attributes:
        level: the level it was decided from.
        watermark: the reorder point.
        target: the order-up-to level, items.
        order: items to order now; 0 when the campaign is not low.
    """

    level: Level
    watermark: Watermark
    target: int
    order: int

    @property
    def low(self) -> bool:
        """Whether the campaign is active and its stock below the watermark."""
        return self.level.active and self.level.available < self.watermark.items


def watermark(level: Level, policy: Policy, now: datetime) -> Watermark:
    """The reorder point of a campaign.

    A campaign's own watermark wins. Otherwise the consumption of the last 24 hours, spread evenly, must be covered for
    `policy.cover_hours`, rounded up and clamped. A campaign that has never consumed anything and is younger than 24
    hours gets the default; an older one without consumption the minimum.

    Args:
        level: the campaign's level at `now`.
        policy: the settings in force.
        now: the moment of the decision.

    Returns:
        The watermark in items, with its source and whether the maximum binds.
    """
    if level.own_watermark is not None:
        return Watermark(level.own_watermark, WatermarkSource.OWN)
    is_new = now - level.created_at < NEW_CAMPAIGN_AGE
    if is_new and level.consumed_24h == 0:
        return Watermark(policy.watermark_default, WatermarkSource.DEFAULT)
    wanted = math.ceil(level.consumed_24h * policy.cover_hours / 24)
    clamped = min(max(wanted, policy.watermark_min), policy.watermark_max)
    return Watermark(clamped, WatermarkSource.DYNAMIC, capped=wanted > policy.watermark_max)


def target(level: Level, reorder_point: int, policy: Policy) -> int:
    """The order-up-to level of a campaign, always above its watermark.

    Args:
        level: the campaign's level.
        reorder_point: its watermark, items.
        policy: the settings in force.

    Returns:
        The campaign's own target, else the larger of a batch and twice the watermark, items.
    """
    wanted = level.own_target if level.own_target is not None else max(policy.batch_size, 2 * reorder_point)
    return max(wanted, reorder_point + 1)


@dataclass(frozen=True, slots=True)
class Demand:
    """What an operator asks for beyond the rule.

    Attributes:
        force: order even when the campaign is not low, at least one batch.
        quantity: order exactly so many items, instead of up to the target.
    """

    force: bool = False
    quantity: int | None = None


def need(level: Level, policy: Policy, now: datetime, demand: Demand | None = None) -> Need:
    """Decide how much to order for one campaign.

    Args:
        level: the campaign's level at `now`.
        policy: the settings in force.
        now: the moment of the decision.
        demand: what the operator asked for, if anything.

    Returns:
        The campaign's watermark, target and order.
    """
    demand = demand or Demand()
    mark = watermark(level, policy, now)
    upto = target(level, mark.items, policy)
    if not level.active or (level.available >= mark.items and not demand.force):
        return Need(level, mark, upto, order=0)
    order = upto - level.available
    if demand.force:
        order = max(order, policy.batch_size)
    return Need(level, mark, upto, order=demand.quantity or order)


def runway_minutes(level: Level) -> int | None:
    """How long the stock lasts at the burn rate of the last 24 hours.

    Args:
        level: the campaign's level.

    Returns:
        Whole minutes, or None when nothing was consumed in 24 hours.
    """
    if level.consumed_24h == 0:
        return None
    return level.available * MINUTES_PER_DAY // level.consumed_24h


def urgency(need: Need) -> tuple[int, float, str]:
    """Sort key for the order of work: emptiest first, then the shortest runway.

    A run that must stop early has then served who needed it most. The id makes the order the same every time.
    """
    runway = runway_minutes(need.level)
    return (need.level.available, math.inf if runway is None else runway, need.level.campaign_id)


def result_status(need: Need, produced: int, *, complete: bool, stopped: bool) -> ResultStatus:
    """How filling a campaign ended.

    A campaign that is still short counts as failed only if it got nothing or stays below its watermark, and as
    partial otherwise; one that the end of the run cut short has not been served.

    Args:
        need: what it needed.
        produced: items that it got.
        complete: whether it got all that was ordered.
        stopped: whether the run ended before its tries were used up.
    """
    if complete:
        return ResultStatus.SUCCEEDED
    is_above = need.level.available + produced >= need.watermark.items
    if produced > 0 and is_above:
        return ResultStatus.PARTIAL
    return ResultStatus.NOT_SERVED if stopped else ResultStatus.FAILED
