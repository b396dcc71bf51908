"""Clocks that are set once and jump no more: what is done later is never recorded as earlier."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def local_clock() -> Clock:
    """A clock that is set by this host's."""
    return steady_clock(datetime.now(UTC), uptime())


def steady_clock(moment: datetime, at: float) -> Clock:
    """A clock that showed a moment when the uptime was `at` seconds."""
    return lambda: moment + timedelta(seconds=uptime() - at)


def uptime() -> float:
    """Seconds that go on while the machine sleeps, and that nobody sets."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
