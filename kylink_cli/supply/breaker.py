"""A circuit breaker: when the service as a whole is down, one probe per delay stands for all calls.

Closed, calls pass. After many failed calls in a row, of several campaigns, it opens: calls fail at once, without being
made. After the delay the next call is a probe, and others wait for what becomes of it: a probe that gets through closes
the breaker, one that fails opens it for another delay. (M. Nygard, "Release It!", chapter 5.)
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import TypeVar

from kylink_cli.language import tr
from kylink_cli.supply.errors import ServiceDownError, SupplyError

FAILED_CALLS = 10
FAILED_CAMPAIGNS = 3

T = TypeVar("T")


class _State(Enum):
    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


class Breaker:
    """Guards the calls of one run to one service."""

    def __init__(self, delay_seconds: float, on_open: Callable[[ServiceDownError], None]) -> None:
        """Start closed.

        Args:
            delay_seconds: how long it stays open before a probe.
            on_open: told each time that it opens.
        """
        self._delay = delay_seconds
        self._on_open = on_open
        self._state = _State.CLOSED
        self._probe_due = 0.0
        self._probe_over = asyncio.Event()
        self._last_error = ""
        self._failed_calls = 0
        self._failed_campaigns: set[str] = set()

    async def admit(self) -> None:
        """Wait for a probe under way, and go no further while the service is down.

        Raises:
            ServiceDownError: it is; `retry_after` says when the next probe is due.
        """
        while self._state is _State.PROBING:
            await self._probe_over.wait()
        if self._state is _State.OPEN and self._now() < self._probe_due:
            raise self._service_down()

    async def call(self, campaign_id: str, make: Callable[[], Awaitable[T]]) -> T:
        """Make a call: let it pass, make it the probe or refuse it, and learn from how it ends.

        Raises:
            ServiceDownError: the service is down; the call was not made.
            SupplyError: it failed.
        """
        await self.admit()
        is_probe = self._state is _State.OPEN
        if is_probe:
            self._state = _State.PROBING
            self._probe_over.clear()
        try:
            made = await make()
        except SupplyError as error:
            self._learn(campaign_id, error)
            raise
        else:
            self._close()
            return made
        finally:
            if is_probe:
                self._end_probe()

    def _learn(self, campaign_id: str, error: SupplyError) -> None:
        if not error.service_down:
            self._close()
            return
        self._last_error = str(error)
        self._failed_calls += 1
        self._failed_campaigns.add(campaign_id)
        is_everywhere = self._failed_calls >= FAILED_CALLS and len(self._failed_campaigns) >= FAILED_CAMPAIGNS
        if self._state is _State.PROBING or (self._state is _State.CLOSED and is_everywhere):
            self._open()

    def _open(self) -> None:
        self._state = _State.OPEN
        self._probe_due = self._now() + self._delay
        self._on_open(self._service_down())

    def _close(self) -> None:
        self._state = _State.CLOSED
        self._failed_calls = 0
        self._failed_campaigns.clear()

    def _end_probe(self) -> None:
        if self._state is _State.PROBING:
            # The probe was cancelled: the next call is another one.
            self._state = _State.OPEN
        self._probe_over.set()

    def _service_down(self) -> ServiceDownError:
        wait = max(0.0, self._probe_due - self._now())
        return ServiceDownError(tr("the supply service is down: {error}", error=self._last_error), retry_after=wait)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
