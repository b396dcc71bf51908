"""kylink in a process that kills itself at a named point: `python -m tests.faults.armed POINT NUMBER ARGUMENT…`.

The points are reached from outside, through the events and methods of what kylink uses: kylink knows nothing of them.
"""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

POINTS = ("before commit", "after commit", "before call", "after answer")


def arm(point: str, number: int) -> None:
    """Kill this process when it reaches a point for the n-th time.

    Args:
        point: one of `POINTS`.
        number: counted from 1.
    """
    passes = count(1)

    def reach(*_: Any) -> None:
        if next(passes) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    {
        "before commit": _at_commit,
        "after commit": _after_commit,
        "before call": _before_call,
        "after answer": _after_answer,
    }[point](reach)


def _at_commit(reach: Callable[..., None]) -> None:
    from sqlalchemy import Engine, event

    event.listen(Engine, "commit", reach)


def _after_commit(reach: Callable[..., None]) -> None:
    from sqlalchemy import event
    from sqlalchemy.orm import Session

    event.listen(Session, "after_commit", reach)


def _before_call(reach: Callable[..., None]) -> None:
    import aiohttp

    real = aiohttp.ClientSession.request

    def request(*args: Any, **kwargs: Any) -> Any:
        reach()
        return real(*args, **kwargs)

    aiohttp.ClientSession.request = request  # type: ignore[method-assign]


def _after_answer(reach: Callable[..., None]) -> None:
    import aiohttp

    real = aiohttp.ClientResponse.release

    def release(response: aiohttp.ClientResponse) -> Any:
        reach()
        return real(response)

    aiohttp.ClientResponse.release = release  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    arm(sys.argv[1], int(sys.argv[2]))
    sys.argv = ["kylink", *sys.argv[3:]]
    from kylink_cli.__main__ import main

    main()
