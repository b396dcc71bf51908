"""What several hosts on one PostgreSQL gain: `python -m tests.benchmarks.hosts`.

- Four hosts, 2,000 campaigns x 10 items, a service that takes 300 ms a call: wall time as a share of one host's, which
  is to be at most 0.35.
- Leases taken and confirmed a second by 32 consumers, on SQLite and on PostgreSQL.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from kylink_cli.demo.service import Call, SupplyService
from kylink_cli.jobs import leasing
from kylink_cli.store.database import Database, open_database
from kylink_cli.store.postgresql import open_server
from tests.support.books import assert_nothing_lost
from tests.support.database import add_campaigns, add_items, new_database
from tests.support.installation import Installation
from tests.support.postgres import PostgresServer

CAMPAIGNS = 2_000
LATENCY_SECONDS = 0.3
CONSUMERS = 32
LEASES_EACH = 30


async def slow(_call: Call) -> None:
    """Answer after a while, as a service far away does."""
    await asyncio.sleep(LATENCY_SECONDS)


def replenish_seconds(server: PostgresServer, folder: Path, hosts: int) -> float:
    """How long it takes hosts that start at the same time to fill all campaigns."""
    url = server.new_database()
    with SupplyService("key", behave=slow) as service, ExitStack() as stack:
        installed = []
        for number in range(hosts):
            own = folder / f"{hosts}-{number}"
            own.mkdir()
            settings = {"KYLINK_HOST_NAME": own.name, "PROXY_MAX_PER_CALL": "10"}
            installed.append(stack.enter_context(Installation.on_server(own, url, service, **settings)))
        installed[0].add_campaigns(*[f"c{number}" for number in range(CAMPAIGNS)])
        began = time.monotonic()
        runs = [host.start("replenish", "--all", "--quiet", REPLENISH_DEADLINE_SECONDS="3600") for host in installed]
        for run in runs:
            run.communicate()
        seconds = time.monotonic() - began
        assert len(service.charges) == CAMPAIGNS
        assert_nothing_lost(installed[0], service)
    return seconds


def leases_a_second(prepared: Database, opened: Callable[[], Database]) -> float:
    """How many leases consumers, each with a connection of its own, take and confirm in a second."""
    campaigns = [f"c{number}" for number in range(8)]
    add_campaigns(prepared, *campaigns)
    for campaign in campaigns:
        add_items(prepared, campaign, CONSUMERS * LEASES_EACH // len(campaigns))
    connections = [opened() for _ in range(CONSUMERS)]

    def consume(number: int) -> None:
        database = connections[number]
        wish = leasing.Wish(campaigns[number % len(campaigns)], ttl_minutes=15)
        for _ in range(LEASES_EACH):
            taken = leasing.take(database, wish, database.now())
            leasing.confirm(database, [taken.leases[0].token], database.now())

    began = time.monotonic()
    with ThreadPoolExecutor(CONSUMERS) as threads:
        list(threads.map(consume, range(CONSUMERS)))
    seconds = time.monotonic() - began
    for database in connections:
        database.close()
    return CONSUMERS * LEASES_EACH / seconds


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name, PostgresServer() as server:
        folder = Path(name)
        one, four = (replenish_seconds(server, folder, hosts) for hosts in (1, 4))
        print(f"{CAMPAIGNS} campaigns: one host {one:.1f} s, four hosts {four:.1f} s, share {four / one:.2f}")
        with server.database() as shared:
            url = shared.engine.url.set(drivername="postgresql").render_as_string()
            on_server = leases_a_second(shared, lambda: open_server(url))
        embedded = new_database(folder)
        in_file = leases_a_second(embedded, lambda: open_database(folder / "kylink.db"))
        embedded.close()
    print(f"{CONSUMERS} consumers: {in_file:.0f} leases/s on SQLite, {on_server:.0f} on PostgreSQL")


if __name__ == "__main__":
    main()
