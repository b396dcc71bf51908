"""How many items are asked for with a given certainty: quantiles of the negative binomial distribution."""

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

# Above this mean, and where bursts do not make the distribution lopsided, a formula is as good as adding it up.
EXACT_UP_TO = 50.0
STEADY = 0.5
# A chance below e to the power of minus this is none in floating point.
_SMALLEST_CHANCE = 700.0
_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Spread:
    """A number of items of which only the mean and the spread are known: it has a negative binomial distribution.

    Attributes:
        mean: items.
        unsteadiness: the squared coefficient of variation of the rate behind it; 0 for a Poisson distribution.
    """

    mean: float
    unsteadiness: float

    def quantile(self, certainty: float) -> int:
        """The smallest number that is not exceeded with a certainty.

        Args:
            certainty: above 0 and below 1.
        """
        return 0 if self.mean <= 0 else self._add_up(certainty)

    def surely(self, certainty: float) -> int:
        """The largest number that is reached with a certainty; of many items, nearly so.

        Args:
            certainty: above 0 and below 1.
        """
        if self.mean > EXACT_UP_TO and self.unsteadiness <= STEADY:
            return self._approximate(1 - certainty)
        return self.quantile(1 - certainty)

    def _add_up(self, certainty: float) -> int:
        """Chances of 0, 1, 2 … items, each out of the one before, until they reach the certainty."""
        if self.unsteadiness <= 1e-6:
            nothing, ratio, shrink = self.mean, self.mean, 0.0
        else:
            size = 1 / self.unsteadiness
            shrink = self.mean / (self.mean + size)
            nothing, ratio = size * math.log1p(self.mean * self.unsteadiness), shrink * size
        if nothing > _SMALLEST_CHANCE:
            return self._approximate(certainty)
        chance = reached = math.exp(-nothing)
        for number in range(_LARGEST):
            if reached >= certainty:
                return number
            chance *= (ratio + shrink * number) / (number + 1)
            reached += chance
        return _LARGEST

    def _approximate(self, certainty: float) -> int:
        """Wilson and Hilferty: the cube root of a gamma distribution with this mean and variance is nearly normal."""
        variance = self.mean + self.unsteadiness * self.mean**2
        part = variance / (9 * self.mean**2)
        return math.ceil(self.mean * max(0.0, 1 - part + _normal(certainty) * math.sqrt(part)) ** 3)


@lru_cache(maxsize=64)
def _normal(certainty: float) -> float:
    return NormalDist().inv_cdf(certainty)
