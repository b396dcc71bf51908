"""The database: writers wait for each other, an unfit file is refused, errors are one line without secrets."""

import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, select, text, update
from sqlalchemy.exc import DBAPIError

from kylink_cli import wiring
from kylink_cli.errors import ConfigError, DatabaseBusyError, DatabaseError, DatabaseUnfitError
from kylink_cli.places import sqlite_path
from kylink_cli.settings.fields import Settings
from kylink_cli.store.engine.database import Database
from kylink_cli.store.engine.direct import Transaction
from kylink_cli.store.tables import Campaign, table
from tests.support.database import add_campaigns, new_database, url_of

campaigns = table(Campaign)

WRITERS, ROUNDS = 4, 25
COUNT_UP = f"""
import sys
from kylink_cli import wiring
from kylink_cli.settings.fields import Settings
from tests.integration.test_database import count_up
count_up(wiring.existing_database(Settings(database_url=sys.argv[1])), {ROUNDS})
"""


def settings(path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{path}")


def count_up(database: Database, rounds: int) -> None:
    """Read, then write what was read plus one: the pattern that loses updates where writers do not wait."""
    for _ in range(rounds):
        with database.writing() as session:
            value = session.scalars(select(campaigns.c.low_watermark).with_for_update()).one()
            session.execute(update(campaigns).values(low_watermark=value + 1))


def counted(database: Database) -> int | None:
    with database.reading() as session:
        value: int | None = session.scalars(select(campaigns.c.low_watermark)).one()
        return value


@pytest.fixture
def counter(database: Database) -> Database:
    add_campaigns(database, "c1")
    with database.writing() as session:
        session.execute(update(campaigns).values(low_watermark=0))
    return database


def test_writers_in_threads_wait_for_each_other(counter: Database) -> None:
    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(lambda _: count_up(counter, ROUNDS), range(WRITERS)))
    assert counted(counter) == WRITERS * ROUNDS


def test_writers_in_processes_wait_for_each_other(counter: Database) -> None:
    command = [sys.executable, "-c", COUNT_UP, url_of(counter)]
    writers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(WRITERS)]
    assert [(writer.communicate()[1], writer.returncode) for writer in writers] == [("", 0)] * WRITERS
    assert counted(counter) == WRITERS * ROUNDS


def test_a_reader_sees_one_state_and_holds_up_no_writer(counter: Database) -> None:
    with counter.reading() as session:
        before = session.scalars(select(campaigns.c.low_watermark)).one()
        count_up(counter, 1)
        assert session.scalars(select(campaigns.c.low_watermark)).one() == before
    assert counted(counter) == 1


def test_a_writer_that_waits_in_vain_is_told_to_try_later(counter: Database) -> None:
    impatient = wiring.existing_database(Settings(database_url=url_of(counter)))
    impatient.close()
    hurry = "PRAGMA busy_timeout = 1" if counter.path else "SET lock_timeout = 1"

    @event.listens_for(impatient.engine, "connect")
    def be_impatient(connection: Any, _: object) -> None:
        connection.execute(hurry)
        connection.commit()

    with counter.writing() as session:
        session.execute(update(campaigns).values(low_watermark=1))
        with pytest.raises(DatabaseBusyError, match="try again later") as caught:
            count_up(impatient, 1)
    assert caught.value.exit_code == 75
    impatient.close()


def test_an_error_undoes_the_whole_transaction(counter: Database) -> None:
    def fail_half_way() -> None:
        with counter.writing() as session:
            session.execute(update(campaigns).values(low_watermark=99))
            raise ValueError("half-way")

    with pytest.raises(ValueError, match="half-way"):
        fail_half_way()
    assert counted(counter) == 0


def test_every_connection_keeps_foreign_keys_and_survives_a_power_cut(embedded: Database) -> None:
    with embedded.reading() as session:
        pragmas = [session.scalar(text(f"PRAGMA {name}")) for name in ("foreign_keys", "journal_mode", "synchronous")]
    assert pragmas == [1, "wal", 2]


