"""The bell, end to end: real consumers, a real service, and the runs that their takes start by themselves."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp import web
from sqlalchemy import func, select

from kylink_cli import Stock
from kylink_cli.demo.service import Call, SupplyService
from kylink_cli.errors import NoStockError
from kylink_cli.store.engine.database import Database, open_database
from kylink_cli.store.tables import Run, StockItem, table
from tests.support.cli import run_kylink
from tests.support.database import add_campaigns, add_items, new_database
from tests.support.waiting import wait_until

KEY = "k-bell"
LATENCY_SECONDS = 0.5
CAMPAIGNS = [f"c{number}" for number in range(40)]
ITEMS = 10
RUNS = table(Run).c


@contextmanager
def shop(folder: Path, service: SupplyService, mode: str, delay_ms: int) -> Iterator[tuple[Database, Stock]]:
    """Campaigns with little stock, and a consumer's view of it on a host whose bell is set so."""
    with closing(new_database(folder)) as database:
        add_campaigns(database, *CAMPAIGNS)
        for campaign in CAMPAIGNS:
            add_items(database, campaign, ITEMS)
        env_file = folder / "kylink.env"
        env_file.write_text(
            f"DATABASE_URL=sqlite:///{database.path}\nENABLE_AUTO_CRON=true\nBELL={mode}\nPROXY_API_URL={service.url}\n"
            f"PROXY_API_KEY={KEY}\nPROXY_MAX_PER_CALL=10\nCAMPAIGN_CONCURRENCY=10\nREPLENISH_RETRY_DELAY_MS={delay_ms}\n",
            encoding="utf-8",
        )
        env_file.chmod(0o600)
        with closing(Stock.open(env_file)) as stock:
            yield database, stock
            wait_until(lambda: runs(database)["running"] == 0, "the last run to end")


def runs(database: Database) -> Counter[str]:
    statement = select(RUNS.status, func.count()).group_by(RUNS.status)
    return Counter(dict(database.read(lambda session: session.execute(statement).all())))


def consume(stock: Stock, seconds: float, per_second: float, wait: float) -> Counter[str]:
    """Consumers of every campaign, each at a rate of its own; how many takes got an item, and how many none."""

    def one(number: int) -> Counter[str]:
        chance, told, end = random.Random(number), Counter[str](), time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(chance.expovariate(per_second))
            try:
                stock.take(CAMPAIGNS[number], wait=wait).confirm()
            except NoStockError:
                told["refused"] += 1
            else:
                told["served"] += 1
        return told

    with ThreadPoolExecutor(len(CAMPAIGNS)) as pool:
        return sum(pool.map(one, range(len(CAMPAIGNS))), Counter[str]())


async def slowly(_: Call) -> None:
    await asyncio.sleep(LATENCY_SECONDS)


@pytest.mark.parametrize(("mode", "is_refused"), [("spawn", False), ("off", True)])
def test_a_burst_refuses_nobody_who_waits_a_little_if_takes_ring(tmp_path: Path, mode: str, is_refused: bool) -> None:
    with SupplyService(KEY, slowly) as service, shop(tmp_path, service, mode, 10_000) as (database, stock):
        told = consume(stock, seconds=12, per_second=1.5, wait=10 if mode == "spawn" else 0)
    assert (told["refused"] > 0) is is_refused, told
    with closing(open_database(tmp_path / "kylink.db")) as database, database.reading() as session:
        stored = session.scalars(select(func.count()).select_from(table(StockItem))).one()
        times = session.execute(select(RUNS.started_at, RUNS.finished_at).order_by(RUNS.id)).all()
    charged = sum(len(values) for values in service.charges.values())
    assert stored == charged + ITEMS * len(CAMPAIGNS)
    assert all(later.started_at >= earlier.finished_at for earlier, later in pairwise(times))


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
        assert (done.returncode, service.calls) == (0, {"c7": 1}), done.stderr
        again = run_kylink("replenish", "--rung", "--scheduled", "--env-file", str(tmp_path / "kylink.env"))
        assert "no campaign has rung the bell" in again.stderr
        assert runs(database) == {"succeeded": 1}
