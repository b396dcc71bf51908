"""What jobs did of what they should: one figure for status, report and metrics."""

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Success:
    """What a job did of what it should.

    Attributes:
        done: campaigns that were filled when a run last tried; of a job that fills none, runs that succeeded.
        of: campaigns that needed something; of a job that fills none, runs that ended.
        counted: which of the two.
    """

    done: int
    of: int
    counted: Literal["campaigns", "runs"]

    @property
    def share(self) -> float | None:
        """The part that was done, 0 to 1; None of nothing."""
        return self.done / self.of if self.of else None


def percent(share: float, digits: int = 0) -> str:
    """A share in percent, never rounded up to all: 999 of 1,000 are 99 %."""
    scale = 10**digits
    shown = math.floor(share * 100 * scale + 1e-9) / scale
    return f"{shown:.{digits}f}%"
