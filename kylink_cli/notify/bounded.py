"""A time limit that really bounds: what hangs is left to itself."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


async def bounded(act: Callable[[], T], seconds: float) -> T:
    """Do something in a thread of its own, and wait for it no longer than this.

    A daemon thread, since nobody waits for those: not the event loop at its end, as it does for its own threads and
    thereby for a name server that never answers, and not the interpreter.

    Args:
        act: what is done; it is not stopped, only left to itself.

    Raises:
        TimeoutError: it was not done in time.
        Exception: what `act` raised.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop has ended: nobody waits any more
            loop.call_soon_threadsafe(lambda: None if future.done() else result())

    def run() -> None:
        try:
            value = act()
        except Exception as error:  # noqa: BLE001  (whatever it is belongs to who waits)
            reason = error
            settle(lambda: future.set_exception(reason))
        else:
            settle(lambda: future.set_result(value))

    Thread(target=run, daemon=True).start()
    async with asyncio.timeout(seconds):
        return await future
