"""How often a key may ask: a bucket of tokens for each, that fills again with time."""

import math
from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from kylink_cli.language import tr
from kylink_cli.serving.problems import Problem
from kylink_cli.store.engine.clock import uptime

# Keys that are none, of one address, before their owner is told to wait.
FAILURES_A_SECOND: Final = 10.0

# So many seconds' worth of requests may come at once.
_BURST_SECONDS: Final = 2.0
_REMEMBERED: Final = 10_000


class Buckets:
    """A bucket for each of those who ask; those who have not asked for long are forgotten."""

    def __init__(self, per_second: float, clock: Callable[[], float] = uptime) -> None:
        """Let so many requests through in the long run.

        Args:
            per_second: requests of one who asks.
            clock: seconds that only go on.
        """
        self._per_second = per_second
        self._size = max(1.0, per_second * _BURST_SECONDS)
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, name: str) -> float:
        """Take a token; how long to wait for one, seconds, and 0 if there was one."""
        now = self._clock()
        tokens, at = self._buckets.get(name, (self._size, now))
        tokens = min(self._size, tokens + (now - at) * self._per_second)
        if tokens < 1:
            return (1 - tokens) / self._per_second
        if len(self._buckets) >= _REMEMBERED:
            self._forget(now)
        self._buckets[name] = tokens - 1, now
        return 0

    def _forget(self, now: float) -> None:
        """A full bucket is as good as none."""
        full_before = now - _BURST_SECONDS
        self._buckets = {name: bucket for name, bucket in self._buckets.items() if bucket[1] > full_before}


def too_many(seconds: float) -> Problem:
    """The refusal of one who asks too often, with the time when to go on."""
    after = max(1, math.ceil(seconds))
    return Problem(
        429, "TOO_MANY", tr("too many requests: go on in {seconds} s", seconds=after), {"Retry-After": str(after)}
    )


class RateLimit:
    """Lets each key through so many times a second."""

    def __init__(self, app: ASGIApp, per_second: float) -> None:
        self._app = app
        self._buckets = Buckets(per_second)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through.

        Raises:
            Problem: its key asks too often.
        """
        caller = scope["state"].get("caller") if scope["type"] == "http" else None
        if caller is not None and (seconds := self._buckets.take(caller.public_id)) > 0:
            raise too_many(seconds)
        await self._app(scope, receive, send)
