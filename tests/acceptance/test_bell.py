"""The bell, end to end: real consumers, a real service, and the runs that their takes start by themselves."""

import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp import web

from kylink_cli.demo.service import Call, SupplyService
from tests.support.bursts import CAMPAIGNS, ITEMS, KEY, assert_books_agree, consume, runs, shop, slowly
from tests.support.cli import run_kylink
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

DELAY_MS = 2_000
PROBES = 3
MANY = 500  # refusals of one consumer, until which there should have been so many probes


@pytest.mark.parametrize(("mode", "is_refused"), [("spawn", False), ("off", True)])
def test_a_burst_refuses_nobody_who_waits_a_little_if_takes_ring(tmp_path: Path, mode: str, is_refused: bool) -> None:
    def has_asked_for_more_than_is_there(told: Counter[str]) -> bool:
        return told.total() >= 2 * ITEMS

    wait = PATIENCE_SECONDS if mode == "spawn" else 0
    with SupplyService(KEY, slowly) as service, shop(tmp_path, service, mode, 10_000) as (_, stock):
        told = consume(stock, has_asked_for_more_than_is_there, per_second=3, wait=wait)
    assert (told["refused"] > 0) is is_refused, told
    assert_books_agree(tmp_path, service)


def test_a_service_that_is_down_is_probed_once_a_delay_whatever_the_takes(tmp_path: Path) -> None:
    calls: list[float] = []

    async def refuse(_: Call) -> web.Response:
        calls.append(time.time())
        return web.Response(status=503)

    def has_seen_enough(told: Counter[str]) -> bool:
        return told["refused"] > 1 and (len(calls) >= PROBES or told["refused"] > MANY)

    with SupplyService(KEY, refuse) as service, shop(tmp_path, service, "spawn", DELAY_MS) as (_, stock):
        told = consume(stock, has_seen_enough, per_second=2, wait=0)
    assert (told["served"], len(calls) >= PROBES) == (ITEMS * len(CAMPAIGNS), True)
    # A run notes the outage after its call, so that no load of the machine's brings two calls nearer to each other.
    assert min(later - one for one, later in pairwise(calls)) >= DELAY_MS / 1000, calls


def test_what_was_rung_for_is_served_by_the_timer_where_nobody_hears_the_bell(tmp_path: Path) -> None:
    with SupplyService(KEY) as service, shop(tmp_path, service, "off", 1_000) as (database, stock):
        for _ in range(ITEMS):
            stock.take("c7").confirm()
        done = run_kylink("replenish", "--rung", "--scheduled", "--env-file", str(tmp_path / "kylink.env"))
        assert (done.returncode, list(service.calls)) == (0, ["c7"]), done.stderr
        again = run_kylink("replenish", "--rung", "--scheduled", "--env-file", str(tmp_path / "kylink.env"))
        assert "no campaign has rung the bell" in again.stderr
        assert runs(database) == {"succeeded": 1}
