"""A copy of an embedded database, made while others write to it."""

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy.orm import Session

from kylink_cli.errors import DatabaseError, UsageError
from kylink_cli.files import create_private_folder
from kylink_cli.language import marked, tr
from kylink_cli.store.engine.database import Database, translated_errors

_ALL_PAGES = -1
_USE_PG_DUMP = marked(
    "a database on a server is backed up by PostgreSQL's own tools: "
    'pg_dump --format=custom --file=FILE "$DATABASE_URL", and pg_restore brings it back'
)


def back_up(database: Database, target: Path) -> int:
    """Copy an embedded database into one private file that needs no other beside it.

    The copy appears under its name only when it is whole and was checked; what stood there is replaced at once.

    Returns:
        The size of the copy, bytes.

    Raises:
        UsageError: the target is the database itself, or the database is on a server.
        DatabaseError: the database can't be read or is damaged, or the copy can't be written.
    """
    if database.path is None:
        raise UsageError(tr(_USE_PG_DUMP))
    with _explained(target):
        if target.exists() and target.samefile(database.path):
            raise UsageError(tr("{target} is the database itself: name another file", target=target))
        with _unfinished(target) as copy:
            _copy(database, copy)
            _give_name(copy, target)
        return target.stat().st_size


@contextmanager
def _unfinished(target: Path) -> Iterator[Path]:
    """A private file beside the target, which is gone afterwards unless it was moved."""
    create_private_folder(target.parent)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()


def _copy(database: Database, target: Path) -> None:
    with (
        translated_errors(),
        database.reading() as session,
        closing(sqlite3.connect(target)) as copy,
    ):
        # All pages in one step are one moment of the database; in smaller steps every foreign write starts it anew.
        _driver(session).backup(copy, pages=_ALL_PAGES)
        # The copy is one file: in WAL mode, reading it would leave two more beside it.
        copy.execute("PRAGMA journal_mode = DELETE")
        (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise DatabaseError(tr("the database is damaged and no backup was written: run 'kylink db check'"))


def _driver(session: Session) -> sqlite3.Connection:
    connection = session.connection().connection.driver_connection
    if not isinstance(connection, sqlite3.Connection):
        raise TypeError("only SQLite copies itself")
    return connection


def _give_name(copy: Path, target: Path) -> None:
    """Put the copy in its place, in a way that outlives a power cut."""
    _sync(copy)
    copy.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DatabaseError(
            tr("the backup {target} can't be written: {reason}", target=target, reason=reason)
        ) from error
