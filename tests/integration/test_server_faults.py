"""Writes to a server that fails: done again if they are known not to be committed, and never twice."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from kylink_cli.cli import app
from kylink_cli.errors import DatabaseConflictError, DatabaseError, DatabaseLostError
from kylink_cli.store.engine.postgresql import ServerDatabase, open_server
from kylink_cli.store.tables import Campaign, table
from tests.support.database import add_campaigns, url_of
from tests.support.postgres import PostgresServer
from tests.support.proxy import Once, Proxy

campaigns = table(Campaign)
COMMIT = b"COMMIT\x00"  # Not the one of READ COMMITTED.


@pytest.fixture
def proxy(postgres: PostgresServer) -> Iterator[Proxy]:
    with Proxy(postgres.port) as running:
        yield running


@pytest.fixture
def counter(on_server: ServerDatabase, postgres: PostgresServer, proxy: Proxy) -> Iterator[ServerDatabase]:
    """A database behind the proxy, with a campaign whose watermark counts the writes."""
    add_campaigns(on_server, "c1", "c2")
    with on_server.writing() as session:
        session.execute(update(campaigns).values(low_watermark=0))
    through = open_server(url_of(on_server).replace(f":{postgres.port}/", f":{proxy.port}/"), patience_seconds=5)
    yield through
    through.close()


def count_up(session: Session) -> str:
    session.execute(update(campaigns).values(low_watermark=campaigns.c.low_watermark + 1))
    return "counted"


def counted(database: ServerDatabase) -> list[int | None]:
    with database.reading() as session:
        return list(session.scalars(select(campaigns.c.low_watermark)))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("words", [b"UPDATE campaigns", COMMIT])
def test_a_write_whose_connection_is_cut_is_done_once(
    counter: ServerDatabase, on_server: ServerDatabase, proxy: Proxy, when: str, words: bytes
) -> None:
    """Cut before a COMMIT reached the server, it is done again; cut before its answer came, the server is asked."""
    told: list[str] = []
    counter.tell_outages(told.append)
    counted(counter)
    rule = Once(words)
    setattr(proxy, when, rule)
    assert counter.commit(count_up) == "counted"
    assert rule.has_cut
    assert counted(on_server) == [1, 1]
    if words != COMMIT:
        assert told == [
            "the database can't be reached: " + told[0].partition(": ")[2],
            "the database is back: continuing",
        ]


def test_a_commit_that_the_server_waits_for_in_vain_is_ended_and_done_again(
    counter: ServerDatabase, on_server: ServerDatabase, proxy: Proxy
) -> None:
    counted(counter)
    proxy.before, proxy.silent = Once(COMMIT), True
    counter.commit(count_up)
    assert counted(on_server) == [1, 1]


def test_a_read_in_mid_run_waits_for_a_new_connection(counter: ServerDatabase, postgres: PostgresServer) -> None:
    assert counted(counter) == [0, 0]
    postgres.execute("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = 'kylink'")
    assert counted(counter) == [0, 0]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_read_whose_connection_is_cut_is_done_again(counter: ServerDatabase, proxy: Proxy, when: str) -> None:
    told: list[str] = []
    counter.tell_outages(told.append)
    counter.now()
    rule = Once(b"SELECT campaigns.low_watermark")
    setattr(proxy, when, rule)
    assert counter.read(lambda session: list(session.scalars(select(campaigns.c.low_watermark)))) == [0, 0]
    assert rule.has_cut
    assert told[-1] == "the database is back: continuing"


ENTRIES: list[tuple[bytes, list[str]]] = [
    (b"FROM alembic_version", ["jobs", "status"]),
    (b"FROM paused_jobs", ["jobs", "status"]),
    (b"FROM runs", ["jobs", "history"]),
    (b"FROM campaigns", ["campaigns", "list"]),
    (b"FROM leases", ["leases", "list"]),
    (b"FROM alerts", ["alerts", "list"]),
    (b"FROM stock_items", ["stock", "list"]),
    (b"FROM leases", ["db", "check"]),
    (b"UPDATE campaigns", ["campaigns", "pause", "c1"]),
    (b"INSERT INTO paused_jobs", ["jobs", "pause", "stock_replenish"]),
    (b"FROM leases", ["recover-leases"]),
    (b"FROM notifications", ["alert-check"]),
    (b"FROM runs", ["replenish", "--all"]),
]


# A cursor on the server can't be closed when its connection is gone.
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <function ServerCursorMixin:pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize(("words", "command"), ENTRIES)
def test_every_command_goes_on_when_its_connection_is_cut(
    counter: ServerDatabase, proxy: Proxy, tmp_path: Path, words: bytes, command: list[str]
) -> None:
    proxy.after = rule = Once(words)
    settings = {"DATABASE_URL": url_of(counter), "XDG_STATE_HOME": str(tmp_path), "PROXY_API_URL": "file:/dev/null"}
    done = CliRunner().invoke(app, command, env=settings)
    assert (done.exit_code, done.exception) == (0, None), done.output
    assert rule.has_cut


def test_transactions_that_block_each_other_both_go_through(counter: ServerDatabase) -> None:
    both_hold_one = threading.Barrier(2)
    tries: list[str] = []

    def write(order: tuple[str, str]) -> None:
        def act(session: Session) -> None:
            tries.append(order[0])
            for number, key in enumerate(order):
                session.execute(
                    update(campaigns).where(campaigns.c.id == key).values(low_watermark=campaigns.c.low_watermark + 1)
                )
                if number == 0 and len(tries) <= 2:
                    both_hold_one.wait()

        counter.commit(act)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(write, [("c1", "c2"), ("c2", "c1")]))
    assert len(tries) == 3
    assert counted(counter) == [2, 2]


def test_a_collision_that_goes_on_and_on_is_tried_later(counter: ServerDatabase) -> None:
    def collide(session: Session) -> None:
        session.connection().exec_driver_sql("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")

    hasty = open_server(url_of(counter), patience_seconds=0.2)
    with pytest.raises(DatabaseConflictError, match="try again later") as caught:
        hasty.commit(collide)
    assert caught.value.exit_code == 75
    hasty.close()


def test_what_would_fail_again_is_not_tried_again(counter: ServerDatabase) -> None:
    tries = []

    def fail(session: Session) -> None:
        tries.append(1)
        session.connection().exec_driver_sql("SELECT 1 / 0")

    with pytest.raises(DatabaseError, match="division by zero"):
        counter.commit(fail)
    assert tries == [1]


def test_a_server_that_stays_away_ends_the_waiting(counter: ServerDatabase, proxy: Proxy) -> None:
    """Nobody waits for ever, and nothing is half-written."""
    hasty = open_server(url_of(counter), patience_seconds=0.5)
    told: list[str] = []
    hasty.tell_outages(told.append)
    proxy.before = lambda _: True
    with pytest.raises(DatabaseLostError) as caught:
        hasty.commit(count_up)
    assert caught.value.exit_code == 1
    assert len(told) == 1
    assert told[0].endswith(": trying again")
    hasty.close()


def test_a_commit_of_which_nobody_can_say_what_became_is_not_repeated(
    counter: ServerDatabase, on_server: ServerDatabase, proxy: Proxy
) -> None:
    hasty = open_server(url_of(counter), patience_seconds=0.5)
    cut = Once(COMMIT)
    proxy.after, proxy.before = cut, lambda _: cut.has_cut
    with pytest.raises(DatabaseError, match="whether the last write was stored is not known"):
        hasty.commit(count_up)
    hasty.close()
    assert counted(on_server) == [1, 1]
