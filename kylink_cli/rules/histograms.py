"""How long things took, counted by length."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

# Upper bounds, seconds: a call is a matter of seconds, a run one of minutes.
CALL_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
RUN_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Durations, counted.

    Attributes:
        bounds: upper bounds, seconds, ascending.
        within: how many durations are at most as long as each bound.
        number: how many there are in all.
        seconds: how long they are together.
    """

    bounds: tuple[float, ...]
    within: tuple[int, ...]
    number: int
    seconds: float

    @classmethod
    def total(cls, bounds: tuple[float, ...], parts: Iterable[Self]) -> Self:
        """What several histograms of the same bounds come to."""
        within, number, seconds = [0] * len(bounds), 0, 0.0
        for part in parts:
            within = [sum(pair) for pair in zip(within, part.within, strict=True)]
            number, seconds = number + part.number, seconds + part.seconds
        return cls(bounds, tuple(within), number, seconds)

    @property
    def mean(self) -> float | None:
        """The mean, seconds; None of none."""
        return self.seconds / self.number if self.number else None

    def quantile(self, share: float) -> float | None:
        """An estimate of the duration that a share of all stays within, as if they lay evenly between bounds.

        Args:
            share: 0 to 1, for example 0.95.

        Returns:
            Seconds, at most the last bound; None of none.
        """
        if not self.number:
            return None
        rank = share * self.number
        edges = [(0.0, 0), *zip(self.bounds, self.within, strict=True)]
        for (low, below), (high, within) in pairwise(edges):
            if within >= rank and within > below:
                return low + (high - low) * (rank - below) / (within - below)
        return self.bounds[-1]
