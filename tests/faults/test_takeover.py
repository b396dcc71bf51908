"""Runs that are taken for dead, or that others meet: nobody undoes what another asks, and nothing is paid twice."""

import asyncio
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kylink_cli.demo.service import Call, SupplyService
from tests.faults.shim import Shim
from tests.support.books import assert_nothing_lost
from tests.support.gate import Gate
from tests.support.installation import Installation
from tests.support.postgres import PostgresServer
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.slow

KEY = "the-key"
AGED = "UPDATE runs SET heartbeat_at = heartbeat_at - interval '6 minutes' WHERE status = 'running'"
HOURS_ASLEEP = 25


class Turnstile:
    """A behaviour of the service that lets calls go on one group after the other."""

    def __init__(self, *sizes: int) -> None:
        self.arrived = 0
        self._sizes = sizes
        self._opened = [threading.Event() for _ in sizes]

    async def __call__(self, call: Call) -> None:
        """Charge a call and hold it with its group."""
        call.service.charge(call)
        number, self.arrived = self.arrived, self.arrived + 1
        for size, opened in zip(self._sizes, self._opened, strict=True):
            if number < size:
                while not opened.is_set():  # noqa: ASYNC110  (the test's thread opens it)
                    await asyncio.sleep(0.01)
                return
            number -= size

    def wait_for(self, number: int) -> None:
        """Wait until so many calls have come."""
        wait_until(lambda: self.arrived >= number, f"{number} calls")

    def open(self, group: int) -> None:
        """Let a group's calls go on."""
        self._opened[group].set()


@pytest.fixture
def two_hosts(
    tmp_path: Path, postgres: PostgresServer, service: SupplyService
) -> Iterator[tuple[Installation, Installation]]:
    url = postgres.new_database()
    with ExitStack() as stack:
        folders = tmp_path / "a", tmp_path / "b"
        for folder in folders:
            folder.mkdir()
        a, b = (
            stack.enter_context(Installation.on_server(folder, url, service, KYLINK_HOST_NAME=folder.name))
            for folder in folders
        )
        yield a, b


def end(run: "subprocess.Popen[str]", number: signal.Signals | None = None) -> int:
    if number is not None:
        run.send_signal(number)
    run.communicate()
    return run.returncode


def test_a_run_that_wakes_after_it_was_taken_over_undoes_nothing_of_the_new_run_s(
    two_hosts: tuple[Installation, Installation], service: SupplyService
) -> None:
    a, b = two_hosts
    a.add_campaigns("1")
    service.behave = calls = Turnstile(5, 10)
    sleeper = a.start("replenish", "--all")
    calls.wait_for(5)
    sleeper.send_signal(signal.SIGSTOP)
    a.execute(AGED)
    heir = b.start("replenish", "--all", STOCK_CONCURRENCY="10")
    calls.wait_for(15)
    # The sleeper wakes while the new run asks all ten, five of which the sleeper has never sent.
    sleeper.send_signal(signal.SIGTERM)
    sleeper.send_signal(signal.SIGCONT)
    calls.open(0)
    end(sleeper)
    calls.open(1)
    assert end(heir) == 0
    assert_nothing_lost(a, service)
    assert a.rows("SELECT state, count(*) FROM supply_requests GROUP BY 1") == [("answered", 10)]
    assert a.rows("SELECT count(*) FROM stock_items") == [10]


def test_the_answers_of_a_run_that_was_taken_over_are_stored(
    two_hosts: tuple[Installation, Installation], service: SupplyService
) -> None:
    """What it had in flight is paid for; the new run was refused for such a key, and is over."""
    a, b = two_hosts
    a.add_campaigns("1")
    service.behave = calls = Turnstile(10)
    sleeper = a.start("replenish", "--all", STOCK_CONCURRENCY="10")
    calls.wait_for(10)
    sleeper.send_signal(signal.SIGSTOP)
    a.execute(AGED)
    with SupplyService("another") as deaf:
        refused = b.run("replenish", "--all", PROXY_API_URL=deaf.url.replace("/v1/items", "/nothing"))
    assert refused.returncode != 0
    assert "in_doubt" in a.rows("SELECT state FROM supply_requests")
    calls.open(0)
    sleeper.send_signal(signal.SIGCONT)
    end(sleeper)
    assert_nothing_lost(a, service)
    assert a.rows("SELECT state, count(*) FROM supply_requests GROUP BY 1") == [("answered", 10)]


