"""Holding a service's answers back until the test lets them go."""

import asyncio
import threading

from kylink_cli.demo.service import Call
from tests.support.waiting import wait_until


class Gate:
    """A behaviour of `SupplyService`: calls wait at the gate until it is opened."""

    def __init__(self, *, charges: bool = False) -> None:
        """Close the gate.

        Args:
            charges: whether a call is charged before it waits.
        """
        self.waiting = 0
        self._charges = charges
        self._opened = threading.Event()
        self._passes = 0

    async def __call__(self, call: Call) -> None:
        """Hold one call."""
        if self._charges:
            call.service.charge(call)
        self.waiting += 1
        while not self._opened.is_set() and self._passes <= 0:  # noqa: ASYNC110  (the test's thread opens it)
            await asyncio.sleep(0.01)
        self._passes -= 1

    def wait_for_calls(self, number: int) -> None:
        """Wait until so many calls have come."""
        wait_until(lambda: self.waiting >= number, f"{number} calls at the gate")

    def let_through(self, calls: int) -> None:
        """Let so many calls go on, those that wait first."""
        self._passes = calls

    def open(self) -> None:
        """Let all calls go on."""
        self._opened.set()
