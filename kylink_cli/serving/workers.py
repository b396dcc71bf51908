"""The threads in which the database is asked: as many as it can use, with as much waiting for them as is of use."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Final, TypeVar

from sqlalchemy.orm import Session

from kylink_cli.language import tr
from kylink_cli.serving.problems import Problem
from kylink_cli.store.engine.database import Database

_READERS: Final = 4
_WRITERS_ON_SERVER: Final = 8
# What waits longer than the consumers do is of no use to them.
_LIMIT: Final = 1_000

T = TypeVar("T")


class Workers:
    """Two pools: who looks does not wait for who writes.

    An embedded database lets one writer in at a time; in one thread they come one after the other, without the pauses
    of those who try again.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        writers = 1 if database.path is not None else _WRITERS_ON_SERVER
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="write")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="read")
        self._at_work = 0

    async def write(self, act: Callable[[], T]) -> T:
        """Do an act that changes something.

        Raises:
            Problem: too much waits already.
            DatabaseError: the database failed.
        """
        return await self._do(self._writers, act)

    async def look(self, act: Callable[[], T]) -> T:
        """Do an act that only looks.

        Raises:
            Problem: too much waits already.
            DatabaseError: the database failed.
        """
        return await self._do(self._readers, act)

    async def read(self, act: Callable[[Session], T]) -> T:
        """Read in a transaction of its own.

        Raises:
            Problem: too much waits already.
            DatabaseError: the database failed.
        """
        return await self.look(lambda: self.database.read(act))

    def close(self) -> None:
        """Wait for what is at work, and end the threads."""
        self._writers.shutdown()
        self._readers.shutdown()

    async def _do(self, pool: ThreadPoolExecutor, act: Callable[[], T]) -> T:
        if self._at_work >= _LIMIT:
            raise Problem(503, "BUSY", tr("too many requests are waiting: try again"), {"Retry-After": "1"})
        self._at_work += 1
        # What is said in the thread is said in the language of the one who asks.
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, copy_context().run, act)
        finally:
            self._at_work -= 1
