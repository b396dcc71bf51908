"""Waiting for conditions instead of sleeping."""

import time
from collections.abc import Callable

PATIENCE_SECONDS = 60
_POLL_SECONDS = 0.01


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Return once a condition holds; fail if it has not come to hold after a generous time.

    Args:
        condition: looked at again and again.
        what: what is waited for, for the failure's message.
        seconds: the generous time.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(_POLL_SECONDS)
