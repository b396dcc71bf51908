"""A reading that several ask for at once, made once and shared for a moment."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from kylink_cli.store.engine.clock import uptime

SECONDS: Final = 5.0

T = TypeVar("T")


@dataclass(slots=True)
class _Kept(Generic[T]):
    reading: list[T] = field(default_factory=list)  # one, or none yet
    until: float = 0.0  # uptime, seconds
    door: asyncio.Lock = field(default_factory=asyncio.Lock)


class Shared(Generic[T]):
    """The last reading for each of those who may see the same; nobody gets another's."""

    def __init__(self, seconds: float = SECONDS, clock: Callable[[], float] = uptime) -> None:
        """Keep readings for a time.

        Args:
            seconds: how long.
            clock: seconds that only go on.
        """
        self._seconds = seconds
        self._clock = clock
        self._kept: dict[str | None, _Kept[T]] = {}

    async def get(self, user_id: str | None, read: Callable[[], Awaitable[T]]) -> T:
        """What was read a moment ago for this user, or what is read now: by one at a time, for whom the others wait.

        Args:
            user_id: whose it is; None for what is everybody's.
            read: reads it anew; what it raises is raised, and nothing is kept.
        """
        kept = self._kept.setdefault(user_id, _Kept())
        async with kept.door:
            if not kept.reading or kept.until <= self._clock():
                kept.reading = [await read()]
                kept.until = self._clock() + self._seconds
                self._forget()
            return kept.reading[0]

    def _forget(self) -> None:
        """Keep nothing that is too old, unless somebody is at it."""
        now = self._clock()
        self._kept = {key: one for key, one in self._kept.items() if one.until > now or one.door.locked()}
