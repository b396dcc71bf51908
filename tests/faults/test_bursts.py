"""Demand that jumps to twenty times for two minutes, and a service that is down while it does."""

import time
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp import web

from kylink_cli.demo.service import Call, SupplyService
from tests.support.bursts import CAMPAIGNS, KEY, after, assert_books_agree, consume, shop, slowly

pytestmark = pytest.mark.long

USUAL, TIMES = 0.05, 20  # takes a second, of each of forty campaigns
RETRY_SECONDS = 10


@pytest.mark.parametrize(("mode", "is_refused"), [("spawn", False), ("off", True)])
def test_two_minutes_at_twenty_times_refuse_nobody_who_waits_if_takes_ring(
    tmp_path: Path, mode: str, is_refused: bool
) -> None:
    wait = 10 if mode == "spawn" else 0
    with SupplyService(KEY, slowly) as service, shop(tmp_path, service, mode, 1000 * RETRY_SECONDS) as (_, stock):
        told = consume(stock, after(30), per_second=USUAL, wait=wait)
        told += consume(stock, after(120), per_second=TIMES * USUAL, wait=wait)
        told += consume(stock, after(10), per_second=USUAL, wait=wait)
    assert (told["refused"] > 0) is is_refused, told
    assert_books_agree(tmp_path, service)


def test_ten_minutes_without_a_service_cost_one_probe_a_delay_and_consumers_no_time(tmp_path: Path) -> None:
    calls: list[float] = []

    async def refuse(_: Call) -> web.Response:
        calls.append(time.time())
        return web.Response(status=503)

    with SupplyService(KEY, refuse) as service, shop(tmp_path, service, "spawn", 1000 * RETRY_SECONDS) as (_, stock):
        told = consume(stock, after(600), per_second=20 / len(CAMPAIGNS), wait=0)
    assert told["refused"] > 10_000
    assert len(calls) >= 20
    assert min(later - one for one, later in pairwise(calls)) >= RETRY_SECONDS, calls
