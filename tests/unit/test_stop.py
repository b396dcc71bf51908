"""Ending a run early."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import pytest

from kylink_cli.running.stop import Stop, StoppedError, StopReason
from kylink_cli.supply.errors import KeyRefusedError


def _run(test: Callable[[Stop, list[StopReason]], Awaitable[None]], grace_seconds: float = 10) -> None:
    async def main() -> None:
        told: list[StopReason] = []
        await test(Stop(told.append, grace_seconds), told)

    asyncio.run(main())


def test_the_first_reason_counts_and_is_told_once() -> None:
    async def test(stop: Stop, told: list[StopReason]) -> None:
        stop.check()
        stop.ask(StopReason("first"))
        stop.ask(StopReason("second"))
        with pytest.raises(StoppedError, match="first"):
            stop.check()
        assert [reason.text for reason in told] == ["first"]

    _run(test)


def test_a_refused_key_is_everybodys_error() -> None:
    async def test(stop: Stop, _told: list[StopReason]) -> None:
        stop.ask(StopReason("refused", error=KeyRefusedError("HTTP 401")))
        with pytest.raises(KeyRefusedError):
            stop.check()

    _run(test)


def test_whoever_sleeps_is_woken() -> None:
    async def test(stop: Stop, _told: list[StopReason]) -> None:
        sleeper = asyncio.create_task(stop.sleep(3600))
        await asyncio.sleep(0)
        stop.ask(StopReason("over"))
        with pytest.raises(StoppedError):
            await sleeper

    _run(test)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_for_the_end(number: signal.Signals) -> None:
    async def test(stop: Stop, _told: list[StopReason]) -> None:
        with stop.on_signals():
            os.kill(os.getpid(), number)
            with pytest.raises(StoppedError, match=number.name):
                await stop.sleep(3600)
        assert stop.reason is not None
        assert stop.reason.signal is number

    _run(test)


def test_the_deadline_asks_for_the_end() -> None:
    async def test(stop: Stop, _told: list[StopReason]) -> None:
        with stop.at_deadline(0.01), pytest.raises(StoppedError, match="deadline"):
            await stop.sleep(3600)

    _run(test)


def test_a_call_that_outlasts_the_grace_is_cut_off() -> None:
    async def test(stop: Stop, _told: list[StopReason]) -> None:
        async def call() -> None:
            async with stop.in_flight():
                await asyncio.Event().wait()

        flying = asyncio.create_task(call())
        await asyncio.sleep(0)
        stop.ask(StopReason("over"))
        with pytest.raises(TimeoutError):
            await flying

    _run(test, grace_seconds=0.01)


def test_a_call_that_ends_within_the_grace_is_not() -> None:
    async def test(stop: Stop, _told: list[StopReason]) -> None:
        answer = asyncio.Event()

        async def call() -> str:
            async with stop.in_flight():
                await answer.wait()
                return "answer"

        flying = asyncio.create_task(call())
        await asyncio.sleep(0)
        stop.ask(StopReason("over"))
        answer.set()
        assert await flying == "answer"

    _run(test)
