"""A pooler between kylink and its server: in session and transaction mode all works, but a lock that it can't keep."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from kylink_cli.demo.service import SupplyService
from kylink_cli.errors import ConfigError, DatabaseUnfitError
from kylink_cli.store.engine.lock_connection import LockConnection
from kylink_cli.store.engine.postgresql import open_server
from tests.support.books import assert_nothing_lost
from tests.support.installation import Installation
from tests.support.pgbouncer import PgBouncer
from tests.support.postgres import PostgresServer

SETTINGS = ("timezone", "datestyle", "lock_timeout", "search_path", "row_security")


@pytest.fixture(params=["session", "transaction"])
def pooler(request: pytest.FixtureRequest, postgres: PostgresServer) -> Iterator[PgBouncer]:
    with PgBouncer(postgres, request.param) as running:
        yield running


@pytest.fixture
def transaction_pooler(postgres: PostgresServer) -> Iterator[PgBouncer]:
    with PgBouncer(postgres, "transaction") as running:
        yield running


def test_everything_works_through_a_pooler(tmp_path: Path, postgres: PostgresServer, pooler: PgBouncer) -> None:
    """From an empty database to confirmed leases, with more statements of a kind than would be prepared."""
    name = f"pooled_{pooler.port}"
    postgres.execute(f"CREATE DATABASE {name}")
    url = pooler.url(postgres.url(name))
    sheet = "campaign_id,user_id\n" + "".join(f"c{number},u1\n" for number in range(12))
    with SupplyService("the-key") as service, Installation.on_server(tmp_path, url, service) as kylink:
        assert kylink.run("db", "init").returncode == 0
        (tmp_path / "sheet.csv").write_text(sheet)
        done = kylink.run("campaigns", "import", "sheet.csv")
        assert (done.returncode, done.stderr) == (0, "")
        assert kylink.document("replenish", "--all")["produced"] == 120
        with ThreadPoolExecutor(8) as threads:
            taken = list(threads.map(lambda n: kylink.document("leases", "take", f"c{n}"), range(8)))
        assert [document["error"] for document in taken if "error" in document] == []
        tokens = [lease["token"] for document in taken for lease in document["leases"]]
        assert kylink.run("leases", "confirm", *tokens).returncode == 0
        for command in (["alert-check"], ["replenish", "--all"]):
            assert kylink.run(*command).returncode == 0
        assert_nothing_lost(kylink, service)


def test_each_transaction_has_its_settings_whoever_used_the_backend_before(
    postgres: PostgresServer, transaction_pooler: PgBouncer
) -> None:
    url = transaction_pooler.url(postgres.new_database())
    with closing(open_server(url)) as database:
        with psycopg.connect(url, autocommit=True) as stranger:
            stranger.execute("SET search_path = pg_catalog; SET timezone = 'Asia/Tokyo'; SET row_security = on")
        with database.reading() as session:
            shown = [session.scalar(text(f"SHOW {name}")) for name in SETTINGS]
    assert shown == ["UTC", "ISO, MDY", "30s", "public", "off"]


def test_settings_of_the_address_hold_behind_a_pooler_too(postgres: PostgresServer, pooler: PgBouncer) -> None:
    """As startup parameters they are refused: unsupported startup parameter: options."""
    url = pooler.url(postgres.new_database()) + "?options=-c%20work_mem%3D7MB%20--statement-timeout=9s"
    with closing(open_server(url)) as database, database.reading() as session:
        assert [session.scalar(text(f"SHOW {name}")) for name in ("work_mem", "statement_timeout")] == ["7MB", "9s"]


def test_a_lock_in_the_database_is_refused_in_transaction_mode_alone(
    tmp_path: Path, postgres: PostgresServer, pooler: PgBouncer
) -> None:
    url = pooler.url(postgres.new_database())
    with (
        SupplyService("the-key") as service,
        Installation.on_server(tmp_path, url, service, KYLINK_LOCK_URL="database:") as kylink,
    ):
        kylink.add_campaigns("c1")
        done = kylink.run("replenish", "--all", "--json")
        document = json.loads(done.stdout)
        if pooler.mode == "transaction":
            assert (done.returncode, document["error"]["code"]) == (78, "CONFIG")
            assert "KYLINK_LOCK_URL is database:" in document["error"]["message"]
            assert "pooler in transaction mode" in document["error"]["message"]
        else:
            assert (done.returncode, document["status"]) == (0, "succeeded")


@pytest.mark.parametrize("option", [{}, {"server_round_robin": "1"}, {"min_pool_size": "5"}])
def test_transaction_mode_is_noticed_however_backends_are_lent(
    postgres: PostgresServer, option: dict[str, str]
) -> None:
    with PgBouncer(postgres, "transaction", **option) as pooler:
        url = pooler.url(postgres.new_database())
        # Backends that lie ready.
        idle = [psycopg.connect(url) for _ in range(4)]
        for connection in idle:
            connection.execute("SELECT 1")
        for connection in idle:
            connection.close()
        with closing(LockConnection(url, "test")) as locks, pytest.raises(ConfigError, match="transaction mode"):
            locks.take("job")


def test_a_pool_that_has_nothing_to_spare_is_one_in_session_mode(postgres: PostgresServer) -> None:
    with (
        PgBouncer(postgres, "session", default_pool_size="1") as pooler,
        closing(LockConnection(pooler.url(postgres.new_database()), "test")) as locks,
    ):
        assert locks.take("job")


def test_a_pooler_in_statement_mode_is_refused_with_the_way_out(postgres: PostgresServer) -> None:
    with PgBouncer(postgres, "statement") as pooler, pytest.raises(DatabaseUnfitError, match="set its pool_mode to"):
        open_server(pooler.url(postgres.new_database()))


def test_a_startup_parameter_that_a_pooler_refuses_is_named(
    postgres: PostgresServer, pooler: PgBouncer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=7MB")
    with pytest.raises(DatabaseUnfitError, match=r"unsupported startup parameter: options.*PGOPTIONS"):
        open_server(pooler.url(postgres.new_database()))


def test_a_pooler_that_cannot_be_noticed_can_be_named(postgres: PostgresServer) -> None:
    url = postgres.new_database() + "?pooler=transaction"
    with closing(LockConnection(url, "test")) as locks, pytest.raises(ConfigError, match="transaction mode"):
        locks.take("job")
    with closing(open_server(url)) as database, database.reading() as session:
        driver = session.connection().connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        assert driver.prepare_threshold is None
