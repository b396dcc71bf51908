"""Runs that are killed between writing an alert and sending it: the next run sends it, once."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from kylink_cli.store.engine.database import Database
from kylink_cli.store.tables import Notification, Run
from tests.support.cli import clean_environment, run_kylink
from tests.support.database import add_campaigns, url_of
from tests.support.web import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> dict[str, str]:
    """A campaign without stock."""
    add_campaigns(database, "c1")
    return {
        "DATABASE_URL": url_of(database),
        "KYLINK_LOCK_URL": f"file:{tmp_path / 'locks'}",
        "ALERT_DISK_WARNING_PERCENT": "100",
    }


def start(settings: dict[str, str], url: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "kylink_cli", "alert-check"],
        env=clean_environment() | settings | {"ALERT_WEBHOOK_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    while not condition():
        assert process.poll() is None
        time.sleep(0.01)


def notifications(database: Database) -> list[Notification]:
    with database.reading() as session:
        return list(session.scalars(select(Notification)))


def check(settings: dict[str, str], url: str) -> None:
    assert run_kylink("alert-check", env=settings | {"ALERT_WEBHOOK_URL": url}).returncode == 0


def test_what_a_killed_run_has_written_is_sent_by_the_next_run_once(
    database: Database, settings: dict[str, str], receiver: Receiver
) -> None:
    """The run is killed while it tries to send to a port that nobody serves: connections wait, nothing is read."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = start(settings, f"http://127.0.0.1:{silent.getsockname()[1]}")
        wait_until(lambda: [n.claimed_by for n in notifications(database)] == [1], process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert [n.sent_at for n in notifications(database)] == [None]
    check(settings, receiver.url)
    check(settings, receiver.url)
    [request] = receiver.requests
    [notification] = notifications(database)
    assert notification.sent_at is not None
    assert (request.json()["id"], request.json()["alerts"][0]["event"]) == (notification.key, "opened")
    with database.reading() as session:
        assert [run.status for run in session.scalars(select(Run))] == ["succeeded"] * 3


def test_a_run_that_is_killed_while_the_receiver_has_the_message_sends_it_again_under_its_key(
    database: Database, settings: dict[str, str], receiver: Receiver
) -> None:
    """Delivery is at least once: whoever was killed could not know whether the message was taken."""
    receiver.hangs = True
    process = start(settings, receiver.url)
    wait_until(receiver.arrived.is_set, process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    receiver.hangs = False
    check(settings, receiver.url)
    check(settings, receiver.url)
    assert [r.json()["id"] for r in receiver.requests] == [notifications(database)[0].key] * 2


def test_what_a_living_run_sends_no_other_run_sends_too(
    database: Database, settings: dict[str, str], receiver: Receiver
) -> None:
    receiver.hangs = True
    process = start(settings, receiver.url)
    wait_until(receiver.arrived.is_set, process)
    result = run_kylink("recover-leases", env=settings | {"ALERT_WEBHOOK_URL": receiver.url})
    assert result.returncode == 0
    assert len(receiver.requests) == 1
    receiver.released.set()
    assert process.wait() == 0
    assert [n.attempts for n in notifications(database)] == [0]


def test_a_process_ends_although_its_receiver_hangs(settings: dict[str, str], receiver: Receiver) -> None:
    """The receiver answers only after the process has ended, so that waiting for it would never end."""
    receiver.hangs = True
    result = run_kylink("alert-check", "--json", env=settings | {"ALERT_WEBHOOK_URL": receiver.url})
    assert result.returncode == 0
    assert '"notify_failed": 1' in result.stdout
