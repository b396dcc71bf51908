"""Jobs and consumers killed with SIGKILL again and again: nothing lost, nothing paid twice, no item in two hands."""

import contextlib
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from kylink_cli.demo.service import SupplyService
from tests.faults.armed import POINTS
from tests.faults.consumer import CAMPAIGNS
from tests.faults.shim import Shim
from tests.support.books import assert_ledger_agrees, assert_nothing_lost, lost
from tests.support.cli import clean_environment
from tests.support.installation import Installation

pytestmark = pytest.mark.slow

JOBS = (["replenish", "--all"], ["recover-leases"], ["alert-check"])
# By dialect.
TIME_PASSES = {
    "sqlite": "UPDATE leases SET expires_at = datetime(expires_at, '-1 hour') || '.000000' WHERE state = 'active'",
    "postgresql": "UPDATE leases SET expires_at = expires_at - interval '1 hour' WHERE state = 'active'",
}
HEARTBEATS_AGE = {
    "sqlite": "UPDATE runs SET heartbeat_at = datetime(heartbeat_at, '-6 minutes') || '.000000' "
    "WHERE status = 'running'",
    "postgresql": "UPDATE runs SET heartbeat_at = heartbeat_at - interval '6 minutes' WHERE status = 'running'",
}
LONG = pytest.mark.long


