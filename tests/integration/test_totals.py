"""Counters only grow: what is deleted has been counted, whoever deletes it."""

from datetime import datetime, timedelta

from kylink_cli.rules.figures import Totals
from kylink_cli.store import campaigns, retention, runs
from kylink_cli.store.engine.database import Database
from kylink_cli.store.figures import totals
from kylink_cli.store.runs import RunEnd
from kylink_cli.store.tables import NoStockEvent, Run
from tests.support import rooms
from tests.support.database import add_campaigns, add_items

HOUR = timedelta(hours=1)


def read(database: Database, now: datetime) -> Totals:
    return database.read(lambda session: totals.read_totals(session, now))


def add(database: Database, *rows: object) -> None:
    with database.writing() as session:
        session.add_all(rows)


def run(status: str, ended: datetime, duration_ms: int | None = 2_000) -> Run:
    return Run(
        job="stock_replenish",
        trigger="timer",
        host="host-1",
        pid=1,
        status=status,
        started_at=ended - HOUR,
        heartbeat_at=ended,
        finished_at=ended,
        duration_ms=duration_ms,
    )


def test_totals_are_the_same_before_and_after_folding_and_deleting(database: Database) -> None:
    now = database.now()
    for hours in (1, 11, 13, 40, 900):
        add(database, run("succeeded", now - hours * HOUR), run("crashed", now - hours * HOUR, None))
    add_campaigns(database, "1")
    add_items(database, "1", 3, state="consumed")
    add(database, *[NoStockEvent(campaign_id="1", happened_at=now - hours * HOUR) for hours in (1, 30)])
    before = read(database, now + HOUR)
    assert before["runs", "stock_replenish", "succeeded"].number == 5
    lengths = before["run_seconds", "stock_replenish", "succeeded"]
    assert (lengths.number, lengths.seconds, lengths.within[-1]) == (5, 10.0, 5)
    assert before["refusals", "", ""].number == 2

    for _ in range(2):
        database.commit(lambda session: totals.fold(session, now - totals.LAG, 1_000))
        assert read(database, now + HOUR) == before
    deleted = database.commit(lambda session: retention.delete_runs(session, now - 24 * HOUR, 1_000))
    database.commit(lambda session: retention.delete_no_stock_events(session, now - 24 * HOUR, 1_000))
    assert deleted > 0
    assert read(database, now + HOUR) == before


def test_a_campaign_that_is_removed_goes_on_counting(database: Database) -> None:
    now = database.now()
    add_campaigns(database, "1", "2")
    add_items(database, "1", 3, state="consumed")
    add_items(database, "2", 2, state="consumed")
    later = now + HOUR
    assert read(database, later)["items_consumed", "", ""].number == 5
    database.commit(lambda session: campaigns.remove(session, ["1"], later))
    assert read(database, later)["items_consumed", "", ""].number == 5
    database.commit(lambda session: totals.fold(session, later + totals.LAG, 1_000))
    assert read(database, later + 24 * HOUR)["items_consumed", "", ""].number == 5


def test_a_run_that_was_taken_for_dead_and_ended_after_all_counts_as_both(database: Database) -> None:
    now = database.now()
    add(database, run("crashed", now - HOUR, None))
    [found] = database.read(lambda session: [one.id or 0 for one in runs.history(session, None, 1)])
    database.commit(lambda session: runs.finish(session, found, RunEnd("succeeded", 1_000, {}), now))
    counted = read(database, now + HOUR)
    assert counted["runs", "stock_replenish", "crashed"].number == 1
    assert counted["runs", "stock_replenish", "succeeded"].number == 1


def test_the_totals_of_a_week_are_what_statements_by_hand_give(embedded: Database) -> None:
    now = rooms.furnish(embedded, rooms.WEEK)
    embedded.commit(lambda session: totals.fold(session, now - totals.LAG, 1_000))

    def by_hand(sql: str) -> int:
        with embedded.reading() as session:
            number: int = session.connection().exec_driver_sql(sql).scalar_one()
            return number

    found = read(embedded, now + HOUR)
    for key, sql in {
        ("runs", "stock_replenish", "partial"): "FROM runs WHERE job = 'stock_replenish' AND status = 'partial'",
        ("supply_requests", "", "refused"): "FROM supply_requests WHERE state = 'refused'",
        ("answer_seconds", "", ""): "FROM supply_requests WHERE state = 'answered'",
        ("items_consumed", "", ""): "FROM stock_items WHERE state = 'consumed'",
        ("refusals", "", ""): "FROM no_stock_events",
    }.items():
        assert found[key].number == by_hand(f"SELECT count(*) {sql}") > 0
