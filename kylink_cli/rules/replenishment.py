"""How much a campaign needs: watermark, target, order and the order of work.

The model is the (s, S) inventory policy: when the stock falls below the reorder point s (the watermark), it is
ordered up to the level S (the target). The rule `forecast` takes them from the demand that is to be expected
(`reorder.py`), the rule `cover` from the consumption of the last day.
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kylink_cli.rules.demand import MINUTES_AN_HOUR, NO_HISTORY, DemandHistory
from kylink_cli.rules.forecast import DemandProfile, Forecast, forecast, profile
from kylink_cli.rules.order_limits import Limited
from kylink_cli.rules.reorder import Aim, Reorder, reorder
from kylink_cli.rules.text import natural
from kylink_cli.rules.vocabulary import ReplenishRule, ResultStatus, WatermarkSource

NEW_CAMPAIGN_AGE = timedelta(hours=24)
# A campaign that uses less in an hour has the same reorder point all day.
QUIET_RATE = 0.2
# What was asked for in the last hour raises a forecast, and has to be forgotten again.
RECENT_MINUTES = 70


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that decide how much is kept in stock.

    Attributes:
        watermark_min: lowest dynamic watermark, items.
        watermark_max: highest dynamic watermark, items; of the rule `cover` only.
        watermark_default: watermark of a new campaign of which nobody has asked anything yet, items.
        cover_hours: hours of consumption that the watermark has to cover; of the rule `cover` only.
        batch_size: smallest order-up-to level of the rule `cover`, and of a new campaign, items.
        rule: by which rule.
        service_level: the certainty with which the stock lasts until more comes; of the rule `forecast` only.
        cover_minutes: how long the supply may fail, minutes; of the rule `forecast` only.
        look_minutes: the time until a run looks at the stock again, minutes.
        life_minutes: how long an item may be used, minutes.
    """

    watermark_min: int
    watermark_max: int
    watermark_default: int
    cover_hours: float
    batch_size: int
    rule: ReplenishRule
    service_level: float
    cover_minutes: float
    look_minutes: float
    life_minutes: float

    @property
    def aim(self) -> Aim:
        """What the stock is to withstand, by the forecast."""
        return Aim(self.service_level, self.cover_minutes, self.look_minutes, self.watermark_min, self.life_minutes)


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
        own_order_limit: the campaign's own limit on items ordered in 24 hours; 0 for no limit, None for the setting's.
        active: whether it is kept in stock; a paused campaign is never low.
        has_open_requests: whether earlier runs asked for items and got no definite answer.
        history: what was asked of it.
        profile: how it is used, where somebody has worked it out of the history already.
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
    own_order_limit: int | None = None
    active: bool = True
    has_open_requests: bool = False
    history: DemandHistory = NO_HISTORY
    profile: DemandProfile | None = None

    def foresee(self, now: datetime) -> Forecast:
        """What is to be expected of it."""
        minute = int(now.timestamp() // 60)
        hour = minute // MINUTES_AN_HOUR
        age = hour - int(self.created_at.timestamp() // 3600)
        return forecast(self.profile or profile(self.history.hours, hour, age), self.history, minute)

    def is_new(self, now: datetime) -> bool:
        """Whether nobody has had the time to ask anything of it."""
        is_young = now - self.created_at < NEW_CAMPAIGN_AGE
        return is_young and self.consumed_24h == 0 and not self.history.hours


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
        limited: what is missing and not ordered, since a limit of 24 hours is reached; None if none is.
        forecast: what is to be expected of it.
        reorder: what decided the watermark and the target; None if something else than the forecast did.
    """

    level: Level
    watermark: Watermark
    target: int
    order: int
    forecast: Forecast | None = None
    reorder: Reorder | None = None
    limited: Limited | None = None

    @property
    def low(self) -> bool:
        """Whether the campaign is active and its stock below the watermark."""
        return self.level.active and self.level.available < self.watermark.items

    def limited_by(self, limited: Limited | None) -> "Need":
        """The same with fewer items to order, if a limit of 24 hours is reached."""
        return self if limited is None else replace(self, order=self.order - limited.items, limited=limited)


def watermark(level: Level, policy: Policy, now: datetime) -> Watermark:
    """The reorder point of a campaign by the rule `cover`.

    A campaign's own watermark wins. Otherwise the consumption of the last 24 hours, spread evenly, must be covered for
    `policy.cover_hours`, rounded up and clamped. A campaign that has never consumed anything and is younger than 24
    hours gets the default; an older one without consumption the minimum.

    Returns:
        The watermark in items, with its source and whether the maximum binds.
    """
    if level.own_watermark is not None:
        return Watermark(level.own_watermark, WatermarkSource.OWN)
    if level.is_new(now):
        return Watermark(policy.watermark_default, WatermarkSource.DEFAULT)
    wanted = math.ceil(level.consumed_24h * policy.cover_hours / 24)
    clamped = min(max(wanted, policy.watermark_min), policy.watermark_max)
    return Watermark(clamped, WatermarkSource.DYNAMIC, capped=wanted > policy.watermark_max)


def target(level: Level, reorder_point: int, policy: Policy) -> int:
    """The order-up-to level of a campaign by the rule `cover`, always above its watermark.

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
        quantity: order exactly this many items, instead of up to the target.
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
    decided = _decide(level, policy, now)
    if not level.active or (level.available >= decided.watermark.items and not demand.force):
        return decided
    order = decided.target - level.available
    if demand.force:
        order = max(order, policy.batch_size if policy.rule == ReplenishRule.COVER else 1)
    return replace(decided, order=demand.quantity or max(0, order))


def _decide(level: Level, policy: Policy, now: datetime) -> Need:
    """The watermark and target of a campaign; its own win, and a new one begins with the defaults."""
    foreseen = level.foresee(now)
    if policy.rule == ReplenishRule.COVER or level.is_new(now):
        mark = watermark(level, policy, now)
        return Need(level, mark, target(level, mark.items, policy), 0, foreseen)
    decided = reorder(foreseen, policy.aim)
    mark = Watermark(decided.point, WatermarkSource.DYNAMIC)
    if level.own_watermark is not None:
        mark = Watermark(level.own_watermark, WatermarkSource.OWN)
    upto = decided.upto if level.own_target is None else level.own_target
    return Need(level, mark, max(upto, mark.items), 0, foreseen, decided)


def runway_minutes(need: Need) -> int | None:
    """How long the stock of a campaign lasts at the demand that is to be expected.

    Returns:
        Whole minutes, 0 of what is empty; None where nobody has asked anything in four weeks.
    """
    level = need.level
    if level.available == 0:
        return 0
    if need.forecast is None or not (level.history.hours or level.consumed_24h):
        return None
    return int(need.forecast.lasts(level.available))


def settled_hours(need: Need, now: datetime) -> int:
    """For how many hours a campaign's reorder point stays as it is, unless somebody asks for something.

    The time of day does not move that of a quiet campaign, and the past fades slowly.
    """
    is_quiet = need.forecast is not None and need.forecast.rate < QUIET_RATE and not need.level.is_new(now)
    return 24 if is_quiet else 1


def urgency(need: Need) -> tuple[float, float, tuple[tuple[float, str], ...]]:
    """Sort key for the order of work: the shortest runway first; of empty campaigns the one with more demand.

    A run that must stop early has then served who needed it most. The id makes the order the same every time.
    """
    runway = runway_minutes(need)
    demand = 0.0 if need.forecast is None or not need.level.history.hours else need.forecast.rate
    return (math.inf if runway is None else runway, -demand, natural(need.level.campaign_id))


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