@pytest.fixture
def hosts(request: pytest.FixtureRequest, tmp_path: Path, service: SupplyService) -> Iterator[Sequence[Installation]]:
    """One host with an embedded database, or two that share a server."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield [stack.enter_context(Installation.at(tmp_path, service.url, service.key))]
            return
        url = request.getfixturevalue("postgres").new_database()
        folders = [tmp_path / name for name in ("a", "b")]
        for folder in folders:
            folder.mkdir()
        yield [
            stack.enter_context(Installation.on_server(folder, url, service, KYLINK_HOST_NAME=folder.name))
            for folder in folders
        ]


class CrashLoop:
    """Rounds of work in which everybody may be killed at any moment."""

    def __init__(self, hosts: Sequence[Installation], shim: Shim, seed: int) -> None:
        self._hosts = hosts
        self._shim = shim
        self._chance = random.Random(seed)
        self._seed = seed
        self._dialect = hosts[0].database.engine.dialect.name
        self.kills = 0
        self.confirmed: Counter[str] = Counter()

    def round(self) -> None:
        """A job and a consumer at work at once; both are killed."""
        if self._chance.random() < 0.5:
            self._hosts[0].execute(TIME_PASSES[self._dialect])
        host = self._chance.choice(self._hosts)
        consumer = self._start(host, "tests.faults.consumer", host.settings["DATABASE_URL"], str(self._seed))
        self._seed += 1
        self._run_victim()
        consumer.kill()
        output, errors = consumer.communicate()
        assert errors == ""
        self.confirmed.update(line.removeprefix("confirmed ") for line in output.splitlines() if line != "ready")

    def _run_victim(self) -> None:
        job, host = self._chance.choice(JOBS), self._chance.choice(self._hosts)
        if self._chance.random() < 0.3:
            self._be_taken_over(job, host)
            return
        if self._chance.random() < 0.5:
            point, number = self._chance.choice(POINTS), self._chance.randint(1, 8)
            victim = self._start(host, "tests.faults.armed", point, str(number), *job)
        else:
            victim = self._start(host, "kylink_cli", *job)
            try:
                victim.wait(timeout=self._chance.uniform(0.3, 2))
            except subprocess.TimeoutExpired:
                victim.kill()
        _, errors = victim.communicate()
        assert "Traceback" not in errors
        self.kills += victim.returncode == -signal.SIGKILL

    def _be_taken_over(self, job: list[str], host: Installation) -> None:
        """A job is stopped, its proofs of life are lost or its clock jumps, another begins, and it wakes."""
        clock = host.folder / "clock"
        clock.write_text("0")
        sleeper = self._start(host, "kylink_cli", *job, **self._shim.sleeping(clock))
        with contextlib.suppress(subprocess.TimeoutExpired):
            sleeper.wait(timeout=self._chance.uniform(0.3, 1.2))
        sleeper.send_signal(signal.SIGSTOP)
        move = self._chance.choice(["stopped", "lock folder removed", "heartbeat aged", "clock jumped"])
        if move in {"lock folder removed", "heartbeat aged"}:
            for folder in (host.folder / "kylink.db.lock", host.folder / "locks"):
                shutil.rmtree(folder, ignore_errors=True)
        if move == "heartbeat aged":
            host.execute(HEARTBEATS_AGE[self._dialect])
        if move == "clock jumped":
            clock.write_text(str(self._chance.choice([600, 25 * 3600])))
        heir = self._start(self._chance.choice(self._hosts), "kylink_cli", *job)
        with contextlib.suppress(subprocess.TimeoutExpired):
            heir.wait(timeout=self._chance.uniform(0.2, 1.5))
        sleeper.send_signal(signal.SIGCONT)
        for process in (sleeper, heir):
            if self._chance.random() < 0.5:
                process.kill()
            _, errors = process.communicate()
            assert "Traceback" not in errors
            self.kills += process.returncode == -signal.SIGKILL

    def _start(self, host: Installation, module: str, *args: str, **settings: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", module, *args],
            env=host.environment | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.mark.parametrize(
    ("hosts", "seed", "rounds"),
    [
        ("sqlite", 1, 12),
        ("postgresql", 1, 4),
        pytest.param("sqlite", 2, 300, marks=LONG),
        pytest.param("postgresql", 2, 150, marks=LONG),
    ],
    indirect=["hosts"],
)
def test_no_crash_loses_what_was_paid_for_or_gives_an_item_twice(
    hosts: Sequence[Installation], service: SupplyService, shim: Shim, seed: int, rounds: int
) -> None:
    kylink = hosts[0]
    kylink.add_campaigns(*[str(number) for number in range(CAMPAIGNS)])
    loop = CrashLoop(hosts, shim, seed)
    played = 0
    # On a quick machine a command has often ended before it is to be killed.
    while played < rounds or loop.kills <= rounds / 3:
        assert played < 10 * rounds, "hardly anything was killed"
        played += 1
        loop.round()
        assert_ledger_agrees(kylink, service)
        consumed = Counter(kylink.rows("SELECT value FROM stock_items WHERE state = 'consumed'"))
        assert loop.confirmed <= consumed, "acknowledged twice, or acknowledged and not consumed"
    kylink.execute(HEARTBEATS_AGE[kylink.database.engine.dialect.name])
    assert (kylink.run("replenish", "--all").returncode, kylink.run("recover-leases").returncode) == (0, 0)
    assert kylink.rows("SELECT count(*) FROM runs WHERE status = 'running'") == [0]
    assert kylink.rows("SELECT count(*) FROM supply_requests WHERE state = 'open'") == [0]
    assert_ledger_agrees(kylink, service)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("number", [2, *[pytest.param(number, marks=LONG) for number in (1, 3, 4, 5, 7, 9, 13)]])
def test_a_run_killed_at_a_named_point_is_made_good_by_the_next(
    kylink: Installation, service: SupplyService, point: str, number: int
) -> None:
    kylink.add_campaigns("1", "2")
    command = [sys.executable, "-m", "tests.faults.armed", point, str(number), "replenish", "--all", "--quiet"]
    environment = clean_environment(kylink.folder) | kylink.settings
    killed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL or number > 4, "the point was never reached"
    assert_nothing_lost(kylink, service)
    assert kylink.run("replenish", "--all").returncode == 0
    assert kylink.rows("SELECT count(*) FROM stock_items GROUP BY campaign_id") == [10, 10]
    assert kylink.rows("SELECT count(*) FROM supply_requests WHERE state = 'open'") == [0]
    assert_nothing_lost(kylink, service)


def test_the_loop_would_see_losses(kylink: Installation, service: SupplyService) -> None:
    """The same kills over the order that kylink avoids, ask first and record later, lose what was paid for."""
    kylink.add_campaigns(*[str(number) for number in range(200)])
    chance = random.Random(3)
    command = [sys.executable, "-m", "tests.faults.naive", str(kylink.folder / "kylink.db"), service.url, service.key]
    for _ in range(200):
        calls = sum(service.calls.values())
        victim = subprocess.Popen(command, env=clean_environment(), stderr=subprocess.DEVNULL)
        while victim.poll() is None and sum(service.calls.values()) < calls + 1:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.01))
        victim.kill()
        victim.wait()
        if lost(kylink, service):
            return
    raise AssertionError("200 kills between the answer and its record were not seen as a loss")
