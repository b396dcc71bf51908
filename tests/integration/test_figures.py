"""The figures of report and metrics, on every kind of database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from kylink_cli.overview.figures import read_figures, read_history
from kylink_cli.rules.figures import Figures, History, Period
from kylink_cli.rules.histograms import Histogram
from kylink_cli.store.engine.database import Database
from kylink_cli.store.figures.consumption import read_consumption
from kylink_cli.store.figures.run_figures import read_jobs, read_runs
from kylink_cli.store.figures.supply_figures import read_requests
from kylink_cli.store.tables import Run, StockItem, SupplyRequest
from tests.support.busy_system import fill
from tests.support.database import add_campaigns
from tests.support.policies import COVER

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def add(database: Database, *rows: Any) -> None:
    with database.writing() as session:
        session.add_all(rows)


def run(status: str, started_at: datetime, duration_ms: int | None) -> Run:
    length = timedelta(milliseconds=duration_ms or 0)
    return Run(
        job="stock_replenish",
        trigger="timer",
        host="host-1",
        pid=1,
        status=status,
        started_at=started_at,
        heartbeat_at=started_at,
        finished_at=None if status == "running" else started_at + length,
        duration_ms=duration_ms,
    )


def request(campaign_id: str, state: str, created_at: datetime, seconds: float) -> SupplyRequest:
    return SupplyRequest(
        key=f"{campaign_id}-{state}-{created_at}",
        campaign_id=campaign_id,
        quantity=1,
        body="{}",
        state=state,
        created_at=created_at,
        finished_at=created_at + timedelta(seconds=seconds),
    )


def consumed(campaign_id: str, moment: datetime) -> StockItem:
    return StockItem(
        campaign_id=campaign_id,
        value=str(moment),
        state="consumed",
        created_at=moment,
        expires_at=moment + HOUR,
        consumed_at=moment,
    )


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT"):
            seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


def read(database: Database, now: datetime, user_id: str | None = None) -> tuple[Figures, History]:
    period = Period(now - timedelta(days=7), now)
    with database.reading() as session:
        return read_figures(session, COVER, period, user_id), read_history(session, period, user_id)


def within(durations: Histogram, bound: float) -> int:
    return durations.within[durations.bounds.index(bound)]


def count_requests(figures: Figures) -> int:
    return sum(one.durations.number for one in figures.requests)


def test_runs_are_counted_by_the_hour_in_which_they_began(database: Database) -> None:
    last_moment = NOON + HOUR - timedelta(microseconds=1)
    add(
        database,
        run("succeeded", NOON, 400),
        run("succeeded", last_moment, 3_000),
        run("succeeded", NOON + HOUR, 1_000),
        run("running", NOON + HOUR, None),
        run("failed", NOON - 2 * HOUR, 10),
    )
    with database.reading() as session:
        found = read_runs(session, NOON - HOUR)
        [job] = read_jobs(session)
    assert [(runs.hour, runs.status, runs.number) for runs in found] == [
        (NOON, "succeeded", 2),
        (NOON + HOUR, "running", 1),
        (NOON + HOUR, "succeeded", 1),
    ]
    durations = found[0].durations
    assert durations.number == 2
    assert durations.seconds == pytest.approx(3.4)
    assert [within(durations, bound) for bound in (0.25, 0.5, 1.0, 5.0)] == [0, 1, 1, 2]
    assert found[1].durations.number == 0
    assert (job.running, job.last_started_at) == (1, NOON + HOUR)
    assert job.last_success_at == last_moment + timedelta(seconds=3)


def test_requests_are_measured_to_the_millisecond(database: Database) -> None:
    add_campaigns(database, "1", user="u1")
    add_campaigns(database, "2", user="u2")
    add(
        database,
        request("1", "answered", NOON, 0.2),
        request("1", "answered", NOON + timedelta(minutes=1), 0.304),
        request("1", "refused", NOON + timedelta(minutes=2), 7.0),
        request("2", "answered", NOON, 1.0),
    )
    with database.reading() as session:
        answered, refused = read_requests(session, NOON - HOUR, "u1")
        assert [requests.durations.number for requests in read_requests(session, NOON - HOUR, None)] == [3, 1]
    assert (answered.hour, answered.state, answered.durations.number) == (NOON, "answered", 2)
    assert answered.durations.seconds == pytest.approx(0.504, abs=0.001)
    assert [within(answered.durations, bound) for bound in (0.1, 0.25, 0.5)] == [0, 1, 2]
    assert refused.durations.mean == pytest.approx(7.0, abs=0.001)


def test_consumption_is_that_of_the_user_and_the_period(database: Database) -> None:
    add_campaigns(database, "1", user="u1")
    add_campaigns(database, "2", user="u2")
    add(database, consumed("1", NOON), consumed("1", NOON + HOUR / 2), consumed("2", NOON), consumed("1", NOON - HOUR))
    with database.reading() as session:
        assert [(one.hour, one.items) for one in read_consumption(session, NOON - HOUR, "u1")] == [(NOON, 2)]
        assert [(one.hour, one.items) for one in read_consumption(session, NOON - HOUR, None)] == [(NOON, 3)]


def test_the_number_of_statements_is_constant(embedded: Database) -> None:
    with statements(embedded) as of_nothing:
        read(embedded, NOON)
    now = fill(embedded, campaigns=60)
    with statements(embedded) as of_a_week:
        figures, history = read(embedded, now)
    assert len(figures.campaigns) == 60
    assert history.consumption
    assert len(of_a_week) == len(of_nothing)


def test_campaigns_come_in_the_order_of_their_risk(database: Database) -> None:
    figures, _ = read(database, fill(database, campaigns=80, days=1))
    cover = [one.level.available / one.watermark.items for one in figures.campaigns if one.level.active]
    assert cover == sorted(cover)
    assert [one.level.active for one in figures.campaigns[-2:]] == [False, False]


def test_a_user_sees_what_concerns_him_and_every_run(database: Database) -> None:
    now = fill(database, days=1)
    everything, all_history = read(database, now)
    figures, history = read(database, now, "user1")
    assert {one.level.user_id for one in figures.campaigns} == {"user1"}
    assert figures.runs == everything.runs
    assert 0 < count_requests(figures) < count_requests(everything)
    assert 0 < len(figures.alerts) < len(everything.alerts)
    assert figures.leases.active == 0 < everything.leases.active
    assert 0 < sum(one.items for one in history.consumption) < sum(one.items for one in all_history.consumption)
    assert {one.alert_id % 3 for one in history.last_alerts} == {1}
