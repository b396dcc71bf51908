"""`recover-leases` on a real database: what is over comes back, batch by batch, and what is old goes."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, update

from kylink_cli import leasing
from kylink_cli.alerting.posting import Alerting
from kylink_cli.errors import LockedError
from kylink_cli.jobs.recover_leases import RecoveryLimits, RecoveryReport, foresee, recover_within
from kylink_cli.leasing import TakeRequest
from kylink_cli.locks.file import FileLocks
from kylink_cli.rules.demand import KEPT_HOURS, Asked
from kylink_cli.rules.pace import FEWEST_ROWS
from kylink_cli.running.events import BatchDone, Event, LeasesRecovered, Observer
from kylink_cli.running.run import LiveRun, RunRequest
from kylink_cli.running.runner import run_job
from kylink_cli.running.stop import Stop, StopReason
from kylink_cli.store.demand import minute_at
from kylink_cli.store.demand_hours import pack
from kylink_cli.store.engine.database import Database
from kylink_cli.store.recovery import Recovered
from kylink_cli.store.tables import DemandHours, DemandMinute, LeaseRecord, NoStockEvent, StockItem, table
from tests.support.alerts import RULES
from tests.support.database import add_campaigns, add_items

NOW = datetime.now(UTC)
LATE = NOW + timedelta(minutes=16)
ITEM = table(StockItem).c
LEASE = table(LeaseRecord).c
LIMITS = RecoveryLimits(max_expirations=3, retention=timedelta(days=30))


def take(database: Database, count: int, now: datetime = NOW) -> list[str]:
    return [lease.token for lease in leasing.take(database, TakeRequest("1", 15, count), now).leases]


def ignore(_: Event) -> None:
    """Nobody looks."""


def recover(
    database: Database,
    folder: Path,
    now: datetime = LATE,
    limits: RecoveryLimits = LIMITS,
    observe: Observer = ignore,
) -> RecoveryReport:
    request, locks = RunRequest("lease_recovery"), FileLocks(folder / "locks")
    return run_job(
        LiveRun(request, database, locks, observe, Alerting(RULES), clock=lambda: now), recover_within(limits)
    ).report


def states(database: Database, column: object = ITEM.state) -> dict[str, int]:
    with database.reading() as session:
        return {row[0]: row[1] for row in session.execute(select(column, func.count()).group_by(column))}  # type: ignore[call-overload]


@pytest.fixture
def stocked(database: Database) -> Database:
    add_campaigns(database, "1")
    add_items(database, "1", 5)
    return database


def test_only_leases_past_their_deadline_are_recovered(stocked: Database, tmp_path: Path) -> None:
    take(stocked, 2)
    [active] = take(stocked, 1, now=LATE)
    assert recover(stocked, tmp_path).recovered == Recovered(expired_leases=2, recovered=2)
    assert states(stocked) == {"available": 4, "leased": 1}
    assert states(stocked, LEASE.state) == {"expired": 2, "active": 1}
    assert leasing.confirm(stocked, [active], LATE)[0].ok


def test_a_lease_ends_at_its_deadline_not_before(stocked: Database, tmp_path: Path) -> None:
    take(stocked, 1)
    before = NOW + timedelta(minutes=15) - timedelta(milliseconds=1)
    assert recover(stocked, tmp_path, before).recovered.expired_leases == 0
    assert recover(stocked, tmp_path, NOW + timedelta(minutes=15)).recovered.expired_leases == 1


def test_an_item_whose_leases_expire_too_often_is_discarded(database: Database, tmp_path: Path) -> None:
    add_campaigns(database, "1")
    add_items(database, "1", 1)
    seen = []
    for hour in range(3):
        take(database, 1, now=NOW + timedelta(hours=hour))
        seen.append(recover(database, tmp_path, LATE + timedelta(hours=hour)).recovered)
    assert seen == [Recovered(1, 1, 0), Recovered(1, 1, 0), Recovered(1, 0, 1)]
    assert states(database) == {"discarded": 1}


def test_an_item_past_its_own_end_expires_leased_or_not(database: Database, tmp_path: Path) -> None:
    add_campaigns(database, "1")
    add_items(database, "1", 3, hours=1)
    add_items(database, "1", 2, hours=48)
    take(database, 1)
    report = recover(database, tmp_path, NOW + timedelta(hours=2))
    assert report.recovered == Recovered(expired_leases=1, recovered=0, discarded=0, expired_items=3)
    assert states(database) == {"expired": 3, "available": 2}


def test_a_dry_run_foretells_what_a_run_then_does(database: Database, tmp_path: Path) -> None:
    add_campaigns(database, "1")
    add_items(database, "1", 4, hours=1)
    add_items(database, "1", 4, hours=48)
    take(database, 6)
    later = NOW + timedelta(hours=2)
    foreseen = foresee(database, LIMITS, later)
    assert states(database) == {"leased": 6, "available": 2}
    assert recover(database, tmp_path, later).recovered == foreseen


def test_work_goes_batch_by_batch_and_says_so(stocked: Database, tmp_path: Path) -> None:
    add_items(stocked, "1", 20, hours=47)
    take(stocked, 25)
    seen: list[Event] = []
    limits = RecoveryLimits(max_expirations=3, retention=timedelta(days=30), batch_size=10)
    recover(stocked, tmp_path, limits=limits, observe=seen.append)
    batches = [(happened.done, happened.total) for happened in seen if isinstance(happened, BatchDone)]
    assert batches == [(10, 25), (20, 25), (25, 25)]
    assert LeasesRecovered(25, 25, 0, 0) in seen


def test_no_transaction_moves_more_rows_than_a_batch(embedded: Database, tmp_path: Path) -> None:
    """However much is over, a transaction stays as short as one batch, and consumers get in between."""
    add_campaigns(embedded, "1")
    add_items(embedded, "1", 100)
    take(embedded, 100)
    sizes: list[int] = []
    changes = [0]

    @event.listens_for(embedded.engine, "begin")
    def begin(connection: object) -> None:
        changes[0] = connection.connection.driver_connection.total_changes  # type: ignore[attr-defined]

    @event.listens_for(embedded.engine, "commit")
    def commit(connection: object) -> None:
        sizes.append(connection.connection.driver_connection.total_changes - changes[0])  # type: ignore[attr-defined]

    recover(embedded, tmp_path, limits=RecoveryLimits(3, timedelta(days=30), batch_size=10))
    # A batch closes ten leases, moves their ten items, and takes them from the demand of the minute.
    assert max(sizes) == 21
    assert states(embedded) == {"available": 100}


def test_a_signal_ends_the_run_after_the_batch_under_way(stocked: Database, tmp_path: Path) -> None:
    add_items(stocked, "1", 20, hours=47)
    take(stocked, 25)
    limits = RecoveryLimits(max_expirations=3, retention=timedelta(days=30), batch_size=10)

    stops: list[Stop] = []

    async def work(run: LiveRun) -> RecoveryReport:
        stops.append(run.stop)
        return await recover_within(limits)(run)

    def stop_after_a_batch(event: Event) -> None:
        if isinstance(event, BatchDone):
            stops[0].ask(StopReason("stopped by SIGTERM"))

    request, locks = RunRequest("lease_recovery"), FileLocks(tmp_path / "locks")
    report = run_job(
        LiveRun(request, stocked, locks, stop_after_a_batch, Alerting(RULES), clock=lambda: LATE), work
    ).report
    assert (report.status, report.recovered.recovered) == ("interrupted", 10)
    assert states(stocked) == {"available": 10, "leased": 15}


def test_two_recoveries_at_once_are_one_too_many(stocked: Database, tmp_path: Path) -> None:
    with FileLocks(tmp_path / "locks").hold("lease_recovery"), pytest.raises(LockedError, match="lease_recovery"):
        recover(stocked, tmp_path)


def _age(database: Database, days: float) -> None:
    """Let everything have happened so many days earlier."""
    with database.writing() as session:
        for rows, columns in (
            (table(LeaseRecord), ("leased_at", "expires_at", "closed_at")),
            (table(StockItem), ("created_at", "expires_at", "consumed_at")),
            (table(NoStockEvent), ("happened_at",)),
        ):
            for row in session.execute(select(rows)).mappings().all():
                earlier = {name: row[name] - timedelta(days=days) for name in columns if row[name] is not None}
                session.execute(update(rows).where(rows.c.id == row["id"]).values(earlier))


@pytest.mark.parametrize(("days", "left"), [(29, {"consumed": 3, "discarded": 1, "expired": 1}), (33, {})])
def test_what_has_been_over_for_long_enough_is_deleted(
    stocked: Database, tmp_path: Path, days: int, left: dict[str, int]
) -> None:
    tokens = take(stocked, 4)
    leasing.confirm(stocked, tokens[:3], NOW)
    leasing.release(stocked, tokens[3:], NOW, discard=True)
    with stocked.writing() as session:
        session.add(NoStockEvent(campaign_id="1", happened_at=NOW))
    _age(stocked, days)
    report = recover(stocked, tmp_path, NOW, RecoveryLimits(3, timedelta(days=30), batch_size=2))
    # The item that nobody took expires in the same run, and is spent for as long as its time has been over.
    assert states(stocked) == left
    assert report.deleted == (0 if left else 4 + 5 + 1)


def test_what_is_in_use_is_never_deleted(stocked: Database, tmp_path: Path) -> None:
    take(stocked, 1)
    with stocked.writing() as session:
        session.execute(update(table(StockItem)).values(created_at=NOW - timedelta(days=400)))
        session.execute(update(table(LeaseRecord)).values(leased_at=NOW - timedelta(days=400)))
    assert recover(stocked, tmp_path, NOW).deleted == 0
    assert states(stocked) == {"leased": 1, "available": 4}


def test_consumers_get_in_between_after_a_moment_whatever_there_is_to_recover(
    database: Database, tmp_path: Path
) -> None:
    """A batch keeps them from writing on SQLite: the first is small, and none is more than twice the one before."""
    add_campaigns(database, "1")
    add_items(database, "1", 3 * FEWEST_ROWS)
    for _ in range(3):
        take(database, FEWEST_ROWS)
    done: list[int] = [0]

    def observe(event: Event) -> None:
        if isinstance(event, BatchDone):
            done.append(event.done)

    recover(database, tmp_path, observe=observe)
    sizes = [after - before for before, after in pairwise(done)]
    assert sum(sizes) == 3 * FEWEST_ROWS
    assert sizes[0] == FEWEST_ROWS
    assert all(size <= 2 * before for before, size in pairwise(sizes))


def test_demand_is_folded_and_forgotten_where_no_replenish_run_does_it(stocked: Database, tmp_path: Path) -> None:
    now = NOW + timedelta(hours=3)
    leasing.take(stocked, TakeRequest("1", 600), NOW)
    _, packed = pack({1: Asked(1, 0)})
    add_campaigns(stocked, "forgotten")
    with stocked.writing() as session:
        session.add(
            DemandHours(campaign_id="forgotten", last_hour=minute_at(now) // 60 - KEPT_HOURS - 1, packed=packed)
        )
    recover(stocked, tmp_path, now)
    with stocked.reading() as session:
        assert session.scalars(select(table(DemandMinute).c.campaign_id)).all() == []
        assert session.scalars(select(table(DemandHours).c.campaign_id)).all() == ["1"]
