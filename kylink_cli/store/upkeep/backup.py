"""A copy of an embedded database, made while others write to it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy.orm import Session

from kylink_cli.errors import DatabaseError, UsageError
from kylink_cli.language import marked, tr
from kylink_cli.reasons import reason
from kylink_cli.store.engine.database import Database, translated_errors
from kylink_cli.store.engine.lineage import LifeState
from kylink_cli.store.upkeep.backup_target import refuse_target, staged

_ALL_PAGES = -1
_USE_PG_DUMP = marked(
    "a database on a server is backed up by PostgreSQL's own tools: "
    'pg_dump --format=custom --file=FILE "$DATABASE_URL", and pg_restore brings it back'
)


def back_up(database: Database, target: Path) -> int:
    """Copy an embedded database into one private file that needs no other beside it.

    The copy appears under its name only when it is whole and was checked; what stood there is replaced at once. In a
    folder where somebody else can exchange files, no file is opened by its name a second time.

    Returns:
        The size of the copy, bytes.

    Raises:
        UsageError: the target is in use by the database itself or is no file, or the database is on a server.
        DatabaseError: the database can't be read or is damaged, or the copy can't be written.
    """
    if database.path is None:
        raise UsageError(tr(_USE_PG_DUMP))
    with _explained(target):
        refuse_target(target, database.path)
        with staged(target) as staging:
            with translated_errors(), database.reading() as session:
                copy_whole(_driver(session), staging.copy)
            _mark(staging.copy)
            return staging.place()


def copy_whole(source: sqlite3.Connection, target: Path) -> None:
    """Copy a database into one file that needs no other beside it.

    Raises:
        DatabaseError: it is damaged.
    """
    with translated_errors(), closing(sqlite3.connect(target)) as copy:
        # All pages in one step are one moment of the database; in smaller steps every foreign write starts it anew.
        source.backup(copy, pages=_ALL_PAGES)
        # In WAL mode, reading the copy would leave two more files beside it.
        copy.execute("PRAGMA journal_mode = DELETE")
        (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise DatabaseError(tr("the database is damaged and was not copied: run 'kylink db check'"))


def _mark(copy: Path) -> None:
    """Let a copy say of itself that it is a backup, so that it is noticed where it is simply put in place."""
    with translated_errors(), closing(sqlite3.connect(copy)) as backup, backup:
        if backup.execute("SELECT 1 FROM sqlite_schema WHERE name = 'lineage'").fetchone():
            backup.execute("UPDATE lineage SET state = ?", [LifeState.BACKUP])


def _driver(session: Session) -> sqlite3.Connection:
    connection = session.connection().connection.driver_connection
    if not isinstance(connection, sqlite3.Connection):
        raise TypeError("only SQLite copies itself")
    return connection


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DatabaseError(
            tr("the backup {target} can't be written: {reason}", target=target, reason=reason(error))
        ) from error
