"""What will be asked of a campaign: the rate of the coming hours and its spread, out of what was asked of it before.

The hours of four weeks tell the mean rate, how the hours of the day and the days of the week differ from it, and how
unsteady it is: each of them as far as there is evidence for it. The last ten minutes and the last hour raise the rate
at once. The formulas, with their sources, are in `docs/replenishment.md`.
"""

import math
from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kylink_cli.rules.demand import KEPT_HOURS, MINUTES_AN_HOUR, Asked, DemandHistory
from kylink_cli.rules.quantiles import Spread

HOURS_A_DAY = 24
HOURS_A_WEEK = 168

# After so many hours, what was asked for counts for a third of what it did.
MEMORY_HOURS = 72
# A campaign of which nothing is known is taken to use an item in twenty hours; so many items of evidence outweigh it.
UNKNOWN_RATE = 0.05
UNKNOWN_ITEMS = 0.1
# How unsteady campaigns are before their own history tells: squared coefficients of variation, and how many pairs of
# items that came in one hour, or on one day, outweigh them.
USUAL_BURST = 1.0
USUAL_DRIFT = 0.3
USUAL_PAIRS = 10.0
# How much the hours of a day, and the days of a week, may be expected to differ: variances around 1.
SHAPE_VARIANCE = 0.1
WEEKS_FOR_WEEKDAYS = 2
_FADED = tuple(math.exp((0.5 - age) / MEMORY_HOURS) for age in range(KEPT_HOURS + 1))
_FLAT_DAY = (1.0,) * HOURS_A_DAY
_FLAT_WEEK = (1.0,) * 7
# 1970 began on a Thursday.
_FIRST_WEEKDAY = 3


