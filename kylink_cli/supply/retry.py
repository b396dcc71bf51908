"""When a failed try is repeated: named errors only, a bounded number of tries, and never past the deadline."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
    wait_fixed,
)

from kylink_cli.supply.errors import SupplyError


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and when a failed try is repeated."""

    tries: int  # in all
    delay_seconds: float  # before a try is repeated
    backoff: Literal["fixed", "exponential"] = "fixed"  # `exponential`: doubling, with up to one delay of jitter on top


def retrying(
    policy: RetryPolicy,
    *,
    sleep: Callable[[float], Awaitable[None]],
    time_left: Callable[[], float],
    on_wait: Callable[[SupplyError, float], None],
) -> AsyncRetrying:
    """Tries, as tenacity iterates over them; the last error is raised when they are used up.

    Args:
        policy: how often and when.
        sleep: waits that many seconds.
        time_left: seconds until the deadline; a try that would begin later is not waited for.
        on_wait: told before each wait: the error, and the wait in seconds.
    """
    has_no_tries_left = stop_after_attempt(policy.tries)

    def is_too_late(state: RetryCallState) -> bool:
        return state.upcoming_sleep >= time_left()

    def before_sleep(state: RetryCallState) -> None:
        on_wait(_error(state), state.upcoming_sleep)

    return AsyncRetrying(
        retry=retry_if_exception(lambda error: isinstance(error, SupplyError) and error.retryable),
        stop=lambda state: has_no_tries_left(state) or is_too_late(state),
        wait=_wait(policy),
        sleep=sleep,
        before_sleep=before_sleep,
        reraise=True,
    )


def _wait(policy: RetryPolicy) -> Callable[[RetryCallState], float]:
    """The service's own `Retry-After`, else the policy's delay."""
    by_policy = (
        wait_fixed(policy.delay_seconds)
        if policy.backoff == "fixed"
        else wait_exponential_jitter(multiplier=policy.delay_seconds, max=3600, jitter=policy.delay_seconds)
    )

    def wait(state: RetryCallState) -> float:
        asked = _error(state).retry_after
        return by_policy(state) if asked is None else asked

    return wait


def _error(state: RetryCallState) -> SupplyError:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, SupplyError):
        raise TypeError("only supply errors are retried")
    return error
