"""Supply requests: recorded, settled by guarded updates, and never stored twice."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from kylink_cli.rules.vocabulary import RequestState
from kylink_cli.store import claims, runs, supply_requests
from kylink_cli.store.claims import Claim
from kylink_cli.store.engine.database import Database
from kylink_cli.store.supply_requests import Arrival, NewItem, NewRequest, OpenRequest, Stored, Verdict
from kylink_cli.store.tables import Run, StockItem, SupplyRequest, table
from tests.support.database import add_campaigns

NOW = datetime(2026, 2, 6, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=48)


@pytest.fixture
def database(database: Database) -> Database:
    add_campaigns(database, "1", "2")
    _start_run(database)
    return database


def _start_run(database: Database) -> None:
    with database.writing() as session:
        run = Run(job="j", trigger="manual", host="h", pid=1, status="running", started_at=NOW, heartbeat_at=NOW)
        runs.start(session, run)


def _record(database: Database, *quantities: int, campaign: str = "1", at: datetime = NOW) -> list[OpenRequest]:
    requests = [
        NewRequest(f"key-{campaign}-{i}-{at.isoformat()}", campaign, n, "{}", 1) for i, n in enumerate(quantities)
    ]
    with database.writing() as session:
        return supply_requests.record(session, requests, at)


def _store(database: Database, *answers: Arrival) -> list[Stored]:
    with database.writing() as session:
        return supply_requests.store_answers(session, answers, NOW)


def _answer(request: OpenRequest, *values: str, fault: str | None = None) -> Arrival:
    items = [NewItem(value, LATER) for value in values]
    return Arrival(request.id, request.request.campaign_id, items, fault)


def _claim(database: Database, run_id: int = 1) -> Claim:
    with database.writing() as session:
        return claims.claim(session, run_id, ["1"], NOW)["1"]


def _judge(
    database: Database, request: OpenRequest, claim: Claim, state: RequestState, *, was_asked: bool = False
) -> bool:
    with database.writing() as session:
        [done] = supply_requests.judge(session, [Verdict(request.id, claim, state, "why", was_asked=was_asked)], NOW)
        return done


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
    assert _store(database, _answer(request, "a", "b")) == [Stored(produced=2)]
    assert _values(database) == [("1", "a"), ("1", "b")]
    row = _row(database, request)
    assert (row.state, row.produced, row.duplicates, row.finished_at) == ("answered", 2, 0, NOW)


def test_a_value_that_the_campaign_has_is_dropped_and_counted(database: Database) -> None:
    first, second = _record(database, 2, 2)
    _store(database, _answer(first, "a", "b"))
    assert _store(database, _answer(second, "b", "c")) == [Stored(produced=1, duplicates=1)]
    assert _values(database) == [("1", "a"), ("1", "b"), ("1", "c")]


def test_a_value_twice_in_one_answer_is_stored_once(database: Database) -> None:
    [request] = _record(database, 2)
    assert _store(database, _answer(request, "a", "a")) == [Stored(produced=1, duplicates=1)]


def test_two_campaigns_may_have_the_same_value(database: Database) -> None:
    [first], [second] = _record(database, 1), _record(database, 1, campaign="2")
    assert _store(database, _answer(first, "a"), _answer(second, "a")) == [Stored(1), Stored(1)]


ENDS = sorted(set(RequestState) - {RequestState.OPEN})


@pytest.mark.parametrize("state", RequestState)
def test_an_answer_is_stored_whatever_has_become_of_its_request(database: Database, state: RequestState) -> None:
    [request] = _record(database, 2)
    _put(database, request, state)
    assert _store(database, _answer(request, "a", "b")) == [Stored(2)]
    row = _row(database, request)
    assert (row.state, row.produced, row.finished_at, len(_values(database))) == ("answered", 2, NOW, 2)


@pytest.mark.parametrize(
    ("state", "after"),
    [("open", "open"), ("refused", "open"), ("cancelled", "open"), ("in_doubt", "in_doubt"), ("answered", "answered")],
)
def test_a_part_of_an_answer_says_that_its_request_was_charged(database: Database, state: str, after: str) -> None:
    [request] = _record(database, 2)
    _put(database, request, RequestState(state))
    _store(database, _answer(request, "a", fault="item 2: there is no value"))
    assert (_row(database, request).state, _row(database, request).finished_at is None) == (after, after == "open")


def _put(database: Database, request: OpenRequest, state: RequestState) -> None:
    ended = None if state == RequestState.OPEN else NOW
    with database.writing() as session:
        row = session.get_one(SupplyRequest, request.id)
        row.state, row.finished_at = state, ended


@pytest.mark.parametrize("state", sorted(set(RequestState) - {RequestState.ANSWERED}))
def test_the_run_that_recorded_a_request_judges_it_under_its_claim(database: Database, state: RequestState) -> None:
    claim = _claim(database)
    [request] = _record(database, 1)
    assert _judge(database, request, claim, state)
    assert (_row(database, request).state, _row(database, request).error) == (state, "why")


@pytest.mark.parametrize("state", ENDS)
def test_a_run_that_lost_its_claim_changes_nothing(database: Database, state: RequestState) -> None:
    lost = _claim(database)
    [request] = _record(database, 1)
    with database.writing() as session:
        claims.free_all(session, [1])
    _start_run(database)
    held = _claim(database, 2)
    assert not _judge(database, request, lost, state)
    assert _row(database, request).state == "open"
    assert _judge(database, request, held, RequestState.IN_DOUBT)


@pytest.mark.parametrize("state", [RequestState.REFUSED, RequestState.CANCELLED])
def test_what_another_run_recorded_may_have_been_sent(database: Database, state: RequestState) -> None:
    [request] = _record(database, 1)
    _start_run(database)
    assert not _judge(database, request, _claim(database, 2), state)
    assert _row(database, request).state == "open"


@pytest.mark.parametrize("state", ENDS)
def test_what_has_ended_is_not_judged_again(database: Database, state: RequestState) -> None:
    claim = _claim(database)
    [request] = _record(database, 1)
    _put(database, request, state)
    assert not _judge(database, request, claim, RequestState.OPEN)
    assert _row(database, request).state == state


def test_runs_that_asked_in_vain_are_counted_until_something_comes(database: Database) -> None:
    claim = _claim(database)
    [request] = _record(database, 2)
    _judge(database, request, claim, RequestState.OPEN, was_asked=True)
    _judge(database, request, claim, RequestState.OPEN)
    _judge(database, request, claim, RequestState.OPEN, was_asked=True)
    row = _row(database, request)
    assert (row.unanswered_runs, row.asked_at) == (2, NOW)
    _store(database, _answer(request, "a", fault="not all"))
    assert _row(database, request).unanswered_runs == 0


def test_the_same_answer_again_holds_no_duplicates_when_part_of_it_was_kept(database: Database) -> None:
    [request] = _record(database, 3)
    assert _store(database, _answer(request, "a", "b", fault="not all")) == [Stored(produced=2)]
    assert _store(database, _answer(request, "a", "b", "c")) == [Stored(1, 0, before=2)]
    assert _store(database, _answer(request, "a", "b", "c")) == [Stored(before=3)]
    assert (_row(database, request).produced, _row(database, request).state) == (3, "answered")


def test_open_requests_are_found_oldest_first_with_what_they_may_still_bring(database: Database) -> None:
    one, two, three = _record(database, 3, 4, 5)
    _store(database, _answer(one, "a", fault="not all"), _answer(two, "b", "c", "d", "e"))
    with database.reading() as session:
        found = supply_requests.read_open(session, ["1", "2"])
    assert [(request.id, request.outstanding) for request in found["1"]] == [(one.id, 2), (three.id, 5)]
    assert "2" not in found


def test_only_old_open_requests_of_claimed_campaigns_are_given_up(database: Database) -> None:
    [old] = _record(database, 1, at=NOW - timedelta(hours=24))
    [other] = _record(database, 1, campaign="2", at=NOW - timedelta(hours=24))
    [answered] = _record(database, 1, at=NOW - timedelta(hours=25))
    [young] = _record(database, 1, at=NOW - timedelta(hours=22))
    _store(database, _answer(answered, "a"))
    with database.writing() as session:
        given_up = supply_requests.give_up(session, ["1"], NOW)
    assert given_up == {"1": [old.request.key]}
    states = [_row(database, request).state for request in (old, other, answered, young)]
    assert states == ["in_doubt", "open", "answered", "open"]
