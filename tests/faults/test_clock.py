"""Wall clocks that jump: nothing expires by a jump back, no duration is negative, no lease is cut too short."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kylink_cli.demo.service import SupplyService
from tests.faults.shim import Shim
from tests.support.books import assert_nothing_lost
from tests.support.cli import run_kylink
from tests.support.gate import Gate
from tests.support.installation import Installation
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.slow

HOUR = 3600
JUMPS = [HOUR, -HOUR, 3 * 24 * HOUR, -3 * 24 * HOUR]


class Clock:
    """The wall clock of the commands that a test starts."""

    def __init__(self, shim: Shim, file: Path) -> None:
        self._file = file
        self.environment = shim.clock(file)
        self.set(0)

    def set(self, seconds: int) -> None:
        """Let the clock be so far off, from now on, also for commands under way."""
        self._file.write_text(str(seconds))

    def set_to(self, moment: datetime) -> None:
        """Let the clock show a moment, from now on."""
        self.set(round((moment - datetime.now(UTC)).total_seconds()))


@pytest.fixture
def clock(shim: Shim, tmp_path: Path) -> Clock:
    return Clock(shim, tmp_path / "clock")


@pytest.mark.parametrize("jump", JUMPS)
def test_a_jump_in_mid_run_leaves_no_trace_in_its_record(
    kylink: Installation, service: SupplyService, clock: Clock, jump: int
) -> None:
    kylink.add_campaigns("1", "2")
    service.behave = gate = Gate()
    run = kylink.start("replenish", "--all", **clock.environment)
    gate.wait_for_calls(10)
    clock.set(jump)
    gate.open()
    run.communicate()
    assert run.returncode == 0
    assert kylink.rows("SELECT count(*) FROM runs WHERE finished_at < started_at OR duration_ms < 0") == [0]
    [expiry] = kylink.rows("SELECT min(expires_at) FROM stock_items")
    real = datetime.fromisoformat(expiry).replace(tzinfo=UTC) - datetime.now(UTC)
    assert timedelta(hours=47) < real <= timedelta(hours=48)
    assert_nothing_lost(kylink, service)


@pytest.mark.parametrize("jump", [-HOUR, -3 * 24 * HOUR])
def test_a_clock_that_was_set_back_expires_nothing_and_hides_nothing(
    kylink: Installation, service: SupplyService, clock: Clock, jump: int
) -> None:
    kylink.add_campaigns("1")
    kylink.run("replenish", "--all", **clock.environment)
    kylink.run("leases", "take", "1", "--count", "2", **clock.environment)
    clock.set(jump)
    recovered = kylink.document("recover-leases", **clock.environment)
    assert [recovered[figure] for figure in ("expired_leases", "discarded", "expired_items")] == [0, 0, 0]
    assert kylink.run("replenish", "--all", **clock.environment).returncode == 0
    assert kylink.rows("SELECT state, count(*) FROM stock_items GROUP BY 1 ORDER BY 1") == [
        ("available", 8),
        ("leased", 2),
    ]
    assert "began" in kylink.run("doctor", **clock.environment).stdout
    assert_nothing_lost(kylink, service)


@pytest.mark.parametrize("jump", [-HOUR, -3 * 24 * HOUR])
def test_what_a_run_left_behind_in_the_future_is_made_good(
    kylink: Installation, service: SupplyService, clock: Clock, jump: int
) -> None:
    kylink.add_campaigns("1")
    service.behave = gate = Gate(charges=True)
    run = kylink.start("replenish", "--all", STOCK_CONCURRENCY="10", **clock.environment)
    gate.wait_for_calls(10)
    run.kill()
    run.communicate()
    clock.set(jump)
    gate.open()
    assert kylink.run("replenish", "--all", **clock.environment).returncode == 0
    assert kylink.rows("SELECT status FROM runs ORDER BY id") == ["crashed", "succeeded"]
    assert kylink.rows("SELECT count(*) FROM stock_items") == [10]
    assert_nothing_lost(kylink, service)


def test_a_jump_forward_shortens_a_lease_by_the_jump_and_no_more(
    kylink: Installation, service: SupplyService, clock: Clock
) -> None:
    kylink.add_campaigns("1")
    kylink.run("replenish", "--all", **clock.environment)
    kylink.run("leases", "take", "1", "--ttl", "120", **clock.environment)
    clock.set(HOUR)
    assert kylink.document("recover-leases", **clock.environment)["expired_leases"] == 0
    clock.set(2 * HOUR + 1)
    assert kylink.document("recover-leases", **clock.environment)["expired_leases"] == 1
    assert service.conflicts == []


def test_after_a_long_sleep_requests_of_unknown_outcome_are_given_up_instead_of_paid_twice(
    kylink: Installation, service: SupplyService, clock: Clock
) -> None:
    kylink.add_campaigns("1")
    service.behave = gate = Gate(charges=True)
    run = kylink.start("replenish", "--all", STOCK_CONCURRENCY="10", **clock.environment)
    gate.wait_for_calls(10)
    run.kill()
    run.communicate()
    gate.open()
    clock.set(24 * HOUR)
    asked_before = set(service.charges)
    assert kylink.run("replenish", "--all", **clock.environment).returncode == 0
    assert kylink.rows("SELECT state, count(*) FROM supply_requests GROUP BY 1 ORDER BY 1") == [
        ("answered", 10),
        ("in_doubt", 10),
    ]
    [message] = kylink.rows("SELECT message FROM alerts WHERE type = 'SYSTEM_HEALTH'")
    assert any(key in message for key in asked_before)


def test_a_consumer_that_lives_for_long_goes_by_the_clock_as_it_is_set_now(
    kylink: Installation, service: SupplyService, clock: Clock
) -> None:
    kylink.add_campaigns("1")
    kylink.run("replenish", "--all")
    consumer = """
