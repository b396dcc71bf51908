"""The till: what was asked for, sold, refused, bought and thrown away."""

from collections.abc import Callable
from dataclasses import dataclass

Book = Callable[[float, str, str, int], None]


def no_book(minute: float, campaign_id: str, event: str, quantity: int) -> None:
    """Nobody writes down what happens."""


@dataclass(slots=True)
class Till:
    """The figures of one campaign, or of many added up, under one policy."""

    asked: int = 0
    served: int = 0
    lost: int = 0
    bought: int = 0
    expired: int = 0
    orders: int = 0
    runs: int = 0
    stock_minutes: float = 0  # items times minutes

    def add(self, other: "Till") -> None:
        """Add the figures of another campaign."""
        for name in Till.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def lost_share(self) -> float:
        """The part of what was asked for that was refused."""
        return self.lost / self.asked if self.asked else 0.0

    @property
    def bought_per_used(self) -> float | None:
        """Items bought for each one that was used; None if none was."""
        return self.bought / self.served if self.served else None
