"""The bell, end to end: real consumers, a real service, and the runs that their takes start by themselves."""

import time
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp import web

from kylink_cli.demo.service import Call, SupplyService
from tests.support.bursts import CAMPAIGNS, ITEMS, KEY, assert_books_agree, consume, runs, shop, slowly
from tests.support.cli import run_kylink


@pytest.mark.parametrize(("mode", "is_refused"), [("spawn", False), ("off", True)])
def test_a_burst_refuses_nobody_who_waits_a_little_if_takes_ring(tmp_path: Path, mode: str, is_refused: bool) -> None:
    with SupplyService(KEY, slowly) as service, shop(tmp_path, service, mode, 10_000) as (_, stock):
        told = consume(stock, seconds=12, per_second=1.5, wait=10 if mode == "spawn" else 0)
    assert (told["refused"] > 0) is is_refused, told
    assert_books_agree(tmp_path, service)


def test_a_service_that_is_down_is_probed_once_a_delay_whatever_the_takes(tmp_path: Path) -> None:
    calls: list[float] = []

    async def refuse(_: Call) -> web.Response:
        calls.append(time.monotonic())
        return web.Response(status=503)

    delay = 3.0
    with SupplyService(KEY, refuse) as service, shop(tmp_path, service, "spawn", round(delay * 1000)) as (_, stock):
        told = consume(stock, seconds=12, per_second=2, wait=0)
    assert told["refused"] > len(CAMPAIGNS)
    assert len(calls) >= 2
    assert min(b - a for a, b in pairwise(calls)) >= delay * 0.9, calls


def test_what_was_rung_for_is_served_by_the_timer_where_nobody_hears_the_bell(tmp_path: Path) -> None:
    with SupplyService(KEY) as service, shop(tmp_path, service, "off", 1_000) as (database, stock):
        for _ in range(ITEMS):
            stock.take("c7").confirm()
        done = run_kylink("replenish", "--rung", "--scheduled", "--env-file", str(tmp_path / "kylink.env"))
        assert (done.returncode, list(service.calls)) == (0, ["c7"]), done.stderr
        again = run_kylink("replenish", "--rung", "--scheduled", "--env-file", str(tmp_path / "kylink.env"))
        assert "no campaign has rung the bell" in again.stderr
        assert runs(database) == {"succeeded": 1}
