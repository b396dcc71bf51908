"""Ending a run early: by a signal, at its deadline, at the loss of its lock, or since no call can succeed any more."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from signal import SIGINT, SIGTERM, Signals

from kylink_cli.errors import KylinkError
from kylink_cli.language import tr
from kylink_cli.locks.held import Held
from kylink_cli.supply.errors import SupplyError

GRACE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class StopReason:
    """Why a run ends early."""

    text: str  # for people
    signal: Signals | None = None  # that asked for it, if one did
    error: SupplyError | None = None  # makes every further call pointless, if that is why


class StoppedError(KylinkError):
    """The run ends before this was done."""


class Stop:
    """Says whether the run is to end, wakes who waits, and cuts calls that outlast the grace."""

    def __init__(self, on_stop: Callable[[StopReason], None], grace_seconds: float = GRACE_SECONDS) -> None:
        self.reason: StopReason | None = None
        self._on_stop = on_stop
        self._grace_seconds = grace_seconds
        self._cut_at: float | None = None
        self._deadline = math.inf
        self._asked = asyncio.Event()
        self._calls: set[asyncio.Timeout] = set()

    def ask(self, reason: StopReason) -> None:
        """End the run: no new calls; calls in flight get the grace. The first reason counts."""
        if self.reason is not None:
            return
        self.reason = reason
        self._asked.set()
        self._cut_at = asyncio.get_running_loop().time() + self._grace_seconds
        for call in self._calls:
            call.reschedule(self._cut_at)
        self._on_stop(reason)

    @property
    def is_by_signal(self) -> bool:
        """Whether a signal ends the run."""
        return self.reason is not None and self.reason.signal is not None

    def seconds_left(self) -> float:
        """Until the deadline; without end if there is none."""
        return self._deadline - asyncio.get_running_loop().time()

    def check(self) -> None:
        """Go no further if the run is to end.

        Raises:
            StoppedError: it is.
            SupplyError: it is, because no call can succeed any more.
        """
        if self.reason is None:
            return
        if self.reason.error is not None:
            raise self.reason.error
        raise StoppedError(self.reason.text)

    async def sleep(self, seconds: float) -> None:
        """Wait, but no longer than the run goes on.

        Raises:
            StoppedError: the run is to end.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._asked.wait()
        except TimeoutError:
            return
        self.check()

    @asynccontextmanager
    async def in_flight(self) -> AsyncIterator[None]:
        """Around calls: what outlasts the grace of a stopping run is cut off with `TimeoutError`."""
        async with asyncio.timeout_at(self._cut_at) as call:
            self._calls.add(call)
            try:
                yield
            finally:
                self._calls.discard(call)

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT end the run in good order for the length of a `with` block."""
        loop = asyncio.get_running_loop()
        for number in (SIGTERM, SIGINT):
            loop.add_signal_handler(
                number, self.ask, StopReason(tr("stopped by {name}", name=number.name), signal=number)
            )
        try:
            yield
        finally:
            for number in (SIGTERM, SIGINT):
                loop.remove_signal_handler(number)

    @contextmanager
    def at_loss_of(self, held: Held) -> Iterator[None]:
        """End the run when its lock is lost, for the length of a `with` block."""
        loop = asyncio.get_running_loop()
        held.when_lost(lambda reason: loop.call_soon_threadsafe(self.ask, StopReason(reason)))
        try:
            yield
        finally:
            held.when_lost(None)

    @contextmanager
    def at_deadline(self, seconds: float) -> Iterator[None]:
        """End the run when its time is over, for the length of a `with` block.

        Args:
            seconds: from now.
        """
        reason = StopReason(tr("the run's deadline of {seconds:g} s is reached", seconds=seconds))
        loop = asyncio.get_running_loop()
        self._deadline = loop.time() + seconds
        timer = loop.call_at(self._deadline, self.ask, reason)
        try:
            yield
        finally:
            timer.cancel()
