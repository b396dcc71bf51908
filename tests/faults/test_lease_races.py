"""Many consumers at one stock, some killed, a recovery beside them: no item in two hands, none lost."""

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kylink_cli.demo.service import SupplyService
from kylink_cli.store.tables import StockItem, table
from kylink_cli.store.upkeep.check import check
from tests.faults.conftest import KEY
from tests.faults.shim import Shim
from tests.support.installation import Installation
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

TIME_PASSES = """
UPDATE leases SET leased_at = leased_at - interval '1 hour', expires_at = expires_at - interval '1 hour'
WHERE state = 'active'
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def kylink(request: pytest.FixtureRequest, tmp_path: Path, service: SupplyService) -> Iterator[Installation]:
    """One operator's kylink, on either kind of database."""
    if request.param == "sqlite":
        installed = Installation.at(tmp_path, service.url, KEY)
    else:
        url = request.getfixturevalue("postgres").new_database()
        installed = Installation.on_server(tmp_path, url, service)
    with installed as opened:
        yield opened


class Race:
    """Consumers that run at once, and what they say that they were given."""

    def __init__(self, kylink: Installation, ahead: dict[str, str]) -> None:
        self._kylink = kylink
        # The environment of a recovery that finds every lease past its deadline, where the host's clock decides.
        self._ahead = ahead
        self._chance = random.Random(7)
        self.confirmed: Counter[str] = Counter()
        self.lost = 0

    def run(self, consumers: int, kills: int) -> None:
        """Let consumers race until the stock is empty; some are killed on the way, and recoveries take leases back."""
        running = [self._start(seed) for seed in range(consumers)]
        recoveries = 0
        for victim in self._chance.sample(running, kills):
            self._wait_for_progress(running)
            victim.kill()
            recoveries += self._recover()
        assert recoveries > 0
        for consumer in running:
            self._read(consumer)

    def finish(self) -> None:
        """Take back what the killed ones held, and consume the rest."""
        self._recover()
        last = self._start(99)
        self._read(last)

    def _wait_for_progress(self, running: "list[subprocess.Popen[str]]") -> None:
        goal = self._consumed() + self._chance.randint(100, 1000)

        def is_over() -> bool:
            return all(consumer.poll() is not None for consumer in running)

        wait_until(lambda: self._consumed() >= goal or is_over(), f"{goal} items to be consumed")

    def _consumed(self) -> int:
        [number] = self._kylink.rows("SELECT count(*) FROM stock_items WHERE state = 'consumed'")
        return int(number)

    def _recover(self) -> int:
        if self._kylink.database.path is None:
            with self._kylink.database.writing() as session:
                session.connection().exec_driver_sql(TIME_PASSES)
        document = self._kylink.document("recover-leases", **self._ahead)
        return int(document["expired_leases"])

    def _start(self, seed: int) -> "subprocess.Popen[str]":
        with (self._kylink.folder / f"racer-{seed}.out").open("w") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.faults.racer", str(seed)],
                env=self._kylink.environment,
                stdout=output,
                stderr=subprocess.PIPE,
                text=True,
            )

    def _read(self, consumer: "subprocess.Popen[str]") -> None:
        """What a consumer has said; a killed one may have been cut off in its last line."""
        _, errors = consumer.communicate()
        assert errors == "", errors
        seed = str(consumer.args[-1])  # type: ignore[index]
        text = (self._kylink.folder / f"racer-{seed}.out").read_text()
        for line in text[: text.rfind("\n") + 1].splitlines():
            told, _, value = line.partition(" ")
            if told == "confirmed":
                self.confirmed[value] += 1
            else:
                self.lost += 1


@pytest.mark.parametrize(
    ("consumers", "items", "kills"), [(8, 2_000, 3), pytest.param(32, 20_000, 10, marks=pytest.mark.long)]
)
def test_no_item_is_in_two_hands_and_none_is_lost(
    kylink: Installation, shim: Shim, tmp_path: Path, consumers: int, items: int, kills: int
) -> None:
    if kylink.database.path is None:
        items *= 4  # A server's consumers would be through before anybody is killed.
    kylink.settings["LEASE_MAX_EXPIRATIONS"] = "1000"
    kylink.add_campaigns("1")
    _add_items(kylink, items)
    (tmp_path / "clock").write_text("3600")
    assert kylink.run("leases", "take", "1", "--count", "3", "--holder", "forgetful").returncode == 0
    race = Race(kylink, shim.clock(tmp_path / "clock"))
    race.run(consumers, kills)
    race.finish()
    assert kylink.rows("SELECT state, count(*) FROM stock_items GROUP BY 1") == [("consumed", items)]
    assert max(race.confirmed.values()) == 1, "an item was confirmed by two consumers"
    # What was confirmed and not said was said by a consumer that was killed before it could.
    unsaid = items - race.confirmed.total()
    assert 0 <= unsaid <= kills * 10
    with kylink.database.reading() as session:
        assert [finding.name for finding in check(session) if not finding.ok] == []


def _add_items(kylink: Installation, number: int) -> None:
    now = datetime.now(UTC)
    rows = [
        {
            "campaign_id": "1",
            "value": f"v{index}",
            "state": "available",
            "created_at": now,
            "expires_at": now + timedelta(hours=48),
        }
        for index in range(number)
    ]
    with kylink.database.writing() as session:
        session.connection().execute(table(StockItem).insert(), rows)
