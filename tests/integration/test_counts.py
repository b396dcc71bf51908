"""What keeps runs from slowing down, held by counts: statements, commits and calls, never by clocks."""

import re
import sqlite3
import tracemalloc
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from kylink_cli import leasing, wiring
from kylink_cli.alerting.posting import Alerting
from kylink_cli.jobs import replenish
from kylink_cli.jobs.recover_leases import RecoveryLimits, recover_within
from kylink_cli.jobs.replenish import replenish_with
from kylink_cli.locks.file import FileLocks
from kylink_cli.rules.demand import DemandHistory
from kylink_cli.rules.replenishment import Demand
from kylink_cli.rules.vocabulary import ReplenishRule
from kylink_cli.running.events import Event
from kylink_cli.running.run import LiveRun, RunRequest
from kylink_cli.running.runner import run_job
from kylink_cli.settings.fields import Settings
from kylink_cli.store.demand import read_histories
from kylink_cli.store.demand_hours import pack
from kylink_cli.store.engine.database import Database
from kylink_cli.store.engine.postgresql import ServerDatabase
from kylink_cli.store.levels import Scope
from kylink_cli.supply.base import Order, SuppliedItem, Supply
from tests.support.alerts import RULES
from tests.support.database import add_campaigns, add_demand, add_items

NOW = datetime.now(UTC)
# What is sent to a server and answered, in libpq's own record of its messages.
_QUESTIONS = re.compile(r"\tF\t\d+\t(?:Query|Sync)")
ITEMS = 10


@dataclass
class Shelf:
    """A supplier that has everything at hand.

    Attributes:
        calls: how often it was asked.
    """

    calls: int = 0

    async def supply(self, order: Order) -> Supply:
        self.calls += 1
        return Supply(tuple(SuppliedItem(uuid.uuid4().hex) for _ in range(order.quantity)))

    async def check(self) -> str:
        return "at hand"

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Counts:
    """What a database is given to do.

    Attributes:
        statements: their texts, in order.
        commits: how many transactions were committed.
    """

    statements: list[str] = field(default_factory=list)
    commits: int = 0


@pytest.fixture
def counts(database: Database) -> Counts:
    counts = Counts()

    def commit(_: object) -> None:
        counts.commits += 1

    event.listen(database.engine, "before_cursor_execute", lambda *told: counts.statements.append(told[2]))
    event.listen(database.engine, "commit", commit)
    return counts


def live_run(database: Database, folder: Path, job: str) -> LiveRun:
    def ignore(_: Event) -> None:
        """Nobody looks."""

    return LiveRun(RunRequest(job), database, FileLocks(folder / "locks"), ignore, Alerting(RULES))


def fill(database: Database, folder: Path, max_per_call: int = 1) -> Shelf:
    """Fill every campaign from a shelf."""
    shelf = Shelf()
    assignment = wiring.assignment(
        Settings(proxy_max_per_call=max_per_call, replenish_rule=ReplenishRule.COVER), Scope(), Demand(), 0
    )
    run_job(live_run(database, folder, "stock_replenish"), replenish_with(assignment, shelf))
    return shelf


@pytest.mark.parametrize("rule", ReplenishRule)
def test_a_scan_takes_a_fixed_number_of_statements_however_many_campaigns(
    database: Database, counts: Counts, rule: ReplenishRule
) -> None:
    """Minutes to be folded, reorder points that are due, levels, what was asked of the low ones, failures, rings."""

    def scan(number: int) -> int:
        add_campaigns(database, *[f"{number}-{campaign}" for campaign in range(number)])
        assignment = wiring.assignment(Settings(replenish_rule=rule), Scope(), Demand(), 0)
        replenish.scan(database, assignment, NOW)
        counts.statements.clear()
        assert len(replenish.scan(database, assignment, NOW)) >= number
        return len([statement for statement in counts.statements if not statement.startswith("BEGIN")])

    assert scan(2) == scan(200) <= 10


def test_an_idle_run_takes_the_same_statements_however_many_campaigns(
    database: Database, tmp_path: Path, counts: Counts
) -> None:
    def idle(campaigns: range) -> int:
        for number in campaigns:
            add_campaigns(database, f"c{number}")
            add_items(database, f"c{number}", ITEMS)
        counts.statements.clear()
        assert fill(database, tmp_path).calls == 0
        return len(counts.statements)

    assert idle(range(2)) == idle(range(2, 40))


@pytest.mark.parametrize(("max_per_call", "calls"), [(1, 10), (4, 3), (10, 1)])
def test_a_campaign_costs_no_more_calls_than_its_items_need(
    embedded: Database, tmp_path: Path, max_per_call: int, calls: int
) -> None:
    add_campaigns(embedded, "c1", "c2")
    assert fill(embedded, tmp_path, max_per_call).calls == 2 * calls


