"""A COMMIT whose answer does not come: what became of it is told by the transaction's own rows."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg
import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from kylink_cli import leasing
from kylink_cli.leasing import TakeRequest
from kylink_cli.store import waiters
from kylink_cli.store.engine import commit_marks
from kylink_cli.store.engine.commit_marks import Committing
from kylink_cli.store.engine.direct import Transaction
from kylink_cli.store.engine.postgresql import ServerDatabase, open_server
from kylink_cli.store.tables import Campaign, table
from tests.support.database import add_campaigns, add_items, url_of
from tests.support.postgres import PostgresServer
from tests.support.proxy import Once, Proxy

pytestmark = pytest.mark.slow

COMMIT = b"COMMIT\x00"
END = datetime(2100, 1, 1, tzinfo=UTC)
REQUEST = TakeRequest("c1", ttl_minutes=5)


@pytest.fixture(scope="module")
def forgetful() -> Iterator[PostgresServer]:
    """A server that loses with a crash what is not committed, the numbers of transactions as well."""
    with PostgresServer(wal_writer_delay="10s", bgwriter_delay="10s", autovacuum="off") as server:
        yield server


@pytest.fixture
def direct(forgetful: PostgresServer) -> Iterator[ServerDatabase]:
    with forgetful.database() as database:
        add_campaigns(database, "c1")
        add_items(database, "c1", 3)
        yield database


@pytest.fixture
def proxy(forgetful: PostgresServer) -> Iterator[Proxy]:
    with Proxy(forgetful.port) as running:
        yield running


@pytest.fixture
def database(direct: ServerDatabase, forgetful: PostgresServer, proxy: Proxy) -> Iterator[ServerDatabase]:
    """The database behind the proxy, as one that was reached before."""
    through = open_server(url_of(direct).replace(f":{forgetful.port}/", f":{proxy.port}/"), patience_seconds=20)
    yield through
    through.close()


class Crash:
    """The server crashes as a COMMIT comes, and gives the transaction's number to another application's transaction."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self.has_cut = False

    def __call__(self, data: bytes) -> bool:
        """Whether to cut now."""
        if self.has_cut or COMMIT not in data:
            return False
        self.has_cut = True
        number = self._ask("SELECT backend_xid::text FROM pg_stat_activity WHERE backend_xid IS NOT NULL")
        self._server.kill()
        self._server.start()
        self._server.execute(*["DROP TABLE IF EXISTS others", "CREATE TABLE others (id int)"] * 20)
        assert self._ask(f"SELECT pg_xact_status('{number}'::xid8)") == "committed", "its number was not given away"
        return True

    def _ask(self, statement: str) -> str:
        with psycopg.connect(self._server.url(), autocommit=True) as connection:
            [(answer,)] = connection.execute(statement.encode()).fetchall()
            return str(answer)


def rows(database: ServerDatabase, statement: str) -> list[Any]:
    return database.read(lambda session: list(session.execute(text(statement)).all()))


def test_a_number_that_a_crashed_server_gave_away_is_no_proof_of_a_write(
    database: ServerDatabase, direct: ServerDatabase, forgetful: PostgresServer, proxy: Proxy
) -> None:
    tries: list[int] = []

    def act(session: Session) -> str:
        tries.append(1)
        session.execute(update(table(Campaign)).values(low_watermark=7))
        return "written"

    proxy.before = Crash(forgetful)
    assert database.commit(act) == "written"
    assert (len(tries), rows(direct, "SELECT low_watermark FROM campaigns")) == (2, [(7,)])


def test_a_number_that_a_crashed_server_gave_away_is_no_proof_of_a_lease(
    database: ServerDatabase, direct: ServerDatabase, forgetful: PostgresServer, proxy: Proxy
) -> None:
    """The token that a consumer gets is in the database, and nobody else gets its item."""
    proxy.before = crash = Crash(forgetful)
    [lease] = leasing.take(database, REQUEST, datetime.now(UTC)).leases
    assert crash.has_cut
    assert rows(direct, "SELECT token FROM leases") == [(lease.token,)]
    [other] = leasing.take(direct, REQUEST, datetime.now(UTC)).leases
    assert other.item_id != lease.item_id


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_take_whose_commit_is_not_answered_takes_one_item(
    database: ServerDatabase, direct: ServerDatabase, proxy: Proxy, when: str
) -> None:
    rule = Once(COMMIT)
    setattr(proxy, when, rule)
    [lease] = leasing.take(database, REQUEST, datetime.now(UTC)).leases
    assert rule.has_cut
    assert rows(direct, "SELECT token FROM leases") == [(lease.token,)]
    assert rows(direct, "SELECT sum(taken) FROM demand_minutes") == [(1,)]
    closing = Once(COMMIT)
    setattr(proxy, when, closing)
    [result] = leasing.confirm(database, [lease.token], datetime.now(UTC))
    assert (closing.has_cut, result.ok) == (True, True)
    assert rows(direct, "SELECT state FROM leases") == [("confirmed",)]


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_waits_has_one_place_though_its_commit_is_not_answered(
    database: ServerDatabase, direct: ServerDatabase, proxy: Proxy, when: str
) -> None:
    """A second place would keep the next item for nobody."""
    leasing.take(direct, TakeRequest("c1", ttl_minutes=5, count=3), datetime.now(UTC))

    def wait(transaction: Transaction) -> int:
        return waiters.join(transaction, "c1", 1, END)

    rule = Once(COMMIT)
    setattr(proxy, when, rule)
    place = database.commit_direct(wait, lambda transaction, joined: waiters.has_joined(transaction, joined, END))
    assert (rule.has_cut, rows(direct, "SELECT id FROM waiters")) == (True, [(place,)])


def test_a_transaction_of_another_that_got_number_or_process_is_not_ended(direct: ServerDatabase) -> None:
    """After a restart, a number and a process may be anybody's; only both together are the transaction's own."""
    with direct.writing() as session:
        session.execute(update(table(Campaign)).values(low_watermark=7))
        number, backend = session.execute(text("SELECT pg_current_xact_id()::text, pg_backend_pid()")).one()
        for wrong in (Committing(str(int(number) + 1), backend), Committing(number, backend + 1)):
            assert not direct.read(partial(commit_marks.end, committing=wrong))
    assert rows(direct, "SELECT low_watermark FROM campaigns") == [(7,)]
