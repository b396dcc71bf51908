"""What consumers asked of a campaign: items that they got, and items that they were refused for want of stock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

MINUTES_AN_HOUR = 60
# Demand is remembered for four weeks.
KEPT_HOURS = 28 * 24


class Asked(NamedTuple):
    """What consumers asked for in one hour: items that they got and kept, and items that they did not get."""

    taken: int
    refused: int

    @property
    def items(self) -> int:
        """All that they asked for."""
        return self.taken + self.refused


# By the number of hours since 1970; an hour without demand is missing.
Hours = Mapping[int, Asked]


@dataclass(frozen=True, slots=True)
class DemandHistory:
    """What was asked of a campaign until now.

    Attributes:
        hours: by the hour, for four weeks.
        last_ten_minutes: items asked for in the last ten minutes.
        last_hour: items asked for in the last sixty minutes.
    """

    hours: Hours = field(default_factory=dict)
    last_ten_minutes: int = 0
    last_hour: int = 0

    def since(self, hour: int) -> Asked:
        """What was asked for from the beginning of an hour on."""
        found = [asked for at, asked in self.hours.items() if at >= hour]
        return Asked(sum(asked.taken for asked in found), sum(asked.refused for asked in found))


NO_HISTORY = DemandHistory()


def add_hours(hours: Hours, more: Hours) -> dict[int, Asked]:
    """Hours of which both have something hold the sum."""
    return add_minutes(hours, ((hour * MINUTES_AN_HOUR, *asked) for hour, asked in more.items()))


def add_minutes(hours: Hours, minutes: Iterable[tuple[int, int, int]]) -> dict[int, Asked]:
    """Add minutes, each with items taken and refused, to the hours in which they are."""
    summed, nothing = dict(hours), Asked(0, 0)
    for minute, taken, refused in minutes:
        hour = minute // MINUTES_AN_HOUR
        before = summed.get(hour, nothing)
        summed[hour] = Asked(before.taken + taken, before.refused + refused)
    return summed
