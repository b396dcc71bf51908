"""When a failed try is repeated."""

import asyncio

import pytest

from kylink_cli.supply.errors import BusyError, RefusedError, SupplyError, UnreachableError
from kylink_cli.supply.retry import RetryPolicy, retrying


class _Tries:
    """Runs a try that fails with given errors, and notes the waits."""

    def __init__(self, policy: RetryPolicy, errors: list[Exception], time_left: float = 1e9) -> None:
        self.policy = policy
        self.errors = errors
        self.time_left = time_left
        self.made = 0
        self.waits: list[float] = []
        self.announced: list[tuple[str, float]] = []

    def run(self) -> None:
        asyncio.run(self._run())

    async def _run(self) -> None:
        tries = retrying(
            self.policy,
            sleep=self._sleep,
            time_left=lambda: self.time_left,
            on_wait=lambda error, seconds: self.announced.append((str(error), seconds)),
        )
        async for attempt in tries:
            with attempt:
                self.made += 1
                if self.errors:
                    raise self.errors.pop(0)

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


def _unreachable(number: int) -> list[Exception]:
    return [UnreachableError("refused") for _ in range(number)]


def test_a_retryable_error_is_tried_again_after_the_delay() -> None:
    tries = _Tries(RetryPolicy(3, 60), _unreachable(2))
    tries.run()
    assert (tries.made, tries.waits) == (3, [60, 60])
    assert tries.announced == [("refused", 60), ("refused", 60)]


def test_the_last_error_is_raised_when_the_tries_are_used_up() -> None:
    tries = _Tries(RetryPolicy(3, 60), _unreachable(5))
    with pytest.raises(UnreachableError):
        tries.run()
    assert tries.made == 3


@pytest.mark.parametrize("error", [RefusedError("HTTP 404"), ValueError("a bug")])
def test_what_no_retry_mends_is_not_retried(error: Exception) -> None:
    tries = _Tries(RetryPolicy(3, 60), [error])
    with pytest.raises(type(error)):
        tries.run()
    assert (tries.made, tries.waits) == (1, [])


def test_retry_after_takes_the_place_of_the_delay() -> None:
    errors: list[Exception] = [BusyError("HTTP 429", retry_after=7)]
    tries = _Tries(RetryPolicy(3, 60), errors)
    tries.run()
    assert tries.waits == [7]


def test_a_try_that_would_begin_after_the_deadline_is_not_waited_for() -> None:
    errors: list[Exception] = [BusyError("HTTP 429", retry_after=700)]
    tries = _Tries(RetryPolicy(3, 60), errors, time_left=600)
    with pytest.raises(SupplyError):
        tries.run()
    assert (tries.made, tries.waits) == (1, [])


def test_exponential_backoff_doubles_with_jitter_on_top() -> None:
    tries = _Tries(RetryPolicy(5, 10, "exponential"), _unreachable(4))
    tries.run()
    for number, wait in enumerate(tries.waits):
        assert 10 * 2**number <= wait <= 10 * 2**number + 10
