"""The alert book: what becomes of a condition's one alert each time somebody looks, and whether people are told.

    seen        no entry -> open · open -> open, counted · resolved a short while ago -> open again
    over        open, acknowledged -> resolved
    tell        opened · raised to a worse level · repeated while nobody acknowledges · resolved

People are notified of the end of what they were notified of, and of nothing else. A condition that comes back within
the flap window after that is kept from them until the window is over: one pair of notices a window at most.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from kylink_cli.rules.alerts import is_worse
from kylink_cli.rules.vocabulary import AlertLevel, AlertState

Event = Literal["opened", "raised", "repeated", "resolved"]


@dataclass(frozen=True, slots=True)
class BookRules:
    """When people are told again.

    Attributes:
        repeat: an unacknowledged alert is repeated after this time.
        flap: a condition that comes back is notified of at most once in this time.
    """

    repeat: timedelta
    flap: timedelta


@dataclass(frozen=True, slots=True)
class Entry:
    """What the book holds of a condition.

    Attributes:
        state: whether it goes on, and whether somebody has taken it on.
        level: how bad it is.
        announced: whether people were notified of it, and not yet of its end.
        told_level: the worst level that they were notified of; None if they never were.
        told_at: when they were notified of it last.
    """

    state: AlertState
    level: AlertLevel
    announced: bool = False
    told_level: AlertLevel | None = None
    told_at: datetime | None = None

    @property
    def is_worse_than_told(self) -> bool:
        """Whether it is worse than people know."""
        return self.told_level is not None and is_worse(self.level, self.told_level)


def seen(entry: Entry | None, level: AlertLevel) -> Entry:
    """The condition is there.

    An alert that gets worse than what was acknowledged is open again: that was not acknowledged.

    Args:
        entry: its alert, unresolved or resolved within the flap window; None if there is none.
        level: how bad it is now.
    """
    if entry is None:
        return Entry(AlertState.OPEN, level)
    now_at = replace(entry, level=level)
    outgrew = is_worse(level, entry.told_level or entry.level)
    return replace(now_at, state=AlertState.OPEN) if entry.state == AlertState.RESOLVED or outgrew else now_at


def over(entry: Entry) -> Entry:
    """The condition is over."""
    return replace(entry, state=AlertState.RESOLVED)


def tell(entry: Entry, rules: BookRules, now: datetime, *, silenced: bool) -> tuple[Entry, Event | None]:
    """Decide whether people are notified of an alert, and of what.

    Args:
        entry: the alert as it is.
        rules: when people are told again.
        now: the moment of the decision.
        silenced: whether it is muted. What is silenced counts as never notified of, so that people hear of it
            once the silence ends and it still goes on.

    Returns:
        The entry after telling, and what is told; None for nothing.
    """
    if silenced:
        return replace(entry, announced=False), None
    if entry.state == AlertState.RESOLVED:
        return replace(entry, announced=False), "resolved" if entry.announced else None
    event = _event(entry, rules, now)
    if event is None:
        return entry, None
    worst = entry.told_level if entry.announced and not entry.is_worse_than_told else entry.level
    return replace(entry, announced=True, told_level=worst, told_at=now), event


def _event(entry: Entry, rules: BookRules, now: datetime) -> Event | None:
    since = None if entry.told_at is None else now - entry.told_at
    if not entry.announced:
        is_damped = since is not None and since < rules.flap and not entry.is_worse_than_told
        return None if is_damped else "opened"
    if entry.is_worse_than_told:
        return "raised"
    is_due = entry.state == AlertState.OPEN and since is not None and since >= rules.repeat
    return "repeated" if is_due else None
