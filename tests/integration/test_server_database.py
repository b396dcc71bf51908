"""A database on a server: what is wrong with it is said in one line, and its clock is everybody's."""

import secrets
import shlex
import subprocess
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select, text

from kylink_cli import wiring
from kylink_cli.errors import (
    ConfigError,
    DatabaseBusyError,
    DatabaseError,
    DatabaseLostError,
    DatabaseUnfitError,
)
from kylink_cli.settings.fields import Settings
from kylink_cli.store import stock
from kylink_cli.store.engine.database import Database
from kylink_cli.store.engine.direct import pooled
from kylink_cli.store.engine.postgresql import ServerDatabase, open_server
from kylink_cli.store.engine.schema import require_current, upgrade
from kylink_cli.store.tables import StockItem, table
from tests.support.database import add_campaigns, url_of
from tests.support.ports import free_port
from tests.support.postgres import PostgresServer


def test_a_server_that_cannot_be_reached_is_an_error_that_somebody_must_hear_of() -> None:
    with pytest.raises(DatabaseLostError, match=r"^the database can't be reached: .*127\.0\.0\.1") as caught:
        open_server("postgresql://kylink@127.0.0.1:1/kylink")
    assert caught.value.exit_code == 1
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("user", "name", "message"),
    [
        ("stranger", "postgres", "the database refuses this user or password: check DATABASE_URL"),
        ("kylink", "nowhere", "there is no such database on the server: create it, or check DATABASE_URL"),
    ],
)
def test_a_wrong_user_or_database_is_bad_configuration(
    postgres: PostgresServer, user: str, name: str, message: str
) -> None:
    url = postgres.url(name).replace("kylink@", f"{user}:hush@")
    with pytest.raises(DatabaseUnfitError) as caught:
        open_server(url)
    assert (str(caught.value), caught.value.exit_code) == (message, 78)


def test_a_bad_url_is_bad_configuration() -> None:
    with pytest.raises(ConfigError, match="must be postgresql://USER@HOST/NAME"):
        open_server("postgresql://kylink@host:port/kylink")


def test_only_db_init_and_upgrade_change_the_tables_on_a_server(postgres: PostgresServer) -> None:
    postgres.execute("CREATE DATABASE bare")
    settings = Settings(database_url=postgres.url("bare"))
    for use in (wiring.existing_database, wiring.new_database, wiring.unchanged_database):
        with pytest.raises(DatabaseUnfitError, match="the database holds no tables"):
            use(settings)


def test_hosts_that_make_the_tables_at_once_do_not_collide(postgres: PostgresServer) -> None:
    postgres.execute("CREATE DATABASE crowded")
    hosts = [open_server(postgres.url("crowded")) for _ in range(4)]
    with ThreadPoolExecutor(len(hosts)) as threads:
        list(threads.map(upgrade, hosts))
    require_current(hosts[0])
    for host in hosts:
        host.close()


def test_a_user_without_rights_is_told_so(on_server: ServerDatabase, postgres: PostgresServer) -> None:
    name = url_of(on_server).rpartition("/")[2]
    postgres.execute("CREATE ROLE poor LOGIN")
    poor = open_server(postgres.url(name).replace("kylink@", "poor@"))
    with pytest.raises(
        DatabaseUnfitError, match="the database refuses this user: permission denied for table campaigns"
    ):
        add_campaigns(poor, "c1")
    poor.close()


def test_a_standby_is_told_by_its_refusal(on_server: ServerDatabase) -> None:
    with (
        pytest.raises(DatabaseUnfitError, match=r"may only be read: is it a standby\?"),
        on_server.reading() as session,
    ):
        session.execute(text("DELETE FROM campaigns"))


def test_a_statement_that_takes_too_long_is_tried_later(on_server: ServerDatabase) -> None:
    slow = "SET LOCAL statement_timeout = 1; SELECT pg_sleep(60)"
    with pytest.raises(DatabaseBusyError, match="took too long") as caught, on_server.reading() as session:
        session.execute(text(slow))
    assert caught.value.exit_code == 75


def test_what_else_goes_wrong_is_said_without_the_values(on_server: ServerDatabase) -> None:
    with pytest.raises(DatabaseError, match="violates foreign key") as caught, on_server.writing() as session:
        session.execute(
            text("INSERT INTO no_stock_events (campaign_id, happened_at) VALUES (:id, now())"), {"id": "hush"}
        )
    assert "hush" not in str(caught.value)