def test_the_database_s_files_are_private(embedded: Database, tmp_path: Path) -> None:
    with embedded.writing() as session:
        session.execute(update(campaigns).values(low_watermark=1))
        modes = {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(["kylink.db", "kylink.db-wal", "kylink.db-shm"], "0o600")


def test_an_error_tells_no_value(database: Database) -> None:
    add_campaigns(database, "hush")
    with pytest.raises(DatabaseError, match=r"UNIQUE constraint failed|violates unique constraint") as caught:
        add_campaigns(database, "hush")
    assert isinstance(caught.value.__cause__, DBAPIError)
    assert "hush" not in str(caught.value)
    assert "hush" not in str(caught.value.__cause__) or database.path is None  # PostgreSQL's own words, for --debug


def test_a_full_disk_is_called_that(embedded: Database) -> None:
    @event.listens_for(embedded.engine, "begin")
    def fill_disk(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")

    with pytest.raises(DatabaseError, match=r"^the disk is full: the last write failed"):
        add_campaigns(embedded, *[f"c{number}" for number in range(1000)])


def _missing(path: Path) -> None:
    path.unlink(missing_ok=True)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _emptied(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM")


def _garbage(path: Path) -> None:
    path.write_text("this is no database" * 1000)


def _folder(path: Path) -> None:
    path.mkdir()


def _foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (body TEXT)")


def _newer(path: Path) -> None:
    new_database(path.parent).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


def _damaged(path: Path) -> None:
    new_database(path.parent).close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


UNFIT = [
    (_missing, "there is no database at {path}: run 'kylink db init', or check DATABASE_URL"),
    (_empty, "the database {path} is an empty file: restore a backup, or remove it and run 'kylink db init'"),
    (_emptied, "the database holds no tables: an emptied database is never taken for 'nothing to do'; restore"),
    (_garbage, "the database is not a kylink database"),
    (_folder, "the database can't be opened: check the file, its directory and who owns them"),
    (_foreign, "the database holds tables that are not kylink's: check DATABASE_URL"),
    (_newer, "the database is at revision 9999, newer than this kylink knows"),
    (_damaged, "the database is damaged: restore a backup"),
]


@pytest.mark.parametrize(("make", "message"), UNFIT, ids=[make.__name__.strip("_") for make, _ in UNFIT])
@pytest.mark.parametrize("scheduled", [True, False], ids=["timer", "hand"])
def test_an_unfit_database_is_refused_in_one_line(tmp_path: Path, make: object, message: str, scheduled: bool) -> None:
    path = tmp_path / "kylink.db"
    assert callable(make)
    make(path)
    with pytest.raises(DatabaseUnfitError) as caught:
        wiring.existing_database(settings(path), scheduled=scheduled)
    assert str(caught.value).startswith(message.format(path=path))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 78


def test_opening_never_creates_a_file(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnfitError):
        wiring.existing_database(settings(tmp_path / "kylink.db"))
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_cannot_be_created_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnfitError, match="can't be created"):
        wiring.new_database(settings(tmp_path / "file" / "kylink.db"))


def test_a_path_with_odd_characters_is_one_path(tmp_path: Path) -> None:
    path = tmp_path / "a b?mode=memory#%41" / "kylink.db"
    wiring.new_database(settings(path)).close()
    assert path.stat().st_size > 0


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///here.db", Path("here.db")),
        ("sqlite:////var/lib/here.db", Path("/var/lib/here.db")),
        ("sqlite:///~/here.db", Path.home() / "here.db"),
    ],
)
def test_a_url_names_a_file(url: str, path: Path) -> None:
    assert sqlite_path(url) == path


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite://here.db", "", "here.db"])
def test_a_url_without_a_file_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL must be sqlite:///FILE"):
        sqlite_path(url)


def test_a_consumer_begins_as_soon_as_another_writer_has_ended_and_leaves_the_patience_as_it_was(
    embedded: Database,
) -> None:
    assert embedded.path is not None
    with closing(sqlite3.connect(embedded.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor() as thread:
            waiting = thread.submit(embedded.commit_direct, _read_patience)
            assert not wait([waiting], timeout=0.05).done
            other.execute("COMMIT")
            assert waiting.result() == 30_000
    assert embedded.commit_direct(_read_patience) == 30_000


def _read_patience(transaction: Transaction) -> int:
    transaction.cursor.execute("PRAGMA busy_timeout")
    [(milliseconds,)] = transaction.cursor.fetchall()
    return int(milliseconds)
