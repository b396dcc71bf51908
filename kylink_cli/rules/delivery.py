"""When a notification that did not arrive is sent again, and when nobody tries any more."""

from datetime import timedelta

GIVE_UP_AFTER = timedelta(hours=24)
_FIRST_DELAY = timedelta(minutes=1)
_LONGEST_DELAY = timedelta(hours=1)


def retry_delay(failures: int) -> timedelta:
    """How long a notification waits after a try that failed: a minute, then twice as long each time, an hour at most.

    Args:
        failures: tries that have failed, at least 1.
    """
    # Bounded before it is used as an exponent: a timedelta holds no more than a billion days.
    doublings: int = 2 ** min(failures - 1, 10)
    return min(_LONGEST_DELAY, _FIRST_DELAY * doublings)
