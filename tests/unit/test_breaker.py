"""The breaker: closed, open after many failures of several campaigns, and one probe per delay."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from kylink_cli.supply.breaker import FAILED_CALLS, MANY_CAMPAIGNS, Breaker
from kylink_cli.supply.errors import RefusedError, ServerFailureError, ServiceDownError, SupplyError, UnreachableError

DELAY = 0.02


async def _call(breaker: Breaker, campaign: str, error: SupplyError | None) -> None:
    async def make() -> None:
        if error is not None:
            raise error

    await breaker.call(campaign, make)


async def _fail(breaker: Breaker, times: int, campaigns: int, error: SupplyError | None = None) -> None:
    for number in range(times):
        with pytest.raises(SupplyError):
            await _call(breaker, f"campaign {number % campaigns}", error or UnreachableError("connection refused"))


def _run(test: Callable[[Breaker, list[ServiceDownError]], Awaitable[None]], delay: float = DELAY) -> None:
    async def main() -> None:
        opened: list[ServiceDownError] = []
        await test(Breaker(delay, opened.append), opened)

    asyncio.run(main())


def test_opens_after_many_failed_calls_of_several_campaigns() -> None:
    async def test(breaker: Breaker, opened: list[ServiceDownError]) -> None:
        await _fail(breaker, FAILED_CALLS, MANY_CAMPAIGNS)
        with pytest.raises(ServiceDownError, match="connection refused"):
            await breaker.admit("campaign 0")
        assert len(opened) == 1

    _run(test, delay=60)


@pytest.mark.parametrize(
    ("times", "campaigns", "error"),
    [
        pytest.param(FAILED_CALLS - 1, MANY_CAMPAIGNS, None, id="one call too few"),
        pytest.param(FAILED_CALLS * 3, 20, RefusedError("HTTP 404"), id="the service answers: it is up"),
        pytest.param(FAILED_CALLS * 3, 20, ServerFailureError("HTTP 500"), id="a failure of single calls"),
    ],
)
def test_stays_closed_otherwise(times: int, campaigns: int, error: SupplyError | None) -> None:
    async def test(breaker: Breaker, opened: list[ServiceDownError]) -> None:
        await _fail(breaker, times, campaigns, error)
        await breaker.admit("campaign 0")
        assert opened == []

    _run(test)


def test_one_campaign_that_fails_again_and_again_is_held_up_and_no_other() -> None:
    async def test(breaker: Breaker, opened: list[ServiceDownError]) -> None:
        await _fail(breaker, FAILED_CALLS, 1)
        with pytest.raises(ServiceDownError, match=r"^connection refused"):
            await breaker.admit("campaign 0")
        await breaker.admit("another")
        assert opened == []

    _run(test, delay=60)


def test_a_success_in_between_starts_the_count_again() -> None:
    async def test(breaker: Breaker, opened: list[ServiceDownError]) -> None:
        await _fail(breaker, FAILED_CALLS - 1, MANY_CAMPAIGNS)
        await _call(breaker, "campaign 0", None)
        await _fail(breaker, FAILED_CALLS - 1, MANY_CAMPAIGNS)
        assert opened == []

    _run(test)


def test_says_when_the_next_probe_is_due() -> None:
    async def test(breaker: Breaker, opened: list[ServiceDownError]) -> None:
        await _fail(breaker, FAILED_CALLS, MANY_CAMPAIGNS)
        [error] = opened
        assert error.retry_after is not None
        assert 0 < error.retry_after <= DELAY

    _run(test)


async def _opened(breaker: Breaker) -> None:
    """Open the breaker and wait until a probe is due."""
    await _fail(breaker, FAILED_CALLS, MANY_CAMPAIGNS)
    while True:
        try:
            await breaker.admit("campaign 0")
        except ServiceDownError as error:
            await asyncio.sleep(error.retry_after or 0)
        else:
            return


def test_a_probe_that_succeeds_lets_all_who_waited_pass() -> None:
    async def test(breaker: Breaker, _opened_errors: list[ServiceDownError]) -> None:
        await _opened(breaker)
        calls = 0
        probing = asyncio.Event()
        answer = asyncio.Event()

        async def call() -> None:
            nonlocal calls
            calls += 1
            probing.set()
            await answer.wait()

        tasks = [asyncio.create_task(breaker.call("any", call)) for _ in range(5)]
        await probing.wait()
        assert calls == 1, "only the probe is made"
        answer.set()
        await asyncio.gather(*tasks)
        assert calls == 5

    _run(test)


def test_a_probe_that_fails_fails_all_who_waited_without_a_call() -> None:
    async def test(breaker: Breaker, opened: list[ServiceDownError]) -> None:
        await _opened(breaker)
        calls = 0

        async def call() -> None:
            nonlocal calls
            calls += 1
            await asyncio.sleep(0)
            raise UnreachableError("still refused")

        results = await asyncio.gather(*[breaker.call("any", call) for _ in range(5)], return_exceptions=True)
        assert calls == 1
        assert [type(result) for result in results] == [UnreachableError] + [ServiceDownError] * 4
        assert len(opened) == 2

    _run(test)


def test_a_cancelled_probe_leaves_the_next_call_to_probe() -> None:
    async def test(breaker: Breaker, _opened_errors: list[ServiceDownError]) -> None:
        await _opened(breaker)

        probe = asyncio.create_task(breaker.call("any", asyncio.Event().wait))
        await asyncio.sleep(0)
        probe.cancel()
        await asyncio.wait([probe])
        await _call(breaker, "any", None)
        await breaker.admit("campaign 0")

    _run(test)


def test_campaigns_that_alone_fail_do_not_close_the_shop_for_others() -> None:
    async def test(breaker: Breaker, opened: list[ServiceDownError]) -> None:
        await _fail(breaker, 3 * FAILED_CALLS, MANY_CAMPAIGNS - 1)
        with pytest.raises(ServiceDownError, match=r"^connection refused"):
            await breaker.admit("campaign 0")
        await _call(breaker, "a healthy one", None)
        await breaker.admit("campaign 0")
        assert opened == []

    _run(test, delay=60)


def test_while_campaigns_fail_and_nothing_succeeds_others_call_one_at_a_time() -> None:
    async def test(breaker: Breaker, _opened_errors: list[ServiceDownError]) -> None:
        await _fail(breaker, FAILED_CALLS, MANY_CAMPAIGNS - 1)
        calls = 0

        async def call() -> None:
            nonlocal calls
            calls += 1
            await asyncio.sleep(0)
            raise UnreachableError("refused")

        untried = [breaker.call(f"untried {number}", call) for number in range(20)]
        results = await asyncio.gather(*untried, return_exceptions=True)
        assert calls == 1, "then many have failed, and the service is down"
        assert "is down" in str(results[-1])

    _run(test, delay=60)


def test_the_campaign_that_failed_last_leaves_the_probe_to_another() -> None:
    async def test(breaker: Breaker, _opened_errors: list[ServiceDownError]) -> None:
        await _opened(breaker)
        last = f"campaign {(FAILED_CALLS - 1) % MANY_CAMPAIGNS}"
        probes: list[str] = []

        async def call(name: str) -> None:
            async def make() -> None:
                probes.append(name)

            await breaker.call(name, make)

        await asyncio.gather(call(last), call("another"))
        assert probes == ["another", last]

    _run(test)
