"""Several hosts on one PostgreSQL: they share the work, each campaign is filled once, and whoever dies is replaced."""

import json
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from kylink_cli.demo.service import SupplyService
from tests.support.books import assert_nothing_lost
from tests.support.gate import Gate
from tests.support.installation import Installation
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.slow

LEVELS = (
    "SELECT number, count(*) FROM (SELECT count(*) AS number FROM stock_items GROUP BY campaign_id) AS l GROUP BY 1"
)
SILENCE = "UPDATE runs SET heartbeat_at = heartbeat_at - interval '6 minutes' WHERE status = 'running'"


class Hosts(Protocol):
    def __call__(self, *names: str, **settings: str) -> list[Installation]:
        """Hosts of these names."""


@pytest.fixture
def service() -> Iterator[SupplyService]:
    with SupplyService("the-key") as running:
        yield running


@pytest.fixture
def hosts(tmp_path: Path, postgres: PostgresServer, service: SupplyService) -> Iterator[Hosts]:
    """Hosts that share one fresh database, each with a state directory of its own."""
    url = postgres.new_database()
    with ExitStack() as stack:

        def build(*names: str, **settings: str) -> list[Installation]:
            for name in names:
                (tmp_path / name).mkdir()
            return [
                stack.enter_context(
                    Installation.on_server(tmp_path / name, url, service, KYLINK_HOST_NAME=name, **settings)
                )
                for name in names
            ]

        yield build


def execute(kylink: Installation, statement: str) -> None:
    with kylink.database.writing() as session:
        session.connection().exec_driver_sql(statement)


@pytest.mark.parametrize("campaigns", [200, pytest.param(2_000, marks=pytest.mark.long)])
def test_four_hosts_share_the_campaigns_and_fill_each_once(
    hosts: Hosts, service: SupplyService, campaigns: int
) -> None:
    four = hosts("a", "b", "c", "d", PROXY_MAX_PER_CALL="10")
    four[0].add_campaigns(*[f"c{number:04}" for number in range(campaigns)])
    service.behave = gate = Gate()
    runs = [host.start("replenish", "--all", "--json") for host in four]
    gate.wait_for_calls(4 * 3)
    gate.open()
    documents = [json.loads(run.communicate()[0]) for run in runs]
    assert [run.returncode for run in runs] == [0] * 4
    assert four[0].rows(LEVELS) == [(10, campaigns)]
    assert sum(document["produced"] for document in documents) == 10 * campaigns
    assert all(document["produced"] > 0 for document in documents)
    assert len(service.charges) == campaigns
    assert_nothing_lost(four[0], service)


def test_a_host_that_dies_in_mid_run_is_replaced_by_the_others(hosts: Hosts, service: SupplyService) -> None:
    dying, other = hosts("dying", "other")
    dying.add_campaigns(*[f"c{number}" for number in range(30)])
    service.behave = gate = Gate(charges=True)
    victim = dying.start("replenish", "--all")
    gate.wait_for_calls(15)
    dying.wait_for_rows("SELECT count(*) FROM campaign_claims WHERE run_id IS NOT NULL", [20])
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    gate.open()
    document = other.document("replenish", "--all")
    assert Counter(c["status"] for c in document["campaigns"]) == {"succeeded": 10, "skipped": 20}
    execute(other, SILENCE)
    after = other.run("replenish", "--all")
    assert after.returncode == 0
    assert "run 1 on dying" in after.stderr
    assert other.rows(LEVELS) == [(10, 30)]
    assert sum(len(values) for values in service.charges.values()) == 300
    assert_nothing_lost(other, service)


def test_a_living_run_of_another_host_is_left_alone(hosts: Hosts, service: SupplyService) -> None:
    first, second = hosts("first", "second")
    first.add_campaigns("c1")
    service.behave = gate = Gate()
    run = first.start("replenish", "--all")
    gate.wait_for_calls(5)
    refused = second.run("replenish", "--campaign", "c1")
    assert refused.returncode == 75
    assert f"pid {run.pid} on first since" in refused.stderr
    gate.open()
    assert run.wait() == 0
    run.communicate()
    assert first.rows("SELECT status FROM runs ORDER BY id") == ["succeeded"]


def test_with_a_lock_in_the_database_one_run_goes_on_in_all(hosts: Hosts, service: SupplyService) -> None:
    first, second = hosts("first", "second", KYLINK_LOCK_URL="database:")
    first.add_campaigns("c1")
    service.behave = gate = Gate()
    run = first.start("replenish", "--all")
    gate.wait_for_calls(5)
    refused = second.run("replenish", "--all")
    assert refused.returncode == 75
    assert f"another run holds the lock stock_replenish: pid {run.pid} on first since" in refused.stderr
    gate.open()
    assert run.wait() == 0
    run.communicate()
    assert second.run("replenish", "--all").returncode == 0


