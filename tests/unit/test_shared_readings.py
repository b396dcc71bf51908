"""A reading that several ask for is made once, and each user's is that user's."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from kylink_cli.serving.sharing import Shared


class Readings:
    """Counts what is read, each time with another answer."""

    def __init__(self) -> None:
        self.made: list[str | None] = []

    def of(self, user_id: str | None) -> Callable[[], Awaitable[str]]:
        async def read() -> str:
            self.made.append(user_id)
            number = len(self.made)
            await asyncio.sleep(0)
            return f"{user_id} {number}"

        return read


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_many_who_look_at_once_share_one_reading_and_users_share_none() -> None:
    readings, shared = Readings(), Shared[str](5, Clock())
    viewers: list[str | None] = [None, "u1", "u2"] * 20

    async def look() -> list[str]:
        return await asyncio.gather(*(shared.get(user, readings.of(user)) for user in viewers))

    seen = asyncio.run(look())
    assert sorted(readings.made, key=str) == [None, "u1", "u2"]
    assert all(reading.startswith(f"{user} ") for user, reading in zip(viewers, seen, strict=True))


def test_a_reading_is_shared_for_some_seconds() -> None:
    clock, readings = Clock(), Readings()
    shared = Shared[str](5, clock)

    async def look() -> list[str]:
        seen = []
        for second in (100.0, 104.9, 105.0, 109.0, 300.0):
            clock.seconds = second
            seen.append(await shared.get(None, readings.of(None)))
        return seen

    assert asyncio.run(look()) == ["None 1", "None 1", "None 2", "None 2", "None 3"]


def test_what_fails_is_not_kept_and_holds_nobody_up() -> None:
    readings, shared = Readings(), Shared[str](5, Clock())

    async def fail() -> str:
        raise OSError("away")

    async def look() -> str:
        with pytest.raises(OSError, match="away"):
            await shared.get("u1", fail)
        return await shared.get("u1", readings.of("u1"))

    assert asyncio.run(look()) == "u1 1"


def test_old_readings_are_forgotten() -> None:
    clock, readings = Clock(), Readings()
    shared = Shared[str](5, clock)

    async def look() -> None:
        for number in range(50):
            clock.seconds += 10
            await shared.get(f"u{number}", readings.of("u"))

    asyncio.run(look())
    assert len(shared._kept) == 1
