"""The bell under a real systemd: the path unit hears takes, and its service answers."""

from collections.abc import Sequence
from itertools import pairwise

import pytest

from kylink_cli.demo.service import SupplyService
from tests.support.gate import Gate
from tests.support.waiting import wait_until
from tests.system.server import Server

pytestmark = pytest.mark.slow


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


def _overlaps(runs: Sequence[dict[str, str]]) -> int:
    """How many runs began before the one before had ended."""
    ordered = sorted(runs, key=lambda run: run["started_at"])
    return sum(later["started_at"] < earlier["finished_at"] for earlier, later in pairwise(ordered))


def test_takes_ring_and_the_bell_is_answered_by_one_run_at_a_time(installed: Server) -> None:
    for campaign in ("1", "2"):
        installed.kylink("campaigns", "add", campaign, "--user", "u", "--low-watermark", "3", "--target-stock", "6")
    installed.machine.run("systemctl", "start", "kylink-bell.path")
    _take(installed, "1", 500)
    _take(installed, "2", 500)
    wait_until(lambda: installed.available("1") >= 3 and installed.available("2") >= 3, "the bell to be answered")
    wait_until(lambda: installed.is_clean("kylink-bell.service"), "the last run to end")
    runs = installed.runs("stock_replenish")
    assert {(run["status"], run["trigger"]) for run in runs} == {("succeeded", "timer")}
    assert _overlaps(runs) == 0
    assert installed.machine.property("kylink-bell.path", "ActiveState") == "active"


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