@dataclass(frozen=True, slots=True)
class DemandProfile:
    """How a campaign is used.

    Attributes:
        rate: items an hour, in the mean.
        by_hour: how often the mean, in each hour of the day, UTC.
        by_weekday: how often the mean, on each day of the week, from Monday on.
        burst: how unsteady the hours of a day are: the squared coefficient of variation of their rates.
        drift: the same of the days.
        doubt: how little is known of the mean itself, where the demand has only just begun: the same of the mean.
        is_unasked: whether nobody had asked anything until this hour.
    """

    rate: float
    by_hour: Sequence[float] = _FLAT_DAY
    by_weekday: Sequence[float] = _FLAT_WEEK
    burst: float = USUAL_BURST
    drift: float = USUAL_DRIFT
    doubt: float = 0.0
    is_unasked: bool = False

    def rate_at(self, hour: int) -> float:
        """Items in an hour, counted since 1970."""
        return self.rate * self.by_hour[hour % HOURS_A_DAY] * self._weekday(hour // HOURS_A_DAY)

    def items_on(self, day: int) -> float:
        """Items on a day, counted since 1970."""
        return self.rate * HOURS_A_DAY * self._weekday(day)

    @property
    def items_a_day(self) -> float:
        """Items a day, in the mean of a week."""
        return self.rate * HOURS_A_DAY * sum(self.by_weekday) / 7

    def _weekday(self, day: int) -> float:
        return self.by_weekday[(day + _FIRST_WEEKDAY) % 7]


def profile(hours: Mapping[int, Asked], now_hour: int, age_hours: int) -> DemandProfile:
    """How a campaign is used, by its whole hours.

    Args:
        hours: what was asked for by the hour; what is not before `now_hour` does not count.
        now_hour: the hour that is under way, counted since 1970.
        age_hours: how long the campaign has been there.
    """
    seen = _sum_up(hours, now_hour)
    since = now_hour - seen.first_hour
    age = min(KEPT_HOURS, max(age_hours, since, 1))
    rate, doubt = _mean_rate(seen.faded, age), 0.0
    if seen.items < 2:
        return DemandProfile(rate, is_unasked=not seen.items)
    if (begun := _mean_rate(seen.faded - 1, since)) > rate:
        age, rate, doubt = since, begun, 1 / seen.items + USUAL_BURST / since
    observed_days = max(1.0, age / HOURS_A_DAY)
    pairs_a_day = sum(n * (n - 1) for n in seen.by_day.values())
    drift = _clumping(pairs_a_day, seen.items * (seen.items - 1) / observed_days, USUAL_DRIFT)
    flat_burst = _clumping(seen.pairs, pairs_a_day / HOURS_A_DAY, USUAL_BURST)
    by_hour = _shape(seen.by_hour, observed_days, flat_burst)
    by_weekday: Sequence[float] = _FLAT_WEEK
    if age >= WEEKS_FOR_WEEKDAYS * HOURS_A_WEEK:
        by_weekday = _shape(_weekdays(seen.by_day), observed_days / 7, drift)
    evenness = sum(factor * factor for factor in by_hour) / HOURS_A_DAY
    burst = _clumping(seen.pairs, evenness * pairs_a_day / HOURS_A_DAY, USUAL_BURST)
    return DemandProfile(rate, by_hour, by_weekday, burst, drift, doubt)


@dataclass(frozen=True, slots=True)
class _Summed:
    """What the hours before now come to.

    Attributes:
        items: all that was asked for.
        faded: the same, of which the more is forgotten the longer ago it is.
        pairs: pairs of items that came in one hour, each counted twice.
        by_hour: items in each hour of the day.
        by_day: items on each day that had any.
        first_hour: the first with any; that which is under way if there is none.
    """

    items: int
    faded: float
    pairs: int
    by_hour: Sequence[int]
    by_day: Mapping[int, int]
    first_hour: int


def _sum_up(hours: Mapping[int, Asked], now_hour: int) -> _Summed:
    """One pass over four weeks: a run does this for every campaign that is busy."""
    first_hour, squares, faded = now_hour, 0, 0.0
    by_hour = [0] * HOURS_A_DAY
    by_day: dict[int, int] = defaultdict(int)
    first = now_hour - KEPT_HOURS
    for hour, (taken, refused) in hours.items():
        items = taken + refused
        if items <= 0 or not first <= hour < now_hour:
            continue
        squares += items * items
        faded += items * _FADED[now_hour - hour]
        by_hour[hour % HOURS_A_DAY] += items
        by_day[hour // HOURS_A_DAY] += items
        if hour < first_hour:  # noqa: PLR1730  (a call of min for each hour takes a quarter of the time)
            first_hour = hour
    total = sum(by_hour)
    return _Summed(total, faded, squares - total, by_hour, by_day, first_hour)


def _weekdays(by_day: Mapping[int, int]) -> list[int]:
    weekdays = [0] * 7
    for day, items in by_day.items():
        weekdays[(day + _FIRST_WEEKDAY) % 7] += items
    return weekdays


def _mean_rate(faded: float, age: int) -> float:
    """A mean in which the past fades, and a little of what is usual where there is hardly any past."""
    hours = MEMORY_HOURS * -math.expm1(-age / MEMORY_HOURS)
    return (faded + UNKNOWN_ITEMS) / (hours + UNKNOWN_ITEMS / UNKNOWN_RATE)


def _clumping(pairs: float, expected: float, usual: float) -> float:
    """How unsteady a rate is: by how much pairs of items that came together outnumber those of a steady rate."""
    return max(0.0, (pairs + USUAL_PAIRS * (1 + usual)) / (expected + USUAL_PAIRS) - 1)


def _shape(phases: Sequence[int], rounds: float, unsteadiness: float) -> Sequence[float]:
    """How often the mean each phase is, shrunk to the mean where chance explains the difference.

    Args:
        phases: items of each.
        rounds: how often each was seen.
        unsteadiness: the squared coefficient of variation of one phase in one round.
    """
    mean = sum(phases) / len(phases)
    chance = (rounds / mean + unsteadiness) / rounds
    trust = SHAPE_VARIANCE / (SHAPE_VARIANCE + chance)
    # Packed, since there may be a hundred thousand campaigns.
    return array("d", [1 + trust * (items / mean - 1) for items in phases])


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to be expected of a campaign from now on.

    Attributes:
        profile: how it is used.
        minute: now, minutes since 1970.
        rate: items an hour right now; the last minutes may have raised it.
    """

    profile: DemandProfile
    minute: int
    rate: float

    def items(self, minutes: float) -> float:
        """Items that will be asked for within so many minutes; what raises the rate now is over in an hour."""
        if minutes <= MINUTES_AN_HOUR:
            return self.rate * minutes / MINUTES_AN_HOUR
        return self.rate + self.usual(minutes - MINUTES_AN_HOUR, self.minute + MINUTES_AN_HOUR)

    def usual(self, minutes: float, start: int | None = None) -> float:
        """Items that are usually asked for within so many minutes, from now or a later start on."""
        start = self.minute if start is None else start
        days, rest = divmod(minutes, HOURS_A_DAY * MINUTES_AN_HOUR)
        first_day = start // (HOURS_A_DAY * MINUTES_AN_HOUR)
        items = sum(self.profile.items_on(first_day + day) for day in range(int(days)))
        at = start + days * HOURS_A_DAY * MINUTES_AN_HOUR
        end = at + rest
        while at < end:
            hour = int(at // MINUTES_AN_HOUR)
            until = min(end, (hour + 1) * MINUTES_AN_HOUR)
            items += self.profile.rate_at(hour) * (until - at) / MINUTES_AN_HOUR
            at = until
        return items

    def lasts(self, stock: int) -> float:
        """For how many minutes a stock will do."""
        soon = self.items(MINUTES_AN_HOUR)
        if stock <= soon:
            return MINUTES_AN_HOUR * stock / soon
        days, left = divmod(stock - soon, self.profile.items_a_day)
        at = self.minute + MINUTES_AN_HOUR
        while True:
            hour, past = divmod(at, MINUTES_AN_HOUR)
            rate = self.profile.rate_at(hour) / MINUTES_AN_HOUR
            until_next = MINUTES_AN_HOUR - past
            if left <= rate * until_next:
                return at - self.minute + left / rate + days * HOURS_A_DAY * MINUTES_AN_HOUR
            left -= rate * until_next
            at += until_next

    def spread(self, minutes: float) -> Spread:
        """What will be asked for within so many minutes, with its spread."""
        return Spread(self.items(minutes), _unsteadiness(self.profile, minutes))

    def usual_spread(self, minutes: float) -> Spread:
        """What is usually asked for within so many minutes, with its spread."""
        return Spread(self.usual(minutes), _unsteadiness(self.profile, minutes))


def _unsteadiness(of: DemandProfile, minutes: float) -> float:
    """The squared coefficient of variation of the rate over so many minutes: bursts average out, and days do."""
    hours = minutes / MINUTES_AN_HOUR
    return of.doubt + of.burst / max(1.0, hours) + of.drift / max(1.0, hours / HOURS_A_DAY)


def forecast(of: DemandProfile, history: DemandHistory, minute: int) -> Forecast:
    """What is to be expected from a minute on.

    Bursts are short: the usual rate is the mean of a gamma distribution, and what the last ten minutes and the last
    hour have seen is evidence for another one now. It only ever raises the rate.

    Args:
        of: how the campaign is used.
        history: what was asked for last.
        minute: now, minutes since 1970.
    """
    recent = ((history.last_ten_minutes, 1 / 6), (history.last_hour, 1.0))
    if of.is_unasked and history.last_hour > 1:
        # A few minutes are judged as an hour: they may be all for a long time.
        begun = _mean_rate(history.last_hour - 1, 1)
        of = replace(of, rate=max(of.rate, begun), doubt=1 / history.last_hour + USUAL_BURST)
    usual = of.rate_at(minute // MINUTES_AN_HOUR)
    shape = 1 / max(of.burst + of.doubt, 0.05)
    raised = max((shape + items) / (shape / usual + hours) for items, hours in recent)
    return Forecast(of, minute, max(usual, raised))
