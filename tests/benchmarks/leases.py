"""How many leases consumers, each a process of its own, take and confirm, beside bare SQL that does the same."""

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path

from kylink_cli.consumer import Stock
from kylink_cli.store.engine.database import Database, open_database
from kylink_cli.store.engine.postgresql import open_server
from tests.benchmarks import bare_leases
from tests.benchmarks.frame import Effort, Figure, Rounds, alternate
from tests.support.database import add_campaigns, add_items, new_database, url_of
from tests.support.postgres import PostgresServer

CONSUMERS = (1, 8)
LEASES = 2_000
AT_ONCE = 100
CAMPAIGNS = [f"c{number}" for number in range(CONSUMERS[-1])]
# Of bare SQL's rate.
TARGET = 0.6

Consume = Callable[[int, str, int, int, Barrier], None]


def throughput(effort: Effort) -> list[Figure]:
    """kylink's rate as a part of bare SQL's, with one consumer and with several, on SQLite and on PostgreSQL."""
    leases = effort.of(LEASES, at_least=CONSUMERS[-1] * 2)
    with (
        tempfile.TemporaryDirectory() as name,
        PostgresServer(fsync="on") as server,
        server.database() as shared,
        closing(new_database(Path(name))) as embedded,
    ):
        return [*_rates("SQLite", embedded, leases, effort), *_rates("PostgreSQL", shared, leases, effort)]


def _rates(kind: str, database: Database, leases: int, effort: Effort) -> list[Figure]:
    url = url_of(database)
    items = leases * (len(CONSUMERS) + 1) * effort.rounds + AT_ONCE
    add_campaigns(database, *CAMPAIGNS)
    for campaign in CAMPAIGNS:
        add_items(database, campaign, items)
    bare_leases.stock(url, CAMPAIGNS, items)
    ones = [_figure(kind, url, leases, number, effort) for number in CONSUMERS]
    return [*ones, _figure(kind, url, max(leases, AT_ONCE), 1, effort, AT_ONCE)]


def _figure(kind: str, url: str, leases: int, consumers: int, effort: Effort, count: int = 1) -> Figure:
    sides = {
        side: partial(seconds_of, act, url, consumers, leases // consumers // count, count)
        for side, act in (("kylink", consume), ("bare SQL", consume_bare))
    }
    rounds = alternate(effort, sides)
    of = f", {count} at once" if count > 1 else ""
    what = f"take and confirm on {kind}, {consumers} process{'es' * (consumers > 1)}{of}: the time"
    detail = f"{_rate(rounds, 'kylink', leases):,.0f} leases/s against {_rate(rounds, 'bare SQL', leases):,.0f}"
    return Figure(what, rounds.ratio("kylink", "bare SQL"), "x bare SQL", round(1 / TARGET, 2), detail)


def _rate(rounds: Rounds, side: str, leases: int) -> float:
    return leases / rounds.median(side)


def seconds_of(act: Consume, url: str, consumers: int, times: int, count: int) -> float:
    """How long so many consumers take, start-up left out."""
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Barrier(consumers + 1)
    processes = [spawn.Process(target=act, args=(number, url, times, count, ready)) for number in range(consumers)]
    for process in processes:
        process.start()
    ready.wait()
    began = time.perf_counter()
    ready.wait()
    seconds = time.perf_counter() - began
    for process in processes:
        process.join()
    return seconds


def open_stock(url: str) -> Stock:
    """The stock of the database behind a URL."""
    opened = open_server(url) if url.startswith("postgresql:") else open_database(Path(url.removeprefix("sqlite:///")))
    return Stock(opened, ttl_minutes=15)


def consume(number: int, url: str, times: int, count: int, ready: Barrier) -> None:
    """Take leases and confirm them, by kylink's Python face."""
    with closing(open_stock(url)) as stock:
        stock.confirm("none")
        ready.wait()
        for _ in range(times):
            stock.confirm(*[lease.token for lease in stock.take_many(CAMPAIGNS[number], count)])
        ready.wait()


def consume_bare(number: int, url: str, times: int, count: int, ready: Barrier) -> None:
    """Take leases and confirm them, by bare SQL."""
    with closing(bare_leases.connect(url)) as bare:
        ready.wait()
        for _ in range(times):
            bare.confirm(bare.take(CAMPAIGNS[number], count))
        ready.wait()
