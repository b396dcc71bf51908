"""Supply requests: recorded, settled by guarded updates, and never stored twice."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from kylink_cli.rules.vocabulary import RequestState
from kylink_cli.store import runs, supply_requests
from kylink_cli.store.engine.database import Database
from kylink_cli.store.supply_requests import NewItem, NewRequest, OpenRequest, Settlement, Stored
from kylink_cli.store.tables import Run, StockItem, SupplyRequest, table
from tests.support.database import add_campaigns

NOW = datetime(2026, 2, 6, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=48)


@pytest.fixture
def database(database: Database) -> Database:
    add_campaigns(database, "1", "2")
    with database.writing() as session:
        run = Run(job="j", trigger="manual", host="h", pid=1, status="running", started_at=NOW, heartbeat_at=NOW)
        runs.start(session, run)
    return database


def _record(database: Database, *quantities: int, campaign: str = "1", at: datetime = NOW) -> list[OpenRequest]:
    requests = [
        NewRequest(f"key-{campaign}-{i}-{at.isoformat()}", campaign, n, "{}", 1) for i, n in enumerate(quantities)
    ]
    with database.writing() as session:
        return supply_requests.record(session, requests, at)


def _settle(database: Database, *settlements: Settlement) -> list[Stored]:
    with database.writing() as session:
        return supply_requests.settle(session, settlements, NOW)


def _answer(request: OpenRequest, *values: str, state: RequestState = RequestState.ANSWERED) -> Settlement:
    items = [NewItem(value, LATER) for value in values]
    return Settlement(request.id, request.request.campaign_id, state, items)


def _row(database: Database, request: OpenRequest) -> SupplyRequest:
    with database.reading() as session:
        row = session.get(SupplyRequest, request.id)
        assert row is not None
        return row


def _values(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        return [
            (item.campaign_id, item.value)
            for item in session.scalars(select(StockItem).order_by(table(StockItem).c.id))
        ]


def test_what_came_is_in_stock_with_the_settled_request(database: Database) -> None:
    [request] = _record(database, 2)
    assert _settle(database, _answer(request, "a", "b")) == [Stored(produced=2)]
    assert _values(database) == [("1", "a"), ("1", "b")]
    row = _row(database, request)
    assert (row.state, row.produced, row.duplicates, row.finished_at) == ("answered", 2, 0, NOW)


def test_a_value_that_the_campaign_has_is_dropped_and_counted(database: Database) -> None:
    first, second = _record(database, 2, 2)
    _settle(database, _answer(first, "a", "b"))
    assert _settle(database, _answer(second, "b", "c")) == [Stored(produced=1, duplicates=1)]
    assert _values(database) == [("1", "a"), ("1", "b"), ("1", "c")]


def test_a_value_twice_in_one_answer_is_stored_once(database: Database) -> None:
    [request] = _record(database, 2)
    assert _settle(database, _answer(request, "a", "a")) == [Stored(produced=1, duplicates=1)]


def test_two_campaigns_may_have_the_same_value(database: Database) -> None:
    [first], [second] = _record(database, 1), _record(database, 1, campaign="2")
    assert _settle(database, _answer(first, "a"), _answer(second, "a")) == [Stored(1), Stored(1)]


def test_a_settled_request_is_not_settled_again(database: Database) -> None:
    [request] = _record(database, 1)
    _settle(database, _answer(request, "a"))
    assert _settle(database, _answer(request, "b")) == [Stored()]
    assert _values(database) == [("1", "a")]


def test_the_same_answer_again_holds_no_duplicates_when_part_of_it_was_kept(database: Database) -> None:
    [request] = _record(database, 3)
    assert _settle(database, _answer(request, "a", "b", state=RequestState.OPEN)) == [Stored(produced=2)]
    assert _settle(database, _answer(request, "a", "b", "c")) == [Stored(produced=1, duplicates=0)]
    assert (_row(database, request).produced, _row(database, request).state) == (3, "answered")


def test_open_requests_are_found_oldest_first_with_what_they_may_still_bring(database: Database) -> None:
    one, two, three = _record(database, 3, 4, 5)
    _settle(database, _answer(one, "a", state=RequestState.OPEN), _answer(two, "b", "c", "d", "e"))
    with database.reading() as session:
        found = supply_requests.read_open(session, ["1", "2"])
    assert [(request.id, request.outstanding) for request in found["1"]] == [(one.id, 2), (three.id, 5)]
    assert "2" not in found


def test_only_old_open_requests_are_given_up(database: Database) -> None:
    [old] = _record(database, 1, at=NOW - timedelta(hours=24))
    [answered] = _record(database, 1, at=NOW - timedelta(hours=25))
    [young] = _record(database, 1)
    _settle(database, _answer(answered, "a"))
    with database.writing() as session:
        given_up = supply_requests.give_up(session, NOW - timedelta(hours=23), NOW)
    assert given_up == [("1", old.request.key)]
    assert [_row(database, request).state for request in (old, answered, young)] == ["in_doubt", "answered", "open"]
