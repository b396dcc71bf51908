"""What people are told, over real HTTP: once, in time, again, and when it is over; whatever dies or hangs."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from kylink_cli.alerting.acts import acknowledge
from kylink_cli.notify.webhook import Webhook
from kylink_cli.rules.notices import probe
from kylink_cli.rules.vocabulary import AlertLevel
from kylink_cli.store import no_stock, outbox
from kylink_cli.store.demand import Refusal
from kylink_cli.store.engine.database import Database
from kylink_cli.store.tables import Notification
from tests.support.alerts import Checks
from tests.support.database import add_campaigns
from tests.support.web import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


@pytest.fixture
def checks(database: Database, tmp_path: Path, receiver: Receiver) -> Checks:
    """One campaign, and one webhook."""
    add_campaigns(database, "c1")
    return Checks(database, tmp_path, [Webhook(receiver.url, None)])


def told(receiver: Receiver) -> list[list[tuple[str, str]]]:
    """What arrived: of each message, what is said of which type of alert."""
    return [[(alert["event"], alert["type"]) for alert in r.json()["alerts"]] for r in receiver.requests]


def test_a_condition_that_lasts_six_checks_is_told_once_repeated_once_and_resolved_once(
    checks: Checks, receiver: Receiver
) -> None:
    for _ in range(6):
        checks.check()
    checks.fill("c1")
    for _ in range(3):
        checks.check()
    assert told(receiver) == [[("opened", "LOW_STOCK")], [("repeated", "LOW_STOCK")], [("resolved", "LOW_STOCK")]]
    [alert] = checks.alerts()
    assert (alert.count, alert.state) == (6, "resolved")


def test_flapping_every_check_is_told_as_one_pair_a_window(checks: Checks, receiver: Receiver) -> None:
    for _ in range(4):
        checks.check()
        checks.fill("c1")
        checks.check()
        checks.empty("c1")
    pair = [[("opened", "LOW_STOCK")], [("resolved", "LOW_STOCK")]]
    assert told(receiver) == pair * 2  # eighty minutes are two windows
    assert len(checks.alerts()) == 1


def test_a_worse_level_is_told_at_once(checks: Checks, receiver: Receiver) -> None:
    checks.check()
    add_campaigns(checks.database, *[f"d{number}" for number in range(9)])
    checks.check()
    assert told(receiver) == [[("opened", "LOW_STOCK")], [("raised", "LOW_STOCK")]]
    assert [r.json()["level"] for r in receiver.requests] == ["WARNING", "ERROR"]


def test_what_one_check_finds_is_one_message(checks: Checks, receiver: Receiver) -> None:
    checks.with_limits(no_stock_warning=1)
    checks.database.commit_direct(lambda transaction: no_stock.record(transaction, Refusal("c1", 1), checks.now))
    checks.check()
    assert told(receiver) == [[("opened", "LOW_STOCK"), ("opened", "NO_STOCK_FREQUENT")]]
    assert receiver.requests[0].json()["title"] == "[kylink] WARNING: 2 alerts"


def test_a_channel_hears_only_of_what_is_bad_enough_for_it(checks: Checks, receiver: Receiver) -> None:
    checks.channels = [Webhook(receiver.url, None, lowest=AlertLevel.ERROR)]
    checks.check()
    assert told(receiver) == []
    add_campaigns(checks.database, *[f"d{number}" for number in range(9)])
    checks.check()
    for number in range(9):
        checks.fill(f"d{number}")
    checks.check()  # a warning again
    checks.fill("c1")
    checks.check()
    assert told(receiver) == [[("raised", "LOW_STOCK")], [("resolved", "LOW_STOCK")]]


def test_a_receiver_that_is_down_for_three_runs_gets_the_message_once(checks: Checks, receiver: Receiver) -> None:
    receiver.status = 503
    runs = [checks.check() for _ in range(3)]
    assert [(run.delivered.sent, run.delivered.failed) for run in runs] == [(0, 1)] * 3
    receiver.status = 200
    keys = {r.json()["id"] for r in receiver.requests}
    receiver.requests.clear()
    checks.now -= timedelta(minutes=1)  # before the repeat is due
    for _ in range(2):
        checks.check()
    assert told(receiver)[:1] == [[("opened", "LOW_STOCK")]]
    assert [r.json()["id"] for r in receiver.requests if r.json()["id"] in keys] == list(keys)


def test_a_failed_message_waits_longer_each_time_unless_somebody_runs_the_job_by_hand(
    checks: Checks, receiver: Receiver
) -> None:
    receiver.status = 503
    checks.check()
    checks.now -= timedelta(minutes=9, seconds=30)
    assert checks.check().delivered.failed == 0
    checks.now -= timedelta(minutes=10)
    assert checks.check(scheduled=False).delivered.failed == 1


def test_what_does_not_arrive_within_a_day_is_given_up(checks: Checks, receiver: Receiver) -> None:
    receiver.status = 503
    raised = checks.check().posted.raised
    # Of what somebody works on there is nothing new to tell.
    acknowledge(checks.database, raised, checks.now, "olga")
    checks.now += timedelta(hours=23)
    assert checks.check().delivered.given_up == 0
    checks.now += timedelta(minutes=70)
    assert checks.check().delivered.given_up == 1
    receiver.status = 200
    receiver.requests.clear()
    checks.fill("c1")
    checks.check(scheduled=False)
    assert told(receiver) == [[("resolved", "LOW_STOCK")]]


def test_a_channel_that_is_back_gets_the_last_of_what_was_to_be_told_of_a_condition(
    checks: Checks, receiver: Receiver
) -> None:
    receiver.status = 503
    for _ in range(6):
        checks.check()
        checks.now += timedelta(hours=4, minutes=1)
    receiver.status = 200
    receiver.requests.clear()
    checks.check(scheduled=False)
    checks.check(scheduled=False)
    assert len(told(receiver)) == 1


def test_a_receiver_that_hangs_is_cut_off_and_delays_no_other(checks: Checks, receiver: Receiver) -> None:
    """The other channel's message arrives while the first hangs; the run ends long before the receiver answers."""
    with receiving() as hanging:
        hanging.hangs = True
        checks.channels = [Webhook(hanging.url, None, name="hanging"), Webhook(receiver.url, None)]
        checks.channel_seconds = 5
        delivered = checks.check().delivered
        assert not hanging.released.is_set()
    assert (delivered.sent, delivered.failed) == (1, 1)
    assert told(receiver) == [[("opened", "LOW_STOCK")]]
    assert "hanging failed: no answer within 5 s" in str(checks.events)