def test_a_value_of_full_length_is_stored_once(database: Database) -> None:
    """PostgreSQL's indexes take no text of that length, unless it can be compressed."""
    add_campaigns(database, "c1")
    value, now = secrets.token_hex(2048), datetime.now(UTC)
    for added in (1, 0):
        with database.writing() as session:
            assert stock.add(session, "c1", {value: now}, now) == added
    with database.reading() as session:
        assert session.scalars(select(table(StockItem).c.value)).all() == [value]


def test_moments_come_back_as_they_were_whatever_the_zone(database: Database) -> None:
    add_campaigns(database, "c1")
    now = datetime(2026, 10, 25, 0, 59, 59, 123456, tzinfo=UTC)
    with database.writing() as session:
        stock.add(session, "c1", {"v": now}, now)
    with database.reading() as session:
        assert session.scalars(select(table(StockItem).c.expires_at)).all() == [now]


def test_a_url_may_say_more_about_the_connection(on_server: ServerDatabase) -> None:
    more = open_server(url_of(on_server) + "?application_name=mine&options=-c%20work_mem%3D7MB")
    with more.reading() as session:
        shown = [session.scalar(text(f"SHOW {name}")) for name in ("application_name", "work_mem", "lock_timeout")]
    more.close()
    assert shown == ["mine", "7MB", "30s"]


@pytest.mark.parametrize(
    "setting",
    [
        "DateStyle = 'SQL, DMY'",
        "DateStyle = German",
        "DateStyle = 'Postgres, DMY'",
        "client_encoding = LATIN1",
        "client_encoding = SQL_ASCII",
        "IntervalStyle = sql_standard",
        "bytea_output = escape",
        "search_path = ''",
        "search_path = reporting",
        "search_path = pg_catalog",
        "row_security = off",
        "default_transaction_read_only = on",
        "default_transaction_isolation = serializable",
        "synchronous_commit = off",
        "extra_float_digits = -15",
        "TimeZone = 'Asia/Kolkata'",
    ],
)
def test_whatever_the_server_has_set_kylink_sets_for_itself(
    on_server: ServerDatabase, postgres: PostgresServer, setting: str
) -> None:
    name, now = url_of(on_server).rpartition("/")[2], datetime(2026, 3, 4, 5, 6, 7, 123456, tzinfo=UTC)
    postgres.execute(f"ALTER DATABASE {name} SET {setting}")
    with closing(open_server(url_of(on_server))) as other:
        require_current(other)
        add_campaigns(other, "c-ü")
        with other.writing() as session:
            assert stock.add(session, "c-ü", {"wert-ß-✓": now}, now) == 1
        with other.reading() as session:
            assert session.execute(select(table(StockItem).c.value, table(StockItem).c.expires_at)).all() == [
                ("wert-ß-✓", now)
            ]
            assert session.scalar(text("SHOW synchronous_commit")) == "on"
    with on_server.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM stock_items")) == 1


@pytest.mark.parametrize("path", ["''", "reporting"])
def test_tables_are_made_in_public_where_the_search_path_leads_nowhere(postgres: PostgresServer, path: str) -> None:
    name = f"lost_{uuid.uuid4().hex}"
    postgres.execute(f"CREATE DATABASE {name}", f"ALTER DATABASE {name} SET search_path = {path}")
    with closing(open_server(postgres.url(name))) as database:
        upgrade(database)
        add_campaigns(database, "c1")
        with database.reading() as session:
            assert session.scalar(text("SELECT count(*) FROM public.campaigns")) == 1


def test_tables_are_found_in_their_schema_whoever_looks(postgres: PostgresServer) -> None:
    """An owner that has a schema of his own makes them there; who works with them is another user."""
    name = f"owned_{uuid.uuid4().hex}"
    postgres.execute(f"CREATE DATABASE {name}")
    with psycopg.connect(postgres.url(name), autocommit=True) as connection:
        connection.execute(
            "CREATE ROLE landlord LOGIN; CREATE ROLE tenant LOGIN; CREATE SCHEMA landlord AUTHORIZATION landlord"
        )
    with closing(open_server(postgres.url(name).replace("kylink@", "landlord@"))) as own:
        upgrade(own)
    with psycopg.connect(postgres.url(name), autocommit=True) as connection:
        connection.execute(
            "GRANT USAGE ON SCHEMA landlord TO tenant; GRANT ALL ON ALL TABLES IN SCHEMA landlord TO tenant"
        )
    with closing(open_server(postgres.url(name).replace("kylink@", "tenant@"))) as other:
        require_current(other)
        add_campaigns(other, "c1")