def test_a_run_commits_less_than_once_a_campaign(database: Database, tmp_path: Path, counts: Counts) -> None:
    add_campaigns(database, *[f"c{number}" for number in range(150)])
    before = counts.commits
    assert fill(database, tmp_path).calls == 150 * ITEMS
    assert counts.commits - before < 150


def test_a_pause_is_looked_for_by_at_most_a_statement_a_batch_of_calls(
    database: Database, tmp_path: Path, counts: Counts
) -> None:
    add_campaigns(database, *[f"c{number}" for number in range(30)])
    calls = fill(database, tmp_path).calls
    looks = [text for text in counts.statements if is_look_for_pauses(text)]
    assert 0 < len(looks) <= calls / Settings().stock_concurrency + 30


def is_look_for_pauses(statement: str) -> bool:
    return statement.startswith("SELECT campaigns.id") and "campaigns.status =" in statement


def test_a_commit_of_a_run_takes_a_bounded_number_of_statements(
    database: Database, tmp_path: Path, counts: Counts
) -> None:
    add_campaigns(database, *[f"c{number}" for number in range(150)])
    counts.statements.clear()
    before = counts.commits
    fill(database, tmp_path)
    of_commits = [text for text in counts.statements if not is_look_for_pauses(text)]
    assert len(of_commits) < 20 * (counts.commits - before)


def test_a_batch_of_expired_leases_takes_two_statements(database: Database, tmp_path: Path, counts: Counts) -> None:
    add_campaigns(database, "c1")
    add_items(database, "c1", 300)

    def recover(leases: int) -> int:
        leasing.take(database, leasing.TakeRequest("c1", 15, leases), NOW - timedelta(hours=1))
        counts.statements.clear()
        limits = RecoveryLimits(max_expirations=9, retention=timedelta(days=30))
        run_job(live_run(database, tmp_path, "lease_recovery"), recover_within(limits))
        return len([s for s in counts.statements if s.startswith(("UPDATE leases", "UPDATE stock_items"))])

    assert recover(3) == recover(300)


@pytest.mark.parametrize("count", [1, 100])
def test_a_take_asks_a_server_three_times_and_so_does_a_confirmation(
    on_server: ServerDatabase, tmp_path: Path, count: int
) -> None:
    """The beginning with the transaction's number, one statement, the end: no more than by hand, of however many."""
    add_campaigns(on_server, "c1")
    add_items(on_server, "c1", 110)
    with (tmp_path / "messages").open("w+") as messages:

        def trace(connection: psycopg.Connection, *_: object) -> None:
            connection.pgconn.trace(messages.fileno())

        event.listen(on_server.engine, "checkout", trace)
        asked = consume(on_server, count, lambda: len(_QUESTIONS.findall((tmp_path / "messages").read_text())))
    assert asked == [3, 3]


@pytest.mark.parametrize("count", [1, 100])
def test_a_take_is_three_statements_on_sqlite_and_a_confirmation_two(embedded: Database, count: int) -> None:
    add_campaigns(embedded, "c1")
    add_items(embedded, "c1", 110)
    statements: list[str] = []

    def trace(connection: sqlite3.Connection, *_: object) -> None:
        connection.set_trace_callback(lambda text: statements.append(" ".join(text.split()[:3])))

    event.listen(embedded.engine, "checkout", trace)
    # With the beginning, the end, and how often to look whether another writer has ended.
    assert consume(embedded, count, lambda: len([kind for kind, _ in groupby(statements)])) == [3 + 4, 2 + 4]


def consume(database: Database, count: int, asked: Callable[[], int]) -> list[int]:
    """How much more was asked after a take, and after its confirmation."""
    before = asked()
    taken = leasing.take(database, leasing.TakeRequest("c1", 15, count), NOW)
    assert len(taken.leases) == count
    after_take = asked()
    leasing.confirm(database, [lease.token for lease in taken.leases], NOW)
    return [after_take - before, asked() - after_take]


def test_the_histories_of_all_campaigns_take_hardly_more_memory_than_their_bytes(database: Database) -> None:
    """Unpacked, four weeks are twenty times as large: a gigabyte for a hundred thousand campaigns."""
    campaigns = [f"c{number}" for number in range(30)]
    add_campaigns(database, *campaigns)
    for campaign in campaigns:
        add_demand(database, campaign, items_an_hour=3)

    def read(session: Session) -> dict[str, DemandHistory]:
        return read_histories(session, NOW)

    database.read(read)
    tracemalloc.start()
    try:
        histories = database.read(read)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    packed = sum(len(pack(history.hours)[1]) for history in histories.values())
    assert len(histories) == len(campaigns)
    assert kept < 2 * packed
