"""The demand that is replayed: when each item was asked for, of each campaign."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kylink_cli.rules.demand import MINUTES_AN_HOUR, Hours

MINUTES_A_DAY = 24 * MINUTES_AN_HOUR


@dataclass(frozen=True, slots=True)
class Own:
    """What a campaign has of its own, which wins over rules and settings; None where it has nothing.

    Attributes:
        watermark: items.
        target: the order-up-to level, items.
        order_limit: items that may be ordered in 24 hours; 0 for no limit.
    """

    watermark: int | None = None
    target: int | None = None
    order_limit: int | None = None


NOTHING_OWN = Own()


@dataclass(frozen=True, slots=True)
class Steps:
    """The demand of one campaign, counted step by step: items asked for, by the minute in which a step begins."""

    campaign_id: str
    counts: Sequence[tuple[float, int]]
    step: float  # minutes
    own: Own = NOTHING_OWN


@dataclass(frozen=True, slots=True)
class Asking:
    """When the items of one campaign were asked for, minutes, in order."""

    campaign_id: str
    minutes: Sequence[float]
    own: Own = NOTHING_OWN


@dataclass(frozen=True, slots=True)
class ReplayedDemand:
    """The demand of all campaigns, from its first minute to its last."""

    campaigns: Sequence[Asking]
    start: float
    end: float

    @property
    def days(self) -> float:
        """How long it lasts."""
        return (self.end - self.start) / MINUTES_A_DAY


def replayed(series: Sequence[Steps], rate: float | None, seed: int) -> ReplayedDemand:
    """Spread what was counted over its steps, at random; a rate thins it at random, or adds to it, to that mean.

    Args:
        series: what was asked for; at least one item in all.
        rate: items an hour and campaign in the mean; None leaves them as they are.
        seed: the same one gives the same demand again.
    """
    start = min(series_start(one) for one in series)
    end = max(one.counts[-1][0] + one.step for one in series if one.counts)
    chance = random.Random(seed)  # noqa: S311  (nothing secret)
    asked = [Asking(one.campaign_id, _spread(one, _share(one, rate, end - start), chance), one.own) for one in series]
    return ReplayedDemand(asked, start, end)


def series_start(one: Steps) -> float:
    """The first minute of a series; that of one without demand is no one's."""
    return one.counts[0][0] if one.counts else float("inf")


def of_hours(campaign_id: str, hours: Hours, own: Own) -> Steps:
    """The demand that the database has recorded, as steps of an hour."""
    counts = [(float(hour * MINUTES_AN_HOUR), asked.items) for hour, asked in sorted(hours.items())]
    return Steps(campaign_id, counts, MINUTES_AN_HOUR, own)


def _share(one: Steps, rate: float | None, minutes: float) -> float:
    items = sum(count for _, count in one.counts)
    return 1.0 if rate is None or not items else rate * minutes / MINUTES_AN_HOUR / items


def _spread(one: Steps, share: float, chance: random.Random) -> list[float]:
    whole, part = divmod(share, 1)
    minutes: list[float] = []
    for minute, count in one.counts:
        kept = int(whole) * count + (sum(chance.random() < part for _ in range(count)) if part else 0)
        minutes += [minute + chance.random() * one.step for _ in range(kept)]
    return sorted(minutes)


def smallest_distance(minutes: Iterable[float]) -> float:
    """The step of a series: the smallest distance of two of its minutes; of one minute alone, a minute."""
    known = sorted(set(minutes))
    return min((later - one for one, later in pairwise(known)), default=1.0)


def grouped(rows: Iterable[tuple[str, float, int]]) -> Mapping[str, dict[float, int]]:
    """Counts by campaign and minute, those of one minute added up."""
    found: dict[str, dict[float, int]] = {}
    for campaign_id, minute, count in rows:
        counts = found.setdefault(campaign_id, {})
        counts[minute] = counts.get(minute, 0) + count
    return found