def test_rows_that_a_policy_hides_are_no_missing_rows(on_server: ServerDatabase, postgres: PostgresServer) -> None:
    name = url_of(on_server).rpartition("/")[2]
    with psycopg.connect(url_of(on_server), autocommit=True) as connection:
        connection.execute(
            "CREATE ROLE blinkered LOGIN; GRANT ALL ON campaigns TO blinkered; "
            "ALTER TABLE campaigns ENABLE ROW LEVEL SECURITY"
        )
    with (
        closing(open_server(postgres.url(name).replace("kylink@", "blinkered@"))) as database,
        pytest.raises(DatabaseUnfitError, match="row-level security policy"),
        database.reading() as session,
    ):
        session.execute(text("SELECT * FROM campaigns"))


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "EUC_JP"])
def test_a_database_in_another_encoding_is_refused_with_the_line_that_makes_a_right_one(
    postgres: PostgresServer, encoding: str
) -> None:
    name = f"narrow-{uuid.uuid4().hex}"
    postgres.execute(f"CREATE DATABASE \"{name}\" ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    with (
        closing(open_server(postgres.url(name))) as database,
        pytest.raises(DatabaseUnfitError, match=f"is in {encoding}") as caught,
    ):
        upgrade(database)
    line = str(caught.value).partition("createdb ")[2]
    connect = ["--host=127.0.0.1", f"--port={postgres.port}", "--username=kylink"]
    subprocess.run([postgres.program("createdb"), *connect, *shlex.split(line)], check=True)
    with closing(open_server(postgres.url(shlex.split(line)[-1]))) as right:
        upgrade(right)


def test_an_address_is_what_libpq_takes(
    on_server: ServerDatabase, postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another scheme, several hosts, a service file, a password file."""
    given = on_server.address.parameters
    nobody, name, port = free_port(), given["dbname"], given["port"]
    (tmp_path / "services").write_text(f"[here]\nhost=127.0.0.1\nport={port}\nuser=kylink\ndbname={name}\n")
    (tmp_path / "passwords").write_text(f"127.0.0.1:{port}:{name}:kylink:secret\n")
    (tmp_path / "passwords").chmod(0o600)
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "passwords"))
    for url in (
        f"postgres://kylink@127.0.0.1:{port}/{name}",
        f"postgresql://kylink@127.0.0.1:{nobody},127.0.0.1:{port}/{name}",
        f"postgresql://kylink@127.0.0.1:{nobody},127.0.0.1:{port}/{name}?target_session_attrs=read-write",
        f"postgresql:///{name}?host=127.0.0.1&port={port}&user=kylink",
        f"postgresql://kylink@/{name}?host={postgres.socket_folder}&port={port}",
        "postgresql:///?service=here",
    ):
        assert Settings(database_url=url).database_url == url
        with closing(open_server(url)) as database:
            require_current(database)


def test_the_time_is_the_servers(on_server: ServerDatabase) -> None:
    """The clock is asked for once, and goes on by a clock that nobody sets."""
    first = on_server.now()
    with on_server.reading() as session:
        told = session.scalar(text("SELECT clock_timestamp()"))
    assert told is not None
    assert first <= told + timedelta(milliseconds=100)
    assert abs(on_server.now() - told) < timedelta(minutes=1)
    assert on_server.now() >= first


def test_whoever_finds_all_connections_in_use_is_told_to_try_later(
    on_server: ServerDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_server.engine.pool, "_timeout", 0.1)
    with ExitStack() as held:
        for _ in range(15):
            held.enter_context(on_server.reading()).execute(text("SELECT 1"))
        with pytest.raises(DatabaseBusyError), on_server.reading():
            pass
        with pytest.raises(DatabaseBusyError), pooled(on_server.engine):
            pass