from kylink_cli import Stock
from kylink_cli.store.engine import database
database.CLOCK_SECONDS = 0
with Stock.open() as stock:
    print(stock.take("1").expires_at.timestamp(), flush=True)
    input()
    print(stock.take("1").expires_at.timestamp())
"""
    process = subprocess.Popen(
        [sys.executable, "-c", consumer],
        env=kylink.environment | clock.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    before = float(process.stdout.readline())
    clock.set(HOUR)
    after = float(process.communicate("go on\n")[0])
    assert HOUR <= after - before < 2 * HOUR
    assert service.conflicts == []


@pytest.mark.parametrize("change", ["2026-03-29T01:00:00+00:00", "2026-10-25T01:00:00+00:00"], ids=["spring", "autumn"])
def test_the_hour_that_summer_time_skips_or_repeats_makes_no_lease_shorter_or_longer(
    kylink: Installation, service: SupplyService, clock: Clock, change: str
) -> None:
    berlin = clock.environment | {"TZ": "Europe/Berlin"}
    moment = datetime.fromisoformat(change)
    kylink.add_campaigns("1")
    clock.set_to(moment - timedelta(minutes=5))
    kylink.run("replenish", "--all", **berlin)
    kylink.run("leases", "take", "1", "--ttl", "15", **berlin)
    clock.set_to(moment + timedelta(minutes=5))
    assert kylink.document("recover-leases", **berlin)["expired_leases"] == 0
    clock.set_to(moment + timedelta(minutes=11))
    assert kylink.document("recover-leases", **berlin)["expired_leases"] == 1
    assert kylink.rows("SELECT count(*) FROM runs WHERE finished_at < started_at OR duration_ms > 60000") == [0]
    assert_nothing_lost(kylink, service)


def test_timers_that_catch_up_after_a_sleep_do_the_work_once(
    kylink: Installation, service: SupplyService, clock: Clock
) -> None:
    settings = clock.environment | {"ENABLE_AUTO_CRON": "true"}
    jobs = ("replenish", "recover-leases", "alert-check")
    kylink.add_campaigns("1", "2")
    for job in jobs:
        kylink.run(job, *(["--all"] if job == "replenish" else []), "--scheduled", **settings)
    kylink.run("leases", "take", "1", "--count", "10", **settings)
    clock.set(8 * HOUR)
    missed = [
        kylink.start(job, *(["--all"] if job == "replenish" else []), "--scheduled", **settings) for job in jobs * 3
    ]
    for run in missed:
        run.communicate()
    assert {run.returncode for run in missed} <= {0, 75}
    for job in jobs[1:]:
        kylink.run(job, "--scheduled", **settings)
    kylink.run("replenish", "--all", "--scheduled", **settings)
    assert kylink.rows("SELECT state, count(*) FROM leases GROUP BY 1") == [("expired", 10)]
    assert kylink.rows(
        "SELECT max(available) FROM (SELECT count(*) AS available FROM stock_items GROUP BY campaign_id)"
    ) <= [20]
    assert kylink.rows("SELECT fingerprint FROM alerts GROUP BY fingerprint HAVING count(*) > 1") == []
    assert kylink.rows("SELECT count(*) FROM runs WHERE finished_at IS NULL OR duration_ms < 0") == [0]
    assert_nothing_lost(kylink, service)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Pacific/Apia"])
def test_the_host_s_time_zone_changes_nothing(kylink: Installation, service: SupplyService, zone: str) -> None:
    kylink.add_campaigns("1")
    document = kylink.document("replenish", "--all", TZ=zone)
    started = datetime.fromisoformat(document["started_at"])
    assert abs(datetime.now(UTC) - started) < timedelta(hours=1)
    assert_nothing_lost(kylink, service)


@pytest.mark.parametrize(("jump", "words"), [(600, "ahead of"), (-600, "behind")])
def test_a_host_whose_clock_is_off_the_server_s_is_told_by_how_much(
    postgres: PostgresServer, clock: Clock, tmp_path: Path, jump: int, words: str
) -> None:
    clock.set(jump)
    settings = {"DATABASE_URL": postgres.new_database(), "XDG_STATE_HOME": str(tmp_path), **clock.environment}
    checks = json.loads(run_kylink("doctor", "--json", env=settings).stdout)["checks"]
    [found] = [check for check in checks if "host's clock is" in check["text"]]
    assert (found["verdict"], words in found["text"]) == ("warning", True)
    assert re.search(r"\b(599|600)\.\d s", found["text"])
