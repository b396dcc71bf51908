"""The run's writes: many campaigns' writes share one transaction, and none of them holds up the event loop.

While one transaction commits, and for a moment after it, further writes queue up for the next. So a write is committed
when `write` returns, and the number of commits grows with time instead of with calls.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from kylink_cli.errors import DatabaseReplacedError
from kylink_cli.running.stop import Stop, StopReason
from kylink_cli.store.engine.clock import Clock
from kylink_cli.store.engine.database import Database

# A commit costs as much as some dozen writes in it; no call waits for one.
GATHER_SECONDS = 0.02

Item = TypeVar("Item")
Result = TypeVar("Result")
Act = Callable[[Session, list[Item], datetime], list[Result]]


@dataclass(slots=True)
class _Waiting:
    act: Act[Any, Any]
    item: Any
    done: "asyncio.Future[Any]"


class Ledger:
    """Collects writes and commits them in groups, in a thread of its own."""

    def __init__(self, database: Database, clock: Clock, stop: Stop) -> None:
        self._database = database
        self._clock = clock
        self._stop = stop
        self._waiting: list[_Waiting] = []
        self._committing: asyncio.Task[None] | None = None
        self._commit_due = 0.0

    async def write(self, act: Act[Item, Result], item: Item) -> Result:
        """Do one act on one item, together with what others want to write now.

        Args:
            act: a set-based write: takes the transaction, all items that wait and the time; returns a result for each.

        Returns:
            The item's result, once it is committed.

        Raises:
            DatabaseError: nothing of the group was written, or (a failed commit) possibly all of it.
        """
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(act, item, done))
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_all())
        result: Result = await done
        return result

    async def close(self) -> None:
        """Wait until everything that was handed in is written."""
        while self._committing is not None and not self._committing.done():
            await asyncio.wait([self._committing])

    async def _commit_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            await asyncio.sleep(self._commit_due - loop.time())
            group, self._waiting = self._waiting, []
            try:
                results = await self._commit_somewhere(group)
            except Exception as error:  # noqa: BLE001  (whoever waits for the write must hear of it)
                _fail(group, error)
            else:
                _resolve(group, results)
            self._commit_due = loop.time() + GATHER_SECONDS

    async def _commit_somewhere(self, group: list[_Waiting]) -> list[Any]:
        """Write a group; if the database's file was taken away, to that file, and end the run."""
        try:
            return await asyncio.to_thread(self._commit, group)
        except DatabaseReplacedError as error:
            self._database.go_adrift()
            self._stop.ask(StopReason(str(error)))
            return await asyncio.to_thread(self._commit, group)

    def _commit(self, group: list[_Waiting]) -> list[Any]:
        """Write a group in one transaction, each act once with all of its items."""

        def write(session: Session) -> list[Any]:
            now = self._clock()
            results: dict[int, Any] = {}
            for act in dict.fromkeys(waiting.act for waiting in group):
                positions = [i for i, waiting in enumerate(group) if waiting.act == act]
                outcomes = act(session, [group[i].item for i in positions], now)
                results.update(zip(positions, outcomes, strict=True))
            return [results[i] for i in range(len(group))]

        return self._database.commit(write)


def _resolve(group: list[_Waiting], results: list[Any]) -> None:
    for waiting, result in zip(group, results, strict=True):
        if not waiting.done.done():
            waiting.done.set_result(result)


def _fail(group: list[_Waiting], error: Exception) -> None:
    for waiting in group:
        if not waiting.done.done():
            waiting.done.set_exception(error)
