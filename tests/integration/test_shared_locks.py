"""Locks that several hosts share: one holder in all, named to the others; a loss is noticed and said."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from kylink_cli import wiring
from kylink_cli.errors import ConfigError, DatabaseError, LockedError, LockUnreachableError
from kylink_cli.locks.base import Locks
from kylink_cli.locks.database import DatabaseLocks
from kylink_cli.locks.file import FileLocks
from kylink_cli.locks.held import Held, Renewal
from kylink_cli.locks.redis import RedisLocks
from kylink_cli.settings.fields import Settings
from kylink_cli.store.engine.lock_connection import LockConnection
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.waiting import PATIENCE_SECONDS, wait_until

QUICK = Renewal(expiry_seconds=0.5, every_seconds=0.05)
HOLDER = """
import sys
from kylink_cli import wiring
from kylink_cli.settings.fields import Settings

settings = Settings(database_url=sys.argv[1], kylink_lock_url=sys.argv[2], kylink_host_name="elsewhere")
with wiring.locks(settings).hold("job") as held:
    held.when_lost(lambda reason: print(reason, flush=True))
    print("held", flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class Place:
    """Where locks are kept, on a server of the test's own."""

    server: PostgresServer | RedisServer
    settings: Settings
    here: FileLocks

    @property
    def locks(self) -> Locks:
        return wiring.locks(self.settings)

    @property
    def quick(self) -> Locks:
        """The same, renewed often."""
        if isinstance(self.server, RedisServer):
            return RedisLocks(self.server.url, self.here, QUICK)
        return DatabaseLocks(partial(LockConnection, self.settings.database_url), self.here, QUICK)

    def take_away(self) -> None:
        """Let the server forget who holds the lock, as if it had expired or the connection had broken."""
        if isinstance(self.server, RedisServer):
            self.server.client.delete("kylink:job")
        else:
            whose = "application_name LIKE 'kylink pid%'"
            self.server.execute(f"SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE {whose}")

    @contextmanager
    def another_holder(self) -> "Iterator[subprocess.Popen[str]]":
        """A real process, on another host, that holds the lock `job` until its standard input ends."""
        command = [sys.executable, "-c", HOLDER, self.settings.database_url, str(self.settings.kylink_lock_url)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture(params=["database", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with ExitStack() as stack:
        server: PostgresServer | RedisServer = PostgresServer() if request.param == "database" else RedisServer()
        stack.enter_context(server)
        database_url = server.url() if isinstance(server, PostgresServer) else f"sqlite:///{tmp_path}/kylink.db"
        lock_url = "database:" if isinstance(server, PostgresServer) else server.url
        settings = Settings(database_url=database_url, kylink_lock_url=lock_url, kylink_host_name="here")
        yield Place(server, settings, FileLocks(tmp_path / "locks", "here"))


def loss_of(held: Held) -> "Loss":
    loss = Loss()
    held.when_lost(loss.hear)
    return loss


class Loss:
    """What is said of a lock that is lost."""

    def __init__(self) -> None:
        self.reason = ""
        self._heard = threading.Event()

    def hear(self, reason: str) -> None:
        self.reason = reason
        self._heard.set()

    def wait(self) -> str:
        assert self._heard.wait(PATIENCE_SECONDS)
        return self.reason


def test_a_lock_is_free_before_and_after_it_is_held(place: Place) -> None:
    assert place.locks.is_free("job")
    with place.locks.hold("job"):
        assert not place.locks.is_free("job")
        assert place.locks.is_free("other")
    assert place.locks.is_free("job")


def test_another_holder_is_named_with_pid_host_and_start(place: Place) -> None:
    with place.another_holder() as process:
        expected = rf"^another run holds the lock job: pid {process.pid} on elsewhere since \d{{4}}-\d\d-\d\d .* UTC$"
        with pytest.raises(LockedError, match=expected), place.locks.hold("job"):
            pytest.fail("two hold the lock")


def test_who_waits_gets_the_lock_when_it_is_let_go(place: Place) -> None:
    with place.another_holder() as process:
        assert process.stdin is not None
        letting_go = threading.Timer(0.2, process.stdin.close)
        letting_go.start()
        with place.locks.hold("job", wait_seconds=PATIENCE_SECONDS):
            assert not place.locks.is_free("job")
        letting_go.join()


def test_who_waits_in_vain_is_told_of_the_holder(place: Place) -> None:
    with (
        place.another_holder() as process,
        pytest.raises(LockedError, match=f"pid {process.pid} "),
        place.locks.hold("job", wait_seconds=0.2),
    ):
        pytest.fail("two hold the lock")


def test_a_lock_outlasts_its_expiry_as_long_as_its_holder_lives(place: Place) -> None:
    with place.quick.hold("job") as held:
        heard = threading.Event()
        held.when_lost(lambda _: heard.set())
        assert not heard.wait(3 * QUICK.expiry_seconds)
        assert not place.locks.is_free("job")


def test_a_lock_that_was_lost_is_taken_again_if_nobody_has_it(place: Place) -> None:
    with place.quick.hold("job") as held:
        loss = loss_of(held)
        place.take_away()
        wait_until(lambda: not place.locks.is_free("job"), "the lock to be taken again")
        assert loss.reason == ""


def test_a_holder_that_was_stopped_for_too_long_hears_that_another_has_the_lock(place: Place) -> None:
    with place.another_holder() as process:
        assert process.stdout is not None
        process.send_signal(signal.SIGSTOP)
        place.take_away()
        with place.locks.hold("job"):
            process.send_signal(signal.SIGCONT)
            assert process.stdout.readline() == "the lock job is lost: another run has taken it\n"


def test_a_loss_that_came_first_is_heard_all_the_same() -> None:
    held = Held()
    held.lose("gone")
    assert loss_of(held).wait() == "gone"


def test_a_lock_whose_server_stays_away_is_lost_when_it_has_expired(place: Place) -> None:
    with place.quick.hold("job") as held:
        loss = loss_of(held)
        place.server.stop()
        assert loss.wait().startswith("the lock job is lost: the ")
        assert "can't be reached" in loss.reason
        place.server.start()


def test_a_server_that_comes_back_empty_in_time_is_asked_for_the_lock_again(place: Place) -> None:
    locks = place.quick
    vars(locks)["_renewal"] = Renewal(expiry_seconds=60, every_seconds=0.05)
    with locks.hold("job") as held:
        loss = loss_of(held)
        place.server.stop()
        place.server.start()
        wait_until(lambda: not place.locks.is_free("job"), "the lock to be taken again")
        assert loss.reason == ""


def test_a_killed_holder_lets_go_at_last(place: Place) -> None:
    with place.another_holder() as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        if isinstance(place.server, RedisServer):
            place.take_away()  # A minute later.
        with place.locks.hold("job", wait_seconds=PATIENCE_SECONDS):
            assert not place.locks.is_free("job")


def test_a_server_that_is_not_there_is_named(place: Place) -> None:
    place.server.stop()
    with pytest.raises((LockUnreachableError, DatabaseError), match="can't be reached") as caught:
        place.locks.is_free("job")
    assert caught.value.exit_code == 1
    place.server.start()


def test_a_redis_server_that_refuses_the_password_is_a_matter_of_configuration(tmp_path: Path) -> None:
    with RedisServer() as server:
        server.client.config_set("requirepass", "right")
        locks = RedisLocks(server.url.replace("//", "//:wrong@"), FileLocks(tmp_path))
        with pytest.raises(ConfigError, match=r"^the lock server refuses this user or password"):
            locks.is_free("job")
