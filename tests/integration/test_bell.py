"""The bell: which takes ring, which do not, what answers; and consumers who wait."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from kylink_cli import leasing
from kylink_cli.errors import NoStockError, UsageError
from kylink_cli.leasing import Bell, TakeRequest
from kylink_cli.places import BELL_PATH_UNIT, watched_bell
from kylink_cli.rules.vocabulary import CampaignStatus
from kylink_cli.scheduling.bell import HostBell, hang
from kylink_cli.store import bell, claims, no_stock
from kylink_cli.store.engine.database import Database
from kylink_cli.store.tables import Campaign, ReorderPoint, Run, StockItem, Waiter, table
from tests.support.database import add_campaigns, add_items
from tests.support.waiting import wait_until

NOW = datetime.now(UTC)
DELAY = timedelta(minutes=1)
POINT = 3
CAMPAIGN = table(Campaign)


class Heard:
    """A bell that counts."""

    def __init__(self) -> None:
        self.rings = 0

    def ring(self) -> None:
        self.rings += 1

    @property
    def bell(self) -> Bell:
        return Bell(self.ring, DELAY, POINT)


@pytest.fixture
def heard(database: Database) -> Heard:
    """A campaign with four items: a take leaves as many as its reorder point, the next one too few."""
    add_campaigns(database, "1")
    add_items(database, "1", POINT + 1)
    return Heard()


def take(database: Database, heard: Heard, now: datetime = NOW, **request: Any) -> None:
    leasing.take(database, TakeRequest("1", 15, **request), now, bell=heard.bell)


def rung(database: Database) -> list[str]:
    return database.read(bell.rung)


def change(database: Database, **values: Any) -> None:
    with database.writing() as session:
        session.execute(update(CAMPAIGN).values(values))


def test_a_take_rings_that_leaves_less_than_the_reorder_point(database: Database, heard: Heard) -> None:
    take(database, heard)
    assert (heard.rings, rung(database)) == (0, [])
    take(database, heard)
    assert (heard.rings, rung(database)) == (1, ["1"])


def test_a_storm_of_takes_rings_once_until_nobody_has_come_for_the_delay(database: Database, heard: Heard) -> None:
    for _ in range(3):
        take(database, heard)
    assert heard.rings == 1
    take(database, heard, NOW + DELAY)
    assert heard.rings == 2


def test_who_gets_nothing_rings_too(database: Database, heard: Heard) -> None:
    take(database, heard, count=POINT + 1)
    with database.writing() as session:
        bell.answer(session, ["1"])
    with pytest.raises(NoStockError):
        take(database, heard)
    assert heard.rings == 2


@pytest.mark.parametrize(("own", "computed", "rings"), [(None, None, 1), (1, POINT, 0), (None, 1, 0), (2, None, 0)])
def test_a_campaigns_own_reorder_point_wins_then_the_computed_one(
    database: Database, heard: Heard, own: int | None, computed: int | None, rings: int
) -> None:
    change(database, low_watermark=own)
    with database.writing() as session:
        if computed is not None:
            session.add(ReorderPoint(campaign_id="1", items=computed, due_minute=0))
    take(database, heard, count=2)
    assert heard.rings == rings


def test_a_paused_campaign_is_not_rung_for(database: Database, heard: Heard) -> None:
    change(database, status=CampaignStatus.PAUSED)
    take(database, heard, count=POINT + 1)
    assert heard.rings == 0


def test_a_campaign_is_not_rung_for_while_a_run_has_it(database: Database, heard: Heard) -> None:
    with database.writing() as session:
        run = Run(
            job="stock_replenish", trigger="timer", host="h", pid=1, status="running", started_at=NOW, heartbeat_at=NOW
        )
        session.add(run)
        session.flush()
        assert run.id is not None
        claims.claim(session, run.id, ["1"], NOW)
    take(database, heard, count=2)
    assert heard.rings == 0


def test_a_campaign_is_not_rung_for_within_the_delay_after_a_failed_try(database: Database, heard: Heard) -> None:
    with database.writing() as session:
        bell.note_failures(session, ["1"], NOW)
    take(database, heard, NOW + DELAY / 2, count=2)
    assert heard.rings == 0
    take(database, heard, NOW + DELAY)
    assert heard.rings == 1


def test_no_campaign_is_rung_for_within_the_delay_after_the_service_was_found_down(
    database: Database, heard: Heard
) -> None:
    with database.writing() as session:
        bell.note_outage(session, NOW)
    take(database, heard, NOW + DELAY / 2, count=2)
    assert (heard.rings, database.read(lambda session: bell.is_down(session, NOW - DELAY))) == (0, True)
    with database.writing() as session:
        bell.end_outage(session)
    take(database, heard, NOW + DELAY / 2)
    assert heard.rings == 1


def test_a_repeated_take_is_no_ring(database: Database, heard: Heard) -> None:
    for _ in range(2):
        take(database, heard, count=2, key="k")
    assert heard.rings == 1


def test_who_waits_gets_what_arrives_and_is_not_refused(database: Database, heard: Heard) -> None:
    take(database, heard, count=POINT + 1)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(
            lambda: leasing.take(database, TakeRequest("1", 15), database.now(), wait_seconds=30, bell=heard.bell)
        )
        wait_until(lambda: len(places(database)) == 1, "the consumer to queue")
        add_items(database, "1", 1, hours=24)
        assert waiting.result().leases[0].value == "1-available-24-0"
    with database.reading() as session:
        assert (places(database), no_stock.count_since(session, NOW - timedelta(days=1))) == ([], 0)


def test_who_waits_in_vain_is_refused_once(database: Database, heard: Heard) -> None:
    take(database, heard, count=POINT + 1)
    with pytest.raises(NoStockError):
        leasing.take(database, TakeRequest("1", 15), database.now(), wait_seconds=0.3, bell=heard.bell)
    with database.reading() as session:
        assert (places(database), no_stock.count_since(session, NOW - timedelta(days=1))) == ([], 1)


def places(database: Database) -> list[int]:
    return database.read(lambda session: list(session.scalars(select(table(Waiter).c.id))))


def test_who_comes_first_is_served_first(database: Database, heard: Heard) -> None:
    take(database, heard, count=POINT + 1)
    served: list[int] = []
    lock = threading.Lock()

    def wait(number: int) -> None:
        taken = leasing.take(database, TakeRequest("1", 15), database.now(), wait_seconds=60)
        with lock:
            served.append(number)
        assert len(taken.leases) == 1

    with ThreadPoolExecutor() as pool:
        waiting = []
        for number in range(3):
            waiting.append(pool.submit(wait, number))
            wait_until(lambda: len(places(database)) == len(waiting), "the consumer to queue")

        def is_taken(number: int) -> bool:
            return len(served) == number + 1

        for number in range(3):
            # Nobody who comes now gets the item that the first is waiting for.
            add_items(database, "1", 1, hours=20 + number)
            wait_until(partial(is_taken, number), "an item to be taken")
    assert served == [0, 1, 2]


def test_who_comes_later_leaves_items_to_those_who_wait(database: Database, heard: Heard) -> None:
    take(database, heard, count=POINT + 1)
    with database.writing() as session:
        session.add(Waiter(campaign_id="1", wanted=2, until=NOW + timedelta(hours=1)))
    add_items(database, "1", 3, hours=24)
    take(database, heard, now=database.now())
    with pytest.raises(NoStockError):
        take(database, heard, now=database.now())
    with database.reading() as session:
        free = session.scalars(select(table(StockItem).c.id).where(table(StockItem).c.state == "available")).all()
    assert len(free) == 2


@pytest.mark.parametrize("seconds", [-1, 3_601])
def test_a_wait_out_of_bounds_is_refused(database: Database, seconds: float) -> None:
    with pytest.raises(UsageError, match=f"the wait is {seconds} seconds"):
        leasing.take(database, TakeRequest("1", 15), NOW, wait_seconds=seconds)


def test_the_hosts_bell_starts_its_answer_once_until_it_is_silenced(tmp_path: Path) -> None:
    answers = tmp_path / "answers"
    command = [sys.executable, "-c", f"open({str(answers)!r}, 'a').write('x')"]
    host = hang("spawn", tmp_path / "bell", command, patience_seconds=60)
    for _ in range(3):
        host.ring()
    wait_until(answers.exists, "an answer")
    host.silence()
    host.ring()
    wait_until(lambda: answers.read_text(encoding="utf-8") == "xx", "the second answer")


def test_a_ring_that_nobody_has_heard_for_long_is_rung_again(tmp_path: Path) -> None:
    answers = tmp_path / "answers"
    host = HostBell(tmp_path / "rung", [sys.executable, "-c", f"open({str(answers)!r}, 'w')"], patience_seconds=0)
    (tmp_path / "rung").touch()
    host.ring()
    wait_until(answers.exists, "an answer")


def test_a_bell_that_cannot_be_rung_fails_no_take(tmp_path: Path) -> None:
    HostBell(tmp_path / "missing" / "bell" / "rung").ring()
    HostBell(tmp_path / "rung", [str(tmp_path / "no such program")]).ring()


def test_the_bell_hangs_where_the_installed_path_unit_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    if watched_bell() is None:
        assert hang("auto", tmp_path, [], 60).file is None
    units = tmp_path / "systemd" / "user"
    units.mkdir(parents=True)
    (units / BELL_PATH_UNIT).write_text("[Path]\nPathExists=/var/lib/kylink/bell/rung\n", encoding="utf-8")
    assert hang("auto", tmp_path, [], 60).file == Path("/var/lib/kylink/bell/rung")
