"""Counters only grow: what is deleted has been counted, whoever deletes it."""

from datetime import datetime, timedelta

import pytest

from kylink_cli.rules.figures import Totals
from kylink_cli.store import campaigns, request_list, retention, runs, stock, supply_requests
from kylink_cli.store.engine.database import Database
from kylink_cli.store.figures import totals
from kylink_cli.store.request_list import Settlement
from kylink_cli.store.runs import RunEnd
from kylink_cli.store.supply_requests import Arrival, NewItem
from kylink_cli.store.tables import NoStockEvent, Run, SupplyRequest
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


@pytest.mark.parametrize("is_folded", [False, True])
def test_a_run_that_was_taken_for_dead_and_ended_after_all_counts_as_both(
    database: Database, *, is_folded: bool
) -> None:
    now = database.now()
    add(database, run("crashed", now - 2 * HOUR, None))
    if is_folded:
        database.commit(lambda session: totals.fold(session, now, 1_000))
    [found] = database.read(lambda session: [one.id or 0 for one in runs.history(session, None, 1)])
    database.commit(lambda session: runs.finish(session, found, RunEnd("succeeded", 1_000, {}), now))
    counted = read(database, now + HOUR)
    assert counted["runs", "stock_replenish", "crashed"].number == 1
    assert counted["runs", "stock_replenish", "succeeded"].number == 1


def request(campaign_id: str, state: str, now: datetime) -> SupplyRequest:
    return SupplyRequest(
        key="key-1",
        campaign_id=campaign_id,
        quantity=2,
        body="{}",
        state=state,
        created_at=now - 40 * HOUR,
        finished_at=None if state == "open" else now - 39 * HOUR,
        produced=0,
        duplicates=0,
    )


def ends_of_requests(database: Database, now: datetime) -> dict[str, int]:
    found = read(database, now).items()
    return {how: total.number for (what, _, how), total in found if what == "supply_requests" and total.number}


ANSWERED_LATE = {
    "open": {"answered": 1},
    "refused": {"refused": 1, "answered": 1},
    "cancelled": {"cancelled": 1, "answered": 1},
    "in_doubt": {"in_doubt": 1, "answered": 1},
    "answered": {"answered": 1},
}
SETTLED = {
    "open": {"in_doubt": 1},
    "refused": {"refused": 1},
    "cancelled": {"cancelled": 1},
    "in_doubt": {"in_doubt": 1},
}


@pytest.mark.parametrize("is_folded", [False, True])
@pytest.mark.parametrize(("state", "ends"), ANSWERED_LATE.items())
def test_a_request_that_is_answered_late_counts_as_what_it_was_and_as_answered(
    database: Database, state: str, ends: dict[str, int], *, is_folded: bool
) -> None:
    now = database.now()
    add_campaigns(database, "1")
    add(database, request("1", state, now))
    if is_folded:
        database.commit(lambda session: totals.fold(session, now, 1_000))
    before = read(database, now + HOUR)
    item = NewItem("a", now + 48 * HOUR)
    for _ in range(2):
        database.commit(lambda session: supply_requests.store_answers(session, [Arrival(1, "1", [item])], now))
    assert ends_of_requests(database, now + HOUR) == ends
    after = read(database, now + HOUR)
    assert all(after[key].number >= total.number for key, total in before.items())
    lengths = after["answer_seconds", "", ""]
    assert lengths.number == 1
    assert lengths.seconds == pytest.approx((1 if state == "answered" else 40) * 3600)


@pytest.mark.parametrize("is_folded", [False, True])
@pytest.mark.parametrize("is_charged", [False, True])
@pytest.mark.parametrize(("state", "ends"), SETTLED.items())
def test_what_an_operator_settles_goes_on_counting_as_what_it_was(
    database: Database, state: str, ends: dict[str, int], *, is_charged: bool, is_folded: bool
) -> None:
    now = database.now()
    add_campaigns(database, "1")
    add(database, request("1", state, now))
    if is_folded:
        database.commit(lambda session: totals.fold(session, now, 1_000))
    items = [NewItem("a", now + 48 * HOUR)] if is_charged else None
    for _ in range(2):
        database.commit(lambda session: request_list.settle(session, Settlement("key-1", items, "me"), now))
        assert ends_of_requests(database, now + HOUR) == ends


def test_an_item_that_is_past_its_end_is_expired_and_stays_so(database: Database) -> None:
    now = database.now()
    add_campaigns(database, "1")
    add_items(database, "1", 1)
    over = now + 9_000 * HOUR
    assert database.commit(lambda session: stock.lock_states(session, [1], over)) == {1: "expired"}


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
