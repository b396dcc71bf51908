"""A circuit breaker: when the service as a whole is down, one probe per delay stands for all calls.

Closed, calls pass. After many failed calls without a success between them they pass no more. Whether the service is
down, or only some campaigns are out of luck, is told by campaigns that have not failed: they make their calls one at a
time. When many campaigns have failed and nothing succeeded, the service is down: it is left alone for the delay, then
the next call is a probe, and others wait for what becomes of it. The campaign that failed last leaves the probe to
another, if another comes. Whatever gets through closes the breaker. (M. Nygard, "Release It!", chapter 5.)
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kylink_cli.language import tr
from kylink_cli.supply.errors import ServiceDownError, SupplyError

FAILED_CALLS = 10
# So many campaigns have to fail before the service is called down.
MANY_CAMPAIGNS = 6
# How long the campaign that failed last waits for another to make the probe.
STEP_BACK_SECONDS = 1.0

T = TypeVar("T")


class Breaker:
    """Guards the calls of one run to one service."""

    def __init__(
        self, delay_seconds: float, on_open: Callable[[ServiceDownError], None], *, probe_first: bool = False
    ) -> None:
        """Start closed, or with a probe that stands for every campaign.

        Args:
            delay_seconds: how long the service is left alone before a probe.
            on_open: told each time that the service is found to be down.
        """
        self._delay = delay_seconds
        self._on_open = on_open
        self._is_open = self._probes_alone = probe_first
        self._probe_due = 0.0
        self._probe: asyncio.Event | None = None
        self._last_error = ""
        self._failed_last = ""
        self._failed_calls = 0
        self._failed_campaigns: set[str] = set()

    async def admit(self, campaign_id: str) -> None:
        """Wait for a probe under way, and go no further while calls of this campaign do not pass.

        Raises:
            ServiceDownError: they do not; `retry_after` says when the next probe is due.
        """
        if self._is_open and campaign_id == self._failed_last and self._now() >= self._probe_due:
            await asyncio.sleep(min(STEP_BACK_SECONDS, self._delay))
        while self._probe is not None:
            await self._probe.wait()
        if self._is_open and not self._may_probe(campaign_id):
            raise self._service_down()

    async def call(self, campaign_id: str, make: Callable[[], Awaitable[T]]) -> T:
        """Make a call: let it pass, make it the probe or refuse it, and learn from how it ends.

        Args:
            make: makes it.

        Raises:
            ServiceDownError: the call was not made.
            SupplyError: it failed.
        """
        await self.admit(campaign_id)
        if self._is_open:
            self._probe = asyncio.Event()
        probe = self._probe
        try:
            made = await make()
        except SupplyError as error:
            self._learn(campaign_id, error, is_probe=probe is not None)
            raise
        else:
            self._close()
            return made
        finally:
            if probe is not None:
                probe.set()
                self._probe = None

    def _may_probe(self, campaign_id: str) -> bool:
        is_untried = not self._probes_alone and not self._is_down and campaign_id not in self._failed_campaigns
        return is_untried or self._now() >= self._probe_due

    @property
    def _is_down(self) -> bool:
        return len(self._failed_campaigns) >= MANY_CAMPAIGNS

    def _learn(self, campaign_id: str, error: SupplyError, *, is_probe: bool) -> None:
        if not error.service_down:
            self._close()
            return
        was_known = self._is_open and self._is_down
        self._last_error, self._failed_last = str(error), campaign_id
        self._failed_calls += 1
        self._failed_campaigns.add(campaign_id)
        if is_probe or (not self._is_open and self._failed_calls >= FAILED_CALLS):
            self._is_open = True
            self._probe_due = self._now() + self._delay
        if self._is_open and self._is_down and (is_probe or not was_known):
            self._on_open(self._service_down())

    def _close(self) -> None:
        self._is_open = self._probes_alone = False
        self._failed_calls = 0
        self._failed_campaigns.clear()

    def _service_down(self) -> ServiceDownError:
        wait = max(0.0, self._probe_due - self._now())
        text = tr("the supply service is down: {error}", error=self._last_error) if self._is_down else self._last_error
        return ServiceDownError(text, retry_after=wait)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
