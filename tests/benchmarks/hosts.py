"""What several hosts on one PostgreSQL gain, with a service that takes 300 ms a call."""

import asyncio
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from kylink_cli.demo.service import Call, SupplyService
from tests.benchmarks.frame import Effort, Figure
from tests.support.books import assert_nothing_lost
from tests.support.installation import Installation
from tests.support.postgres import PostgresServer

CAMPAIGNS = 600
LATENCY_SECONDS = 0.3
HOSTS = 4


async def slow(_call: Call) -> None:
    """Answer after a while, as a service far away does."""
    await asyncio.sleep(LATENCY_SECONDS)


def sharing(effort: Effort) -> list[Figure]:
    """Wall time of several hosts as a share of one host's."""
    campaigns = effort.of(CAMPAIGNS)
    with tempfile.TemporaryDirectory() as name, PostgresServer() as server:
        one, all_of_them = (_seconds(server, Path(name), hosts, campaigns) for hosts in (1, HOSTS))
    what = f"replenish {CAMPAIGNS} campaigns on {HOSTS} hosts"
    return [Figure(what, all_of_them / one, "x one host", 0.35, f"{all_of_them:.3g} s against {one:.3g} s")]


def _seconds(server: PostgresServer, folder: Path, hosts: int, campaigns: int) -> float:
    """How long it takes hosts that start at the same time to fill all campaigns."""
    url = server.new_database()
    with SupplyService("key", behave=slow) as service, ExitStack() as stack:
        installed = []
        for number in range(hosts):
            own = folder / f"{hosts}-{number}"
            own.mkdir()
            settings = {"KYLINK_HOST_NAME": own.name, "PROXY_MAX_PER_CALL": "10"}
            installed.append(stack.enter_context(Installation.on_server(own, url, service, **settings)))
        installed[0].add_campaigns(*[f"c{number}" for number in range(campaigns)])
        began = time.monotonic()
        runs = [host.start("replenish", "--all", "--quiet", REPLENISH_DEADLINE_SECONDS="3600") for host in installed]
        for run in runs:
            run.communicate()
        seconds = time.monotonic() - began
        assert len(service.charges) == campaigns
        assert_nothing_lost(installed[0], service)
    return seconds
