"""The alert check on real databases: what each check reads, how alerts go on, and what is deleted."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select

from kylink_cli.alerting.posting import Alerting, post
from kylink_cli.jobs.alert_check import check_all
from kylink_cli.notify.webhook import Webhook
from kylink_cli.rules.alerts import Failure, replenish_failed
from kylink_cli.rules.demand import KEPT_HOURS, MINUTES_AN_HOUR, Asked
from kylink_cli.rules.silences import Silence
from kylink_cli.rules.vocabulary import AlertType
from kylink_cli.store import alerts
from kylink_cli.store.alerts import AlertFilter, read_alerts
from kylink_cli.store.demand import minute_at
from kylink_cli.store.demand_hours import pack
from kylink_cli.store.engine.database import Database
from kylink_cli.store.tables import (
    Alert,
    Campaign,
    DemandHours,
    LeaseRecord,
    NoStockEvent,
    Notification,
    PausedJob,
    Run,
    SilenceRecord,
    StockItem,
    SupplyRequest,
    table,
)
from tests.support.alerts import RULES, START, WATCH, Checks
from tests.support.database import add_campaigns
from tests.support.web import Receiver, receiving

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TICK = timedelta(microseconds=1)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


@pytest.fixture
def checks(database: Database, tmp_path: Path, receiver: Receiver) -> Checks:
    """Two users' campaigns, both with enough in stock."""
    add_campaigns(database, "a1", user="alice")
    add_campaigns(database, "b1", user="bob")
    checks = Checks(database, tmp_path, [Webhook(receiver.url, None)])
    checks.fill("a1")
    checks.fill("b1")
    return checks


def found(checks: Checks, type_: str) -> tuple[str | None, float | None]:
    """What a check finds now: level and value."""
    results = check_all(checks.database, checks.watch, START)
    [result] = [r for r in results if r.fingerprint == type_]
    return result.level, result.value


def store(checks: Checks, *rows: object) -> None:
    with checks.database.writing() as session:
        session.add_all(rows)


def lease(checks: Checks, taken: timedelta, **facts: Any) -> LeaseRecord:
    """A lease of fifteen minutes on an item of its own."""
    item = StockItem(
        campaign_id="a1", value=f"v{taken}{facts}", state="leased", created_at=START, expires_at=START + DAY
    )
    store(checks, item)
    moment = START - taken
    assert item.id is not None
    return LeaseRecord(
        token=f"t{item.id}",
        campaign_id="a1",
        item_id=item.id,
        leased_at=moment,
        **{"expires_at": moment + 15 * MINUTE, **facts},
    )


def request(state: str, finished: datetime | None, error: str | None = None) -> SupplyRequest:
    body = f"{state}{finished}{error}"
    return SupplyRequest(
        key=body[:36],
        campaign_id="a1",
        quantity=1,
        body=body,
        state=state,
        created_at=START - DAY,
        finished_at=finished,
        error=error,
    )


def run(job: str, started: datetime, *, trigger: str = "timer", status: str = "succeeded") -> Run:
    return Run(
        job=job,
        trigger=trigger,
        host="h",
        pid=1,
        status=status,
        started_at=started,
        heartbeat_at=started,
        finished_at=started,
    )


@pytest.mark.parametrize(
    ("age", "level"),
    [
        (10 * MINUTE - TICK, None),
        (10 * MINUTE, "WARNING"),
        (15 * MINUTE - TICK, "WARNING"),
        (15 * MINUTE, "ERROR"),
    ],
)
def test_the_oldest_active_lease_counts(checks: Checks, age: timedelta, level: str | None) -> None:
    store(checks, lease(checks, age), lease(checks, MINUTE))
    assert found(checks, "LEASE_TIMEOUT")[0] == level


def test_a_lease_that_was_extended_is_old_but_not_overdue(checks: Checks) -> None:
    store(checks, lease(checks, 40 * MINUTE, expires_at=START + MINUTE))
    assert found(checks, "LEASE_TIMEOUT") == ("WARNING", 40)


def test_closed_leases_hold_nothing(checks: Checks) -> None:
    store(checks, lease(checks, DAY, state="expired", closed_at=START - 2 * HOUR))
    assert found(checks, "LEASE_TIMEOUT") == (None, None)


@pytest.mark.parametrize(
    ("failed", "level"),
    [
        ({"state": "expired", "closed_at": START}, "ERROR"),
        ({"state": "released", "closed_at": START, "error": "HTTP 404"}, "ERROR"),
        ({"state": "released", "closed_at": START}, None),
        ({"state": "expired", "closed_at": START - HOUR + TICK}, "ERROR"),
        ({"state": "expired", "closed_at": START - HOUR}, None),
    ],
)
def test_expired_leases_and_those_released_with_an_error_have_failed(
    checks: Checks, failed: dict[str, Any], level: str | None
) -> None:
    good = [lease(checks, MINUTE * n, state="confirmed", closed_at=START) for n in range(4)]
    store(checks, *good, lease(checks, HOUR, **failed))
    assert found(checks, "HIGH_FAILURE_RATE")[0] == level


