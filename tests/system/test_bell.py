"""The bell under a real systemd: the path unit hears takes, and its service answers."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from kylink_cli.demo.service import SupplyService
from tests.support.bursts import slowly
from tests.support.gate import Gate
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.system.server import Server

pytestmark = pytest.mark.slow

SERVICE = "kylink-bell.service"
CAMPAIGNS = ("1", "2", "3", "4")
# More than a new campaign is stocked with.
TAKES = 25


def _take(server: Server, campaign: str, number: int) -> None:
    """Take items and confirm them, as a consumer does who is a Python program."""
    script = (
        "from kylink_cli import Stock\n"
        "from kylink_cli.errors import NoStockError\n"
        "with Stock.open() as stock:\n"
        f"    for _ in range({number}):\n"
        "        try:\n"
        f"            stock.take({campaign!r}).confirm()\n"
        "        except NoStockError:\n"
        "            pass\n"
    )
    server.machine.run("runuser", "-u", "kylink", "--", "/opt/kylink/bin/python", "-c", script)


_CONSUMERS = f"""
from concurrent.futures import ThreadPoolExecutor
from kylink_cli import Stock
from kylink_cli.errors import NoStockError

def consume(campaign):
    refused = 0
    for _ in range({TAKES}):
        try:
            stock.take(campaign, wait={PATIENCE_SECONDS}).confirm()
        except NoStockError:
            refused += 1
    return refused

with Stock.open() as stock, ThreadPoolExecutor() as pool:
    print(sum(pool.map(consume, {CAMPAIGNS})))
"""


def _overlaps(runs: Sequence[dict[str, str]]) -> int:
    """How many runs began before the one before had ended."""
    ordered = sorted(runs, key=lambda run: run["started_at"])
    return sum(later["started_at"] < earlier["finished_at"] for earlier, later in pairwise(ordered))


def test_takes_ring_and_the_bell_is_answered_by_one_run_at_a_time(installed: Server) -> None:
    began = datetime.now(UTC)
    for campaign in ("1", "2"):
        installed.kylink("campaigns", "add", campaign, "--user", "u", "--low-watermark", "3", "--target-stock", "6")
    installed.machine.run("systemctl", "start", "kylink-bell.path")
    _take(installed, "1", 500)
    _take(installed, "2", 500)
    wait_until(lambda: installed.available("1") >= 3 and installed.available("2") >= 3, "the bell to be answered")
    wait_until(lambda: installed.is_clean(SERVICE), "the last run to end")
    wait_until(lambda: _last(installed, began) == "end", "systemd to have told of it")
    told = [what for _, what in installed.story(SERVICE, began)]
    assert told == ["start", "end"] * (len(told) // 2)
    runs = installed.runs("stock_replenish")
    assert {(run["status"], run["trigger"]) for run in runs} == {("succeeded", "timer")}
    assert _overlaps(runs) == 0
    assert installed.machine.property("kylink-bell.path", "ActiveState") == "active"


def test_a_burst_refuses_nobody_who_waits_a_little(installed: Server, service: SupplyService) -> None:
    service.behave = slowly
    for campaign in CAMPAIGNS:
        installed.kylink("campaigns", "add", campaign, "--user", "u")
    installed.machine.run("systemctl", "start", "kylink-bell.path")
    consumers = ("runuser", "-u", "kylink", "--", "/opt/kylink/bin/python", "-c", _CONSUMERS)
    assert installed.machine.run(*consumers).stdout == "0\n"
    wait_until(lambda: installed.is_clean(SERVICE), "the last run to end")
    assert installed.values() == {value for values in service.charges.values() for value in values}
    assert _overlaps(installed.runs("stock_replenish")) == 0
    assert installed.document("db", "check")["ok"] is True


def test_a_ring_during_a_run_is_answered_right_after_it(installed: Server, service: SupplyService) -> None:
    for campaign in ("1", "2"):
        installed.kylink("campaigns", "add", campaign, "--user", "u")
    installed.machine.run("systemctl", "start", "kylink-bell.path")
    service.behave = gate = Gate()
    _take(installed, "1", 1)
    gate.wait_for_calls(1)
    _take(installed, "2", 1)
    assert "2" not in service.calls
    gate.open()
    wait_until(lambda: installed.available("2") > 0, "the ring during the run to be answered")
    assert _overlaps(installed.runs("stock_replenish")) == 0


def test_the_bell_s_service_starts_when_a_take_has_rung_and_never_else(installed: Server) -> None:
    began = datetime.now(UTC)
    installed.kylink("campaigns", "add", "1", "--user", "u", "--low-watermark", "3", "--target-stock", "6")
    installed.kylink("replenish", "--all")
    installed.machine.run("systemctl", "start", "kylink-bell.path")
    rung: list[tuple[datetime, str]] = []
    for _ in range(3):
        installed.kylink("leases", "take", "1", "--count", "3")
        taken = json.loads(installed.kylink("leases", "take", "1", "--json"))["leases"]
        rung.append((datetime.fromisoformat(taken[0]["leased_at"]), "ring"))
        wait_until(lambda: installed.available("1") == 6, "the ring to be answered")
        wait_until(lambda: _last(installed, began) == "end", "its run to end")
    told = sorted([*rung, *installed.story(SERVICE, began)])
    assert [what for _, what in told] == ["ring", "start", "end"] * len(rung)


def _last(server: Server, since: datetime) -> str:
    """What systemd has told last of the bell's service."""
    return next((what for _, what in reversed(server.story(SERVICE, since))), "nothing")
