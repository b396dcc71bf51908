"""The shared database and the lock server fail in mid-run: nothing lost, nothing paid twice, and the log says so."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kylink_cli.demo.service import Call, SupplyService
from tests.faults.shim import Shim
from tests.support.books import assert_nothing_lost
from tests.support.gate import Gate
from tests.support.installation import Installation
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.slow

CAMPAIGNS = [str(number) for number in range(6)]
FULL = [10] * len(CAMPAIGNS)
LEVELS = "SELECT count(*) FROM stock_items GROUP BY campaign_id"


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server that a test may stop."""
    with PostgresServer() as running:
        yield running


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


def host(name: str, folder: Path, url: str, service: SupplyService, **settings: str) -> Installation:
    """One of several hosts; the last one's database is closed by the test's end."""
    own = folder / name
    own.mkdir()
    with Installation.on_server(own, url, service, KYLINK_HOST_NAME=name, **settings) as installed:
        return installed


async def _slowly(_call: Call) -> None:
    await asyncio.sleep(0.04)


def log_up_to(run: "subprocess.Popen[str]", text: str) -> str:
    """Read a run's log up to a line."""
    assert run.stderr is not None
    log = ""
    while text not in (line := run.stderr.readline()):
        assert line, f"the run ended without saying {text!r}: {log}"
        log += line
    return log + line


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_a_database_that_is_started_again_in_mid_run_loses_nothing(
    tmp_path: Path, server: PostgresServer, service: SupplyService, how: signal.Signals
) -> None:
    kylink = host("a", tmp_path, server.new_database(), service)
    kylink.add_campaigns(*CAMPAIGNS)
    service.behave = gate = Gate()
    run = kylink.start("replenish", "--all")
    gate.wait_for_calls(15)
    server.stop(how)
    gate.open()
    log = log_up_to(run, "trying again")
    server.start()
    log += run.communicate()[1]
    assert run.returncode == 0, log
    assert "the database is back: continuing" in log
    assert "Traceback" not in log
    assert kylink.rows(LEVELS) == FULL
    assert_nothing_lost(kylink, service)
    kylink.database.close()


def test_connections_that_break_all_the_time_lose_nothing(
    tmp_path: Path, server: PostgresServer, service: SupplyService
) -> None:
    kylink = host("a", tmp_path, server.new_database(), service)
    kylink.add_campaigns(*[str(number) for number in range(60)])
    service.behave = _slowly
    over = threading.Event()

    def cut() -> None:
        # The longest transaction, a batch of claims with their orders, takes about 20 ms with its connection.
        while not over.wait(0.05):
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kylink'")

    run = kylink.start("replenish", "--all")
    log = log_up_to(run, "attempt 1/3")
    cutting = threading.Thread(target=cut)
    cutting.start()
    log += run.communicate()[1]
    over.set()
    cutting.join()
    assert run.returncode == 0, log
    assert "trying again" in log
    assert kylink.rows(LEVELS) == [10] * 60
    assert_nothing_lost(kylink, service)
    kylink.database.close()


def test_hosts_whose_clocks_differ_by_days_agree(
    tmp_path: Path, postgres: PostgresServer, service: SupplyService, shim: Shim
) -> None:
    """The database's clock decides: what lives, what is over, and when items expire."""
    url = postgres.new_database()
    fast, slow = (host(name, tmp_path, url, service) for name in ("fast", "slow"))
    for installed, days in ((fast, 3), (slow, -3)):
        offset = installed.folder / "clock"
        offset.write_text(str(days * 86_400))
        installed.settings |= shim.clock(offset)
    fast.add_campaigns("c1")
    service.behave = gate = Gate()
    run = slow.start("replenish", "--all")
    gate.wait_for_calls(5)
    assert fast.document("replenish", "--all")["skipped"] == 1
    assert fast.rows("SELECT status FROM runs WHERE host = 'slow'") == ["running"]
    gate.open()
    assert run.wait() == 0
    run.communicate()
    [lasting] = fast.rows("SELECT DISTINCT round(extract(epoch FROM expires_at - now()) / 3600) FROM stock_items")
    assert lasting == 48
    assert slow.run("leases", "take", "c1").returncode == 0
    assert fast.document("recover-leases")["expired_leases"] == 0
    assert fast.rows("SELECT round(extract(epoch FROM expires_at - now()) / 60) FROM leases") == [15]
    assert fast.rows("SELECT count(*) FROM runs WHERE abs(extract(epoch FROM started_at - now())) > 600") == [0]
    for installed in (fast, slow):
        installed.database.close()


def test_a_redis_that_is_started_again_in_mid_run_changes_nothing(
    tmp_path: Path, postgres: PostgresServer, redis: RedisServer, service: SupplyService
) -> None:
    kylink = host("a", tmp_path, postgres.new_database(), service, KYLINK_LOCK_URL=redis.url)
    kylink.add_campaigns(*CAMPAIGNS)
    service.behave = gate = Gate()
    run = kylink.start("replenish", "--all")
    gate.wait_for_calls(15)
    redis.stop()
    redis.start()
    wait_until(lambda: redis.client.exists("kylink:stock_replenish"), "the lock to be taken again")
    gate.open()
    _, log = run.communicate()
    assert run.returncode == 0, log
    assert kylink.rows(LEVELS) == FULL
    assert_nothing_lost(kylink, service)
    kylink.database.close()


def test_a_run_whose_lock_expired_while_it_was_stopped_fills_no_campaign_twice(
    tmp_path: Path, postgres: PostgresServer, redis: RedisServer, service: SupplyService
) -> None:
    url = postgres.new_database()
    first, second = (host(name, tmp_path, url, service, KYLINK_LOCK_URL=redis.url) for name in "ab")
    first.add_campaigns(*CAMPAIGNS)
    service.behave = gate = Gate(charges=True)
    run = first.start("replenish", "--all", "--log-format", "text")
    gate.wait_for_calls(15)
    run.send_signal(signal.SIGSTOP)
    redis.client.pexpire("kylink:stock_replenish", 1)
    gate.open()
    other = second.start("replenish", "--all")
    wait_until(lambda: redis.client.exists("kylink:stock_replenish"), "the other host to take the lock")
    _, others_log = other.communicate()
    assert other.returncode in {0, 10}, others_log
    run.send_signal(signal.SIGCONT)
    _, log = run.communicate()
    assert run.returncode in {0, 10}, log
    assert first.run("replenish", "--all").returncode == 0
    assert first.rows(LEVELS) == FULL
    assert_nothing_lost(first, service)
    for installed in (first, second):
        installed.database.close()


def test_a_run_that_hears_of_the_loss_of_its_lock_orders_nothing_more(
    tmp_path: Path, postgres: PostgresServer, redis: RedisServer, service: SupplyService
) -> None:
    kylink = host("a", tmp_path, postgres.new_database(), service, KYLINK_LOCK_URL=redis.url)
    kylink.add_campaigns(*CAMPAIGNS)
    service.behave = gate = Gate()
    run = kylink.start("replenish", "--all", "--log-format", "text")
    gate.wait_for_calls(15)
    redis.client.set("kylink:stock_replenish", "another's")
    log = log_up_to(run, "the lock stock_replenish is lost: another run has taken it")
    gate.open()
    log += run.communicate()[1]
    assert run.returncode == 10, log
    assert gate.waiting == 15
    assert redis.client.get("kylink:stock_replenish") == b"another's"
    assert_nothing_lost(kylink, service)
    assert kylink.rows(LEVELS) == [5, 5, 5]
    kylink.database.close()
