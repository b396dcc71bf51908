"""Forty campaigns with little stock, a host whose bell is set in some way, and consumers who all come at once."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path

from sqlalchemy import func, select

from kylink_cli import Stock
from kylink_cli.demo.service import Call, SupplyService
from kylink_cli.errors import NoStockError
from kylink_cli.store.engine.database import Database, open_database
from kylink_cli.store.tables import Run, StockItem, table
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


def consume(stock: Stock, is_over: Callable[[Counter[str]], bool], per_second: float, wait: float) -> Counter[str]:
    """Consumers of every campaign, each at a rate of its own; how many takes got an item, and how many none.

    Args:
        is_over: whether a consumer, who has been served and refused so often, asks for no more.
        per_second: how often each asks.
        wait: how long each is ready to wait, seconds.
    """

    def one(number: int) -> Counter[str]:
        chance, told = random.Random(number), Counter[str]()
        while not is_over(told):
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


def after(seconds: float) -> Callable[[Counter[str]], bool]:
    """Consumers ask for so long."""
    end = time.monotonic() + seconds
    return lambda _: time.monotonic() >= end


async def slowly(_: Call) -> None:
    await asyncio.sleep(LATENCY_SECONDS)


def assert_books_agree(folder: Path, service: SupplyService) -> None:
    """What the service has charged is what came into stock, and one run of the host worked at a time."""
    with closing(open_database(folder / "kylink.db")) as database, database.reading() as session:
        stored = session.scalars(select(func.count()).select_from(table(StockItem))).one()
        times = session.execute(select(RUNS.started_at, RUNS.finished_at).order_by(RUNS.id)).all()
    charged = sum(len(values) for values in service.charges.values())
    assert stored == charged + ITEMS * len(CAMPAIGNS)
    assert all(later.started_at >= earlier.finished_at for earlier, later in pairwise(times))