@pytest.mark.parametrize(("age", "level"), [(DAY - TICK, "WARNING"), (DAY, None)])
def test_empty_handed_consumers_of_a_day_count(checks: Checks, age: timedelta, level: str | None) -> None:
    store(checks, *[NoStockEvent(campaign_id=c, happened_at=START - age) for c in ["a1"] * 6 + ["b1"] * 4])
    assert found(checks, "NO_STOCK_FREQUENT")[0] == level


@pytest.mark.parametrize(
    ("bad", "value"),
    [
        (request("refused", START), 50.0),
        (request("in_doubt", START), 50.0),
        (request("open", None, "timeout"), 50.0),
        (request("open", None), 100.0),
        (request("cancelled", START), 100.0),
        (request("refused", START - HOUR), 100.0),
    ],
)
def test_the_supply_service_fails_by_refusing_and_by_leaving_requests_open(
    checks: Checks, bad: SupplyRequest, value: float
) -> None:
    store(checks, request("answered", START), SupplyRequest(**bad.model_dump()))
    assert found(checks, "SYSTEM_HEALTH:supply_rate")[1] == value


@pytest.mark.parametrize(("age", "value"), [(HOUR - TICK, 1), (HOUR, 0)])
def test_a_crash_is_spoken_of_for_an_hour(checks: Checks, age: timedelta, value: int) -> None:
    store(checks, run("lease_recovery", START - age, status="crashed"))
    assert found(checks, "SYSTEM_HEALTH:run_crashed")[1] == value


@pytest.mark.parametrize(
    ("rows", "scheduling", "level"),
    [
        ([run("stock_replenish", START - 20 * MINUTE)], True, None),
        ([run("stock_replenish", START - 20 * MINUTE - TICK)], True, "ERROR"),
        ([run("stock_replenish", START - DAY), run("stock_replenish", START, trigger="manual")], True, "ERROR"),
        ([run("stock_replenish", START - DAY)], False, None),
        ([run("stock_replenish", START - DAY), PausedJob(job="stock_replenish", paused_at=START)], True, None),
        ([], True, None),
    ],
)
def test_a_job_is_overdue_when_its_timer_is_silent_unless_it_is_off_or_paused(
    checks: Checks, rows: list[Run | PausedJob], scheduling: bool, level: str | None
) -> None:
    checks.watch = replace(WATCH, scheduling=scheduling)
    store(checks, *[type(row)(**row.model_dump()) for row in rows])
    assert found(checks, "SYSTEM_HEALTH:job_overdue:stock_replenish")[0] == level


def test_ten_thousand_low_campaigns_are_one_alert_read_by_a_fixed_number_of_statements(checks: Checks) -> None:
    few = _statements(checks)
    rows = [
        {"id": f"c{n}", "user_id": f"u{n % 7}", "name": "x" * 5_000, "status": "active", "created_at": START}
        for n in range(10_000)
    ]
    with checks.database.writing() as session:
        session.connection().execute(Campaign.__table__.insert(), rows)  # type: ignore[attr-defined]
    assert _statements(checks) == few
    assert checks.check().posted.opened == [1]
    [alert] = checks.alerts()
    assert (alert.level, alert.details["total"]) == ("ERROR", 10_000)
    assert len(alert.message) < 1_500
    assert len(str(alert.details)) < 40_000
    with checks.database.reading() as session:
        assert len(alerts.users_of(session, 1)) == 7
        [sent] = session.scalars(select(Notification))
    assert len(str(sent.document)) < 50_000


