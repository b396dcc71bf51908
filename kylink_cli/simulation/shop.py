"""The shop: when it answers, and how long it takes."""

import math
import random
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple


class Outage(NamedTuple):
    """A time in which the shop accepts no order, minutes."""

    start: float
    minutes: float

    @property
    def end(self) -> float:
        """When it is over."""
        return self.start + self.minutes


class Shop:
    """Where items come from. Each order arrives whole, so many minutes after it was accepted."""

    def __init__(self, lead: float, outages: Sequence[Outage] = ()) -> None:
        self.lead = lead
        self._outages = sorted(outages)
        self._ends = list(accumulate((outage.end for outage in self._outages), max))

    def is_open(self, minute: float) -> bool:
        """Whether an order is accepted."""
        before = bisect_right(self._outages, (minute, math.inf))
        return before == 0 or minute >= self._ends[before - 1]


def random_outages(start: float, end: float, minutes: float, every_hours: float, seed: int) -> list[Outage]:
    """Outages of one length that come at random, so often in the mean, one after the other.

    Args:
        start: the first minute.
        end: the last minute.
        minutes: how long each lasts.
        every_hours: the mean time from the end of one to the start of the next, hours.
        seed: the same one gives the same outages again.
    """
    chance = random.Random(f"outages {seed}")  # noqa: S311  (nothing secret)
    found, at = [], start
    while (at := at + chance.expovariate(1 / (every_hours * 60))) < end:
        found.append(Outage(at, minutes))
        at += minutes
    return found
