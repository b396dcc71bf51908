"""The database: opening it, transactions, and every difference between the dialects."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from kylink_cli.errors import ConfigError, DatabaseBusyError, DatabaseError, DatabaseMissingError, DatabaseUnfitError
from kylink_cli.files import create_private_file, refuse_foreign_link
from kylink_cli.rules.text import ERROR_LENGTH, one_line

BUSY_TIMEOUT_SECONDS = 30
SQLITE_PREFIX = "sqlite:///"
_WRITING = {"kylink_writing": True}


class Database:
    """An open database.

    Attributes:
        engine: the SQLAlchemy engine behind it.
        path: the file of an embedded database, None otherwise.
    """

    def __init__(self, engine: Engine, path: Path | None) -> None:
        self.engine = engine
        self.path = path
        self._writing = engine.execution_options(**_WRITING)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that sees one state of the database and changes nothing.

        Raises:
            DatabaseError: the database failed.
        """
        with translated_errors(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that holds the right to write from its first statement; commits at the end.

        Raises:
            DatabaseBusyError: others wrote for longer than the busy timeout.
            DatabaseError: the database failed; nothing was changed.
        """
        with translated_errors(), Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def sqlite_path(url: str) -> Path:
    """The file behind a `sqlite:///…` URL.

    Raises:
        ConfigError: the URL is of another kind, or names no file.
    """
    if not url.startswith(SQLITE_PREFIX) or url == SQLITE_PREFIX:
        raise ConfigError(f"DATABASE_URL must be sqlite:///FILE (sqlite:////absolute/path), not {one_line(url)}")
    return Path(url.removeprefix(SQLITE_PREFIX)).expanduser()


def open_database(path: Path) -> Database:
    """Open an existing SQLite file; a missing or empty one is never taken for "nothing to do".

    Raises:
        DatabaseMissingError: there is no such file, or it is empty.
        DatabaseUnfitError: it can't be read or written.
    """
    try:
        refuse_foreign_link(path)
        empty = path.stat().st_size == 0
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise DatabaseMissingError(
                f"there is no database at {path}: run 'kylink db init', or check DATABASE_URL"
            ) from error
        raise DatabaseUnfitError(f"the database {path} can't be read: {error.strerror}") from error
    if empty:
        raise DatabaseMissingError(
            f"the database {path} is an empty file: restore a backup, or remove it and run 'kylink db init'"
        )
    return Database(_sqlite_engine(path), path)


def create_database(path: Path) -> Database:
    """Open a SQLite file, and create it (mode 0600) with its directory (0700) if there is none.

    Raises:
        DatabaseUnfitError: it can't be created, read or written.
    """
    try:
        create_private_file(path)
    except OSError as error:
        reason = error.strerror or "unknown error"
        raise DatabaseUnfitError(f"the database {path} can't be created: {reason.lower()}") from error
    return Database(_sqlite_engine(path), path)


def _sqlite_engine(path: Path) -> Engine:
    """An engine whose connections wait for writers, keep foreign keys, and never create a file."""

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            f"file:{quote(str(path.absolute()))}?mode=rw",
            uri=True,
            timeout=BUSY_TIMEOUT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )

    engine = create_engine("sqlite://", creator=connect, hide_parameters=True, poolclass=QueuePool)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred BEGIN that writes later fails at once when another wrote meanwhile, whatever the busy timeout.
        writing = connection.get_execution_options().get("kylink_writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def upsert(session: Session, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT into `table` in the session's dialect, with `on_conflict_do_nothing` and `on_conflict_do_update`."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn the driver's errors into kylink's, in one line and without parameters.

    Raises:
        DatabaseBusyError: the database stayed locked.
        DatabaseUnfitError: the file is no database, is damaged, or may not be written.
        DatabaseError: anything else that the database refused.
    """
    try:
        yield
    except DBAPIError as error:
        raise _translate(error.orig) from error
    except sqlite3.Error as error:
        raise _translate(error) from error


_UNFIT_CODES = {
    "SQLITE_NOTADB": "is not a kylink database",
    "SQLITE_CORRUPT": "is damaged: restore a backup",
    "SQLITE_CANTOPEN": "can't be opened: check the file, its directory and who owns them",
    "SQLITE_READONLY": "can't be written: check who owns the file and its directory",
    "SQLITE_PERM": "can't be accessed: check who owns the file",
}


def _translate(cause: BaseException | None) -> DatabaseError:
    code = str(getattr(cause, "sqlite_errorname", ""))
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return DatabaseBusyError(f"the database stayed busy for {BUSY_TIMEOUT_SECONDS} s: try again later")
    for prefix, meaning in _UNFIT_CODES.items():
        if code.startswith(prefix):
            return DatabaseUnfitError(f"the database {meaning}")
    if code == "SQLITE_FULL":
        return DatabaseError("the disk is full: nothing was changed; make room and try again")
    if code.startswith("SQLITE_IOERR"):
        return DatabaseError(
            f"the disk fails under the database ({code}): see 'df' and 'dmesg' whether it is full or broken"
        )
    return DatabaseError(f"the database failed: {one_line(str(cause), ERROR_LENGTH)}")
