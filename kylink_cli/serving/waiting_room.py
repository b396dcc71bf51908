"""Those who wait for items. They hold no thread: one look for all tells whose turn it is."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from sqlalchemy.orm import Session

from kylink_cli.errors import KylinkError
from kylink_cli.language import tr
from kylink_cli.leasing.taking import POLL_SECONDS, TRY_SECONDS
from kylink_cli.serving.problems import Problem
from kylink_cli.serving.workers import Workers
from kylink_cli.store import waiters
from kylink_cli.store.engine.direct import direct

# Places in queues, of all calls together.
_LIMIT: Final = 5_000
# However long a look takes, the database has so many times as long for others.
_REST: Final = 4


class WaitingRoom:
    """Calls that wait, by their places in the campaigns' queues."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._waiting: dict[int, tuple[str, asyncio.Event]] = {}
        self._somebody = asyncio.Event()
        self.is_closed = False

    @contextmanager
    def seat(self, campaign_ids: Sequence[str], places: Sequence[int]) -> Iterator[asyncio.Event]:
        """Wait in some queues; the event is set when it is worth a try.

        Raises:
            Problem: too many wait already.
        """
        if len(self._waiting) + len(places) > _LIMIT:
            raise Problem(503, "BUSY", tr("too many consumers are waiting: try again"), {"Retry-After": "5"})
        called = asyncio.Event()
        self._waiting |= {place: (campaign_id, called) for campaign_id, place in zip(campaign_ids, places, strict=True)}
        self._somebody.set()
        try:
            yield called
        finally:
            for place in places:
                del self._waiting[place]

    def close(self) -> None:
        """Let everybody try for the last time, and go."""
        self.is_closed = True
        self._call(self._waiting)
        self._somebody.set()

    async def watch(self) -> None:
        """Call those whose turn it is, until the room is closed."""
        loop = asyncio.get_running_loop()
        tried_at = loop.time()
        while not self.is_closed:
            await self._somebody.wait()
            began = loop.time()
            with suppress(KylinkError, Problem):
                self._call(await self._workers.read(self._next))
            if began - tried_at >= TRY_SECONDS:
                tried_at = began
                self._call(self._heads())
            if not self._waiting:
                self._somebody.clear()
            await asyncio.sleep(max(POLL_SECONDS, _REST * (loop.time() - began)))

    def _next(self, session: Session) -> list[int]:
        """The places for which there is something."""
        now = self._workers.database.now()
        with direct(session.connection()) as transaction:
            return [
                place
                for place, (campaign_id, _) in list(self._waiting.items())
                if waiters.is_served_next(transaction, campaign_id, place, now)
            ]

    def _heads(self) -> list[int]:
        """The first place of each queue: whose holder tries in earnest, and rings again."""
        heads = {campaign_id: place for place, (campaign_id, _) in sorted(self._waiting.items(), reverse=True)}
        return list(heads.values())

    def _call(self, places: "Sequence[int] | dict[int, tuple[str, asyncio.Event]]") -> None:
        for place in places:
            if place in self._waiting:
                self._waiting[place][1].set()
