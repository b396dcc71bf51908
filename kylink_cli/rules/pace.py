"""How many rows a job changes in one transaction: as many as keep a consumer waiting for a moment only.

SQLite lets one writer in at a time, and how long a thousand rows take depends on the machine and on what else it does.
So the size of a batch follows from how long the work of the one before it took. The commit is left out: it takes as
long for few rows as for many, so that a slow disk is no reason for more commits.
"""

from dataclasses import dataclass
from typing import Final

BATCH_SECONDS: Final = 0.02
# The first batch has as few as the smallest.
FEWEST_ROWS: Final = 500
MOST_ROWS: Final = 50_000


@dataclass(slots=True)
class Pace:
    """The pace of one kind of batches.

    Attributes:
        most: the most rows that a batch may have.
        rows: how many the next one may have.
    """

    most: int = MOST_ROWS
    rows: int = 0

    def __post_init__(self) -> None:
        self.rows = min(FEWEST_ROWS, self.most)

    def learn(self, seconds: float) -> None:
        """Set the size of the next batch by how long the work of a full one took: at most twice as large, or half."""
        fitting = self.rows * BATCH_SECONDS / max(seconds, 1e-6)
        bounded = min(max(fitting, self.rows / 2), self.rows * 2)
        self.rows = min(self.most, max(FEWEST_ROWS, round(bounded)))