def test_a_lock_folder_that_is_removed_in_mid_run_makes_nobody_take_the_run_for_dead(
    kylink: Installation, service: SupplyService
) -> None:
    kylink.add_campaigns("1", "2")
    service.behave = gate = Gate(charges=True)
    run = kylink.start("replenish", "--all")
    gate.wait_for_calls(10)
    shutil.rmtree(kylink.folder / "kylink.db.lock")
    assert kylink.run("replenish", "--all", "--json").returncode == 0
    assert kylink.run("replenish", "--campaign", "1").returncode == 75
    assert kylink.rows("SELECT id, status FROM runs ORDER BY id")[0] == (1, "running")
    run.send_signal(signal.SIGTERM)
    gate.open()
    assert end(run) == -signal.SIGTERM
    assert_nothing_lost(kylink, service)
    assert kylink.rows("SELECT count(*) FROM stock_items GROUP BY campaign_id") == [5, 5]


def test_a_run_of_another_user_of_the_host_whose_locks_are_elsewhere_is_not_taken_for_dead(
    two_hosts: tuple[Installation, Installation], service: SupplyService
) -> None:
    """Two users, or two containers of one host name, with a state directory each and one database."""
    service_user, operator = two_hosts
    name = {"KYLINK_HOST_NAME": "one"}
    service_user.add_campaigns(*[str(number) for number in range(5)])
    service.behave = gate = Gate(charges=True)
    run = service_user.start("replenish", "--all", **name)
    gate.wait_for_calls(15)
    gate_closed = operator.run("replenish", "--campaign", "0", **name)
    assert gate_closed.returncode == 75
    gate.open()
    assert end(run) == 0
    assert sum(len(values) for values in service.charges.values()) == 50
    assert_nothing_lost(operator, service)


def test_a_run_that_meets_a_claim_leaves_no_record(kylink: Installation, service: SupplyService) -> None:
    kylink.add_campaigns("1", "2")
    service.behave = gate = Gate()
    run = kylink.start("replenish", "--campaign", "1")
    gate.wait_for_calls(1)
    met = kylink.run("replenish", "--campaign", "1", "--json")
    assert (met.returncode, '"code": "LOCKED"' in met.stdout) == (75, True)
    assert kylink.rows("SELECT id, status FROM runs") == [(1, "running")]
    gate.open()
    assert end(run) == 0


def test_a_run_on_a_machine_that_slept_for_a_day_asks_nothing_again(
    kylink: Installation, service: SupplyService, shim: Shim, tmp_path: Path
) -> None:
    """Wall clock and boot time jump, monotonic time stands still; the service has forgotten its keys."""
    kylink.add_campaigns("1")
    clock = tmp_path / "clock"
    clock.write_text("0")
    gate = Gate(charges=True)

    async def cut_off(call: Call) -> None:
        await gate(call)
        assert call.request.transport is not None
        call.request.transport.abort()

    service.behave = cut_off
    run = kylink.start("replenish", "--all", STOCK_CONCURRENCY="2", **shim.sleeping(clock))
    gate.wait_for_calls(2)
    clock.write_text(str(HOURS_ASLEEP * 3600))
    gate.open()
    _, errors = run.communicate()
    assert "the machine slept for 90000 s" in errors
    assert service.calls == {"1": 2}, "no call after the sleep"
    forgotten = set(service.charges)
    service.charges.clear()
    service.behave = None
    assert kylink.run("replenish", "--all", **shim.sleeping(clock)).returncode == 0
    assert not forgotten & set(service.charges), "charged again"
    assert set(kylink.rows("SELECT key FROM supply_requests WHERE state = 'in_doubt'")) == forgotten
    assert kylink.rows("SELECT count(*) FROM stock_items") == [10]