def test_hosts_that_recover_leases_at_once_recover_each_once(hosts: Hosts, service: SupplyService) -> None:
    four = hosts("a", "b", "c", "d", STOCK_BATCH_SIZE="500", PROXY_MAX_PER_CALL="500")
    four[0].add_campaigns("c1", "c2")
    assert four[0].run("replenish", "--all").returncode == 0
    for campaign in ("c1", "c2"):
        assert four[0].run("leases", "take", campaign, "--count", "500").returncode == 0
    execute(four[0], "UPDATE leases SET expires_at = expires_at - interval '1 hour'")
    runs = [host.start("recover-leases", "--json") for host in four]
    documents = [json.loads(run.communicate()[0]) for run in runs]
    assert sum(document["recovered"] for document in documents) == 1_000
    assert four[0].rows("SELECT state, count(*) FROM stock_items GROUP BY state") == [("available", 1_000)]
    assert_nothing_lost(four[0], service)


def test_the_status_shows_every_host_and_who_has_gone_silent(hosts: Hosts) -> None:
    gone, alive = hosts("gone", "alive", ENABLE_AUTO_CRON="true")
    for host in (gone, alive):
        assert host.run("recover-leases", "--scheduled").returncode == 0
    execute(alive, "UPDATE runs SET started_at = started_at - interval '1 hour' WHERE host = 'gone'")
    [job] = [job for job in alive.document("jobs", "status")["jobs"] if job["name"] == "lease_recovery"]
    assert [(host["host"], host["silent"], host["last_run"]["run_id"]) for host in job["hosts"]] == [
        ("alive", False, 2),
        ("gone", True, 1),
    ]
    shown = alive.run("jobs", "status").stdout
    assert [line.split()[:3] for line in shown.splitlines() if " alive " in line or " gone " in line] == [
        ["lease_recovery", "alive", "on"],
        ["lease_recovery", "gone", "silent"],
    ]
    history = alive.run("jobs", "history").stdout.splitlines()
    assert [line.split()[2] for line in history] == ["HOST", "alive", "gone"]


def test_every_command_works_on_a_server(hosts: Hosts) -> None:
    [kylink] = hosts("a")
    done = [
        kylink.run("campaigns", "add", "42", "--user", "u1"),
        kylink.run("replenish", "--all", "--dry-run"),
        kylink.run("replenish", "--all"),
        kylink.run("leases", "take", "42", "--key", "k"),
        kylink.run("leases", "take", "42", "--key", "k"),
        kylink.run("stock", "export"),
        kylink.run("recover-leases"),
        kylink.run("jobs", "status"),
        kylink.run("db", "init"),
        kylink.run("db", "check"),
        kylink.run("db", "stats"),
        kylink.run("jobs", "pause", "lease_recovery"),
        kylink.run("doctor"),
        kylink.run("campaigns", "remove", "42", "--yes"),
    ]
    assert [(run.args, run.stderr) for run in done if run.returncode != 0] == []


def test_a_server_is_backed_up_by_its_own_tools(hosts: Hosts, tmp_path: Path) -> None:
    [kylink] = hosts("a")
    refused = kylink.run("db", "backup", str(tmp_path / "copy"))
    assert refused.returncode == 2
    assert 'pg_dump --format=custom --file=FILE "$DATABASE_URL"' in refused.stderr
    assert not (tmp_path / "copy").exists()


def test_hosts_whose_consumers_ring_for_one_campaign_order_nothing_twice(hosts: Hosts) -> None:
    both = hosts("a", "b", BELL="spawn", ENABLE_AUTO_CRON="true")
    both[0].add_campaigns("1")
    both[0].execute("UPDATE campaigns SET low_watermark = 9, target_stock = 10")
    both[0].run("replenish", "--all")
    for rounds in range(1, 4):
        takes = [host.start("leases", "take", "1", "--count", "3") for host in both]
        for take in takes:
            take.communicate()
            assert take.returncode == 0
        both[0].wait_for_rows("SELECT count(*) FROM stock_items WHERE state = 'available'", [10])
        both[0].wait_for_rows("SELECT count(*) FROM runs WHERE status = 'running'", [0])
        assert both[0].rows("SELECT sum(quantity) FROM supply_requests") == [10 + 6 * rounds]
