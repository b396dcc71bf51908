"""A period cut into equal steps, and figures of hours put into them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

from kylink_cli.language import ntr, tr
from kylink_cli.report.parts import Axis
from kylink_cli.rules.figures import Period

_HOUR = 3600
_STEPS = (1, 2, 3, 6, 12, 24)
_MOST_STEPS = 60


class OfHour(Protocol):
    """Figures of one hour."""

    @property
    def hour(self) -> datetime:
        """When the hour began."""


T = TypeVar("T", bound=OfHour)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Equal steps that cover a period."""

    starts: Sequence[int]  # seconds since 1970
    step_hours: int

    @classmethod
    def of(cls, period: Period) -> "Timeline":
        """Steps of whole hours that divide a day, as many as can be told apart; whole days in a long period."""
        hours = (period.until - period.since).total_seconds() / _HOUR
        step = next((step for step in _STEPS if hours / step <= _MOST_STEPS), _STEPS[-1])
        first = int(period.since.timestamp()) // (step * _HOUR) * step * _HOUR
        return cls(range(first, int(period.until.timestamp()) + 1, step * _HOUR), step)

    @property
    def axis(self) -> Axis:
        """The steps as the horizontal axis of a chart."""
        moments = [datetime.fromtimestamp(start, UTC) for start in self.starts]
        pattern = "%Y-%m-%d" if self.step_hours == _STEPS[-1] else "%Y-%m-%d %H:%M"
        return Axis(self.title, "time", self.starts, [f"{moment:{pattern}}" for moment in moments])

    @property
    def title(self) -> str:
        """What the axis shows."""
        step = ntr("{n} hour", "{n} hours", self.step_hours)
        return tr("time (UTC, in steps of {step})", step=step)

    def grouped(self, figures: Iterable[T]) -> list[list[T]]:
        """The figures of each step."""
        groups: list[list[T]] = [[] for _ in self.starts]
        for one in figures:
            index = (int(one.hour.timestamp()) - self.starts[0]) // (self.step_hours * _HOUR)
            if 0 <= index < len(groups):
                groups[index].append(one)
        return groups

    def totals(self, figures: Iterable[T], number: Callable[[T], int]) -> list[int]:
        """What the figures of each step come to."""
        return [sum(map(number, group)) for group in self.grouped(figures)]


def within(period: Period) -> str:
    """The length of a period in words, as in '7 days'."""
    return ntr("{n} day", "{n} days", (period.until - period.since) // timedelta(days=1))
