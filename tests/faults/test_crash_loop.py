"""Jobs and consumers killed with SIGKILL again and again: nothing lost, nothing paid twice, no item in two hands."""

import contextlib
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from kylink_cli.demo.service import SupplyService
from tests.faults.armed import POINTS
from tests.faults.consumer import CAMPAIGNS
from tests.faults.shim import Shim
from tests.support.books import assert_nothing_lost, lost
from tests.support.cli import clean_environment
from tests.support.installation import Installation

pytestmark = pytest.mark.slow

JOBS = (["replenish", "--all"], ["recover-leases"], ["alert-check"])
TIME_PASSES = """
UPDATE leases SET expires_at = datetime(expires_at, '-1 hour') || '.000000' WHERE state = 'active'
"""
AGED = (
    "UPDATE runs SET heartbeat_at = datetime(heartbeat_at, '-6 minutes') || '.000000' WHERE status = 'running'",
    "UPDATE runs SET heartbeat_at = heartbeat_at - interval '6 minutes' WHERE status = 'running'",
)
LONG = pytest.mark.long


class CrashLoop:
    """Rounds of work in which everybody may be killed at any moment."""

    def __init__(self, kylink: Installation, shim: Shim, seed: int) -> None:
        self._kylink = kylink
        self._shim = shim
        self._chance = random.Random(seed)
        self._seed = seed
        self.kills = 0
        self.confirmed: Counter[str] = Counter()

    def round(self) -> None:
        """A job and a consumer at work at once; both are killed."""
        if self._chance.random() < 0.5:
            self._pass_time()
        consumer = self._start("tests.faults.consumer", str(self._kylink.folder / "kylink.db"), str(self._seed))
        self._seed += 1
        self._run_victim()
        consumer.kill()
        output, errors = consumer.communicate()
        assert errors == ""
        self.confirmed.update(line.removeprefix("confirmed ") for line in output.splitlines() if line != "ready")

    def _run_victim(self) -> None:
        job = self._chance.choice(JOBS)
        if self._chance.random() < 0.3:
            self._be_taken_over(job)
            return
        if self._chance.random() < 0.5:
            point, number = self._chance.choice(POINTS), self._chance.randint(1, 8)
            victim = self._start("tests.faults.armed", point, str(number), *job)
        else:
            victim = self._start("kylink_cli", *job)
            try:
                victim.wait(timeout=self._chance.uniform(0.3, 2))
            except subprocess.TimeoutExpired:
                victim.kill()
        _, errors = victim.communicate()
        assert "Traceback" not in errors
        self.kills += victim.returncode == -signal.SIGKILL

    def _be_taken_over(self, job: list[str]) -> None:
        """A job is stopped, its proofs of life are lost or its clock jumps, another begins, and it wakes."""
        clock = self._kylink.folder / "clock"
        clock.write_text("0")
        sleeper = self._start("kylink_cli", *job, **self._shim.sleeping(clock))
        with contextlib.suppress(subprocess.TimeoutExpired):
            sleeper.wait(timeout=self._chance.uniform(0.3, 1.2))
        sleeper.send_signal(signal.SIGSTOP)
        move = self._chance.choice(["stopped", "lock folder removed", "heartbeat aged", "clock jumped"])
        if move in {"lock folder removed", "heartbeat aged"}:
            shutil.rmtree(self._kylink.folder / "kylink.db.lock", ignore_errors=True)
        if move == "heartbeat aged":
            self._kylink.execute(AGED[self._kylink.database.path is None])
        if move == "clock jumped":
            clock.write_text(str(self._chance.choice([600, 25 * 3600])))
        heir = self._start("kylink_cli", *job)
        with contextlib.suppress(subprocess.TimeoutExpired):
            heir.wait(timeout=self._chance.uniform(0.2, 1.5))
        sleeper.send_signal(signal.SIGCONT)
        for process in (sleeper, heir):
            if self._chance.random() < 0.5:
                process.kill()
            _, errors = process.communicate()
            assert "Traceback" not in errors
            self.kills += process.returncode == -signal.SIGKILL

    def _start(self, module: str, *args: str, **settings: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", module, *args],
            env=clean_environment(self._kylink.folder) | self._kylink.settings | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _pass_time(self) -> None:
        with self._kylink.database.writing() as session:
            session.connection().exec_driver_sql(TIME_PASSES)


@pytest.mark.parametrize(("seed", "rounds"), [(1, 12), pytest.param(2, 300, marks=LONG)])
def test_no_crash_loses_what_was_paid_for_or_gives_an_item_twice(
    kylink: Installation, service: SupplyService, shim: Shim, seed: int, rounds: int
) -> None:
    kylink.add_campaigns(*[str(number) for number in range(CAMPAIGNS)])
    loop = CrashLoop(kylink, shim, seed)
    for _ in range(rounds):
        loop.round()
        assert_nothing_lost(kylink, service)
        consumed = Counter(kylink.rows("SELECT value FROM stock_items WHERE state = 'consumed'"))
        assert loop.confirmed <= consumed, "acknowledged twice, or acknowledged and not consumed"
    assert loop.kills > rounds / 3
    assert (kylink.run("replenish", "--all").returncode, kylink.run("recover-leases").returncode) == (0, 0)
    assert kylink.rows("SELECT count(*) FROM runs WHERE status = 'running'") == [0]
    assert kylink.rows("SELECT count(*) FROM supply_requests WHERE state = 'open'") == [0]
    assert_nothing_lost(kylink, service)


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
