"""How many leases consumers, each a process of its own, take and confirm in a second."""

import multiprocessing
import tempfile
import time
from contextlib import closing
from multiprocessing.synchronize import Barrier
from pathlib import Path

from kylink_cli import leasing
from kylink_cli.store.engine.database import Database, open_database
from kylink_cli.store.engine.postgresql import open_server
from tests.benchmarks.frame import Effort, Figure
from tests.support.database import add_campaigns, add_items, new_database, url_of
from tests.support.postgres import PostgresServer

CONSUMERS = (1, 8)
LEASES = 4_000
CAMPAIGNS = 8


def throughput(effort: Effort) -> list[Figure]:
    """Leases a second with one consumer and with several, on SQLite and on PostgreSQL."""
    leases = effort.of(LEASES, at_least=CONSUMERS[-1])
    with (
        tempfile.TemporaryDirectory() as name,
        PostgresServer() as server,
        server.database() as shared,
        closing(new_database(Path(name))) as embedded,
    ):
        return [*_rates("SQLite", embedded, leases), *_rates("PostgreSQL", shared, leases)]


def _rates(kind: str, database: Database, leases: int) -> list[Figure]:
    _stock(database, leases * len(CONSUMERS))
    rates = {number: leases / _seconds(database, number, leases // number) for number in CONSUMERS}
    return [
        Figure(f"take and confirm on {kind}, {number} process{'es' * (number > 1)}", rate, "leases/s")
        for number, rate in rates.items()
    ]


def _stock(database: Database, items: int) -> None:
    campaigns = [f"c{number}" for number in range(CAMPAIGNS)]
    add_campaigns(database, *campaigns)
    for campaign in campaigns:
        add_items(database, campaign, items)


def _seconds(database: Database, consumers: int, leases: int) -> float:
    """How long so many consumers take for so many leases each, start-up left out."""
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Barrier(consumers + 1)
    args = url_of(database), leases, ready
    processes = [spawn.Process(target=consume, args=(number, *args)) for number in range(consumers)]
    for process in processes:
        process.start()
    ready.wait()
    began = time.perf_counter()
    ready.wait()
    seconds = time.perf_counter() - began
    for process in processes:
        process.join()
    return seconds


def consume(number: int, url: str, leases: int, ready: Barrier) -> None:
    """Take leases and confirm them, one after the other."""
    opened = open_server(url) if url.startswith("postgresql:") else open_database(Path(url.removeprefix("sqlite:///")))
    request = leasing.TakeRequest(f"c{number}", ttl_minutes=15)
    with closing(opened) as database:
        ready.wait()
        for _ in range(leases):
            taken = leasing.take(database, request, database.now())
            leasing.confirm(database, [taken.leases[0].token], database.now())
        ready.wait()