def _statements(checks: Checks) -> int:
    """How many statements a full check takes."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(checks.database.engine, "before_cursor_execute", note)
    check_all(checks.database, checks.watch, START)
    event.remove(checks.database.engine, "before_cursor_execute", note)
    return len(seen)


def test_alerts_are_found_by_the_user_whose_campaigns_they_are_about(checks: Checks) -> None:
    checks.empty("a1")
    checks.check()
    assert [len(_of_user(checks, user)) for user in ("alice", "bob")] == [1, 0]
    checks.fill("a1")
    checks.empty("b1")
    checks.check()
    assert [len(_of_user(checks, user)) for user in ("alice", "bob")] == [0, 1]


def _of_user(checks: Checks, user: str) -> list[Alert]:
    with checks.database.reading() as session:
        return read_alerts(session, AlertFilter(user_id=user))


def test_a_silence_of_a_campaign_is_heard_through_by_the_next_one_that_is_low(
    checks: Checks, receiver: Receiver
) -> None:
    with checks.database.writing() as session:
        alerts.add_silence(session, Silence(START + DAY, campaign_id="a1"), "known", START)
    checks.empty("a1")
    checks.check()
    assert receiver.requests == []
    assert checks.alerts()[0].state == "open"
    checks.empty("b1")
    checks.check()
    assert [r.json()["alerts"][0]["event"] for r in receiver.requests] == ["opened"]


def test_what_goes_on_is_told_when_its_silence_ends(checks: Checks, receiver: Receiver) -> None:
    with checks.database.writing() as session:
        alerts.add_silence(session, Silence(START + 15 * MINUTE, type="LOW_STOCK"), None, START)
    checks.empty("a1")
    told = []
    for _ in range(4):
        checks.check()
        told.append(len(receiver.requests))
    assert told == [0, 0, 1, 1]


def test_an_alert_that_no_check_looks_at_is_repeated_too(checks: Checks, receiver: Receiver) -> None:
    failure = Failure("a1", "A", "alice", "HTTP 500", 2)
    with checks.database.writing() as session:
        post(session, Alerting(RULES, checks.channels), [replenish_failed([failure], START)], [], START)
    for _ in range(5):
        checks.check()
    events = [alert["event"] for r in receiver.requests for alert in r.json()["alerts"]]
    assert events == ["opened", "repeated"]


def test_an_alert_that_no_check_looks_at_is_silenced_by_its_type_too(checks: Checks, receiver: Receiver) -> None:
    with checks.database.writing() as session:
        post(
            session, Alerting(RULES), [replenish_failed([Failure("a1", "A", "alice", "HTTP 500", 2)], START)], [], START
        )
        alerts.add_silence(session, Silence(START + DAY, type=AlertType.STOCK_REPLENISH_FAILED), None, START)
    for _ in range(5):
        checks.check()
    assert receiver.requests == []


@pytest.mark.parametrize(("number", "level"), [(1, "WARNING"), (10, "WARNING"), (11, "ERROR"), (25, "ERROR")])
def test_a_run_with_failures_is_one_alert_that_a_later_run_without_resolves(
    checks: Checks, receiver: Receiver, number: int, level: str
) -> None:
    failures = [Failure(f"c{n}", f"C {n}", "alice", "HTTP 500", 2) for n in range(number)]
    alerting = Alerting(RULES, checks.channels)
    with checks.database.writing() as session:
        opened = post(session, alerting, [replenish_failed(failures, START)], [], START).opened
        again = post(session, alerting, [replenish_failed(failures, START)], [], START + 10 * MINUTE)
        resolved = post(session, alerting, [], [AlertType.STOCK_REPLENISH_FAILED], START + 20 * MINUTE)
    assert (again.updated, resolved.resolved) == (opened, opened)
    checks.now = START + 30 * MINUTE
    checks.check()
    told = [(alert["event"], r.json()["level"]) for r in receiver.requests for alert in r.json()["alerts"]]
    assert told == [("opened", level), ("resolved", level)]


def test_what_was_kept_long_enough_is_deleted_and_the_last_run_of_each_kind_stays(checks: Checks) -> None:
    old, young = START - 30 * DAY - TICK, START - 30 * DAY
    store(
        checks,
        run("stock_replenish", old, trigger="manual"),
        run("stock_replenish", old, status="partial"),
    )
    for moment in (old, young):
        store(
            checks,
            run("stock_replenish", moment),
            run("lease_recovery", moment, status="failed"),
            request("answered", moment),
            request("in_doubt", moment),
            SilenceRecord(created_at=moment, until=moment),
            _alert(f"over {moment}", moment, "resolved"),
            _alert(f"going on {moment}", None, "open"),
            _notification(sent_at=moment),
            _notification(given_up_at=moment),
            _notification(),
        )
    purged = checks.check().report.purged
    assert purged == 7  # runs 2, request 1, silence 1, alert 1, notifications 2
    counts = {model: _count(checks, model) for model in (Run, SupplyRequest, SilenceRecord, Alert, Notification)}
    assert counts == {Run: 5, SupplyRequest: 3, SilenceRecord: 1, Alert: 3, Notification: 4}


def test_demand_that_no_forecast_looks_at_any_more_is_deleted(checks: Checks) -> None:
    add_campaigns(checks.database, "quiet", "asked for")
    now = minute_at(START) // MINUTES_AN_HOUR
    for campaign, hour in (("quiet", now - KEPT_HOURS - 1), ("asked for", now - KEPT_HOURS + 1)):
        last_hour, packed = pack({hour: Asked(1, 0)})
        store(checks, DemandHours(campaign_id=campaign, last_hour=last_hour, packed=packed))
    assert checks.check().report.purged == 1
    with checks.database.reading() as session:
        assert session.scalars(select(table(DemandHours).c.campaign_id)).all() == ["asked for"]


def _alert(fingerprint: str, resolved: datetime | None, state: str) -> Alert:
    return Alert(
        type="LOW_STOCK",
        level="INFO",
        state=state,
        fingerprint=fingerprint,
        title="t",
        message="t",
        first_seen_at=START,
        last_seen_at=START,
        acknowledged_at=START,
        resolved_at=resolved,
        announced=True,
        told_level="INFO",
        told_at=START,
    )


def _notification(**facts: Any) -> Notification:
    number = str(len(_KEYS))
    _KEYS.append(number)
    return Notification(
        key=number, channel="c", level="INFO", title="t", body="b", created_at=START, next_try_at=START, **facts
    )


_KEYS: list[str] = []


def _count(checks: Checks, model: type[object]) -> int:
    with checks.database.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0
