"""Waiting for conditions instead of sleeping."""

import time
from collections.abc import Callable

PATIENCE_SECONDS = 60
_POLL_SECONDS = 0.01


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Return once a condition holds; fail if it has not come to hold after a generous time.

    Args:
        condition: looked at again and again.
        what: what is waited for, for the failure's message.
    """
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {PATIENCE_SECONDS} s in vain for {what}")
        time.sleep(_POLL_SECONDS)