def test_what_a_channel_s_time_does_not_suffice_for_is_left_to_the_next_run(checks: Checks) -> None:
    with receiving() as hanging:
        hanging.status = 503
        checks.channels = [Webhook(hanging.url, None)]
        checks.check()
        with checks.database.writing() as session:
            outbox.write(session, "webhook", probe("key"), checks.now)
        hanging.hangs = True
        checks.channel_seconds = 0.5
        assert checks.check().delivered.failed == 1
    with checks.database.reading() as session:
        found = session.scalars(select(Notification).order_by(col(Notification.id))).all()
    assert [(n.attempts, n.claimed_by) for n in found] == [(2, None), (0, None)]


def test_a_refused_connection_fails_no_run(checks: Checks) -> None:
    checks.channels = [Webhook("http://127.0.0.1:9/hook/s3cret-token", None)]
    finished = checks.check()
    assert (finished.report.status, finished.delivered.failed) == ("succeeded", 1)
    assert "s3cret" not in str(checks.events)


class Broken:
    """A channel with a programming error."""

    name = "broken"
    lowest: Any = "INFO"

    def check(self) -> None:
        """Nothing is wrong with its address."""

    def send(self, message: object) -> None:
        raise RuntimeError(f"s3cret {message}")


def test_a_broken_channel_fails_no_run_and_shows_no_secret(checks: Checks) -> None:
    checks.channels = [Broken()]
    finished = checks.check()
    assert (finished.report.status, finished.delivered.failed) == ("succeeded", 1)
    assert "RuntimeError" in str(checks.events)
    assert "s3cret" not in str(checks.events)
