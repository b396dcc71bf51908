"""The database: its transactions, and opening one that is embedded; `postgresql.py` opens one on a server."""

import errno
import json
import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Table,
    any_,
    create_engine,
    event,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from kylink_cli.errors import DatabaseError, DatabaseMissingError, DatabaseReplacedError, DatabaseUnfitError
from kylink_cli.files import create_private_file, is_on_read_only_disk, refuse_foreign_link
from kylink_cli.language import tr
from kylink_cli.reasons import refusal
from kylink_cli.store.engine.clock import Clock, local_clock, uptime
from kylink_cli.store.engine.direct import Landed, Transaction, direct, pooled
from kylink_cli.store.engine.driver_errors import BUSY_TIMEOUT_SECONDS, busy, translate

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

    from kylink_cli.store.engine.lineage import Life, Lineage

_WRITING = {"kylink_writing": True}
# In SQLite's own cache of 2 MiB, a large transaction writes the same pages many times, and a scan reads them so.
_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "cache_size = -65536")

_READ_AND_WRITE = "mode=rw"
# SQLite looks after one of them, after two more, and after the rest.
_LOOKS_EVERY_MS = 5
# How long a process goes by the clock as it was set, seconds.
CLOCK_SECONDS = 300

T = TypeVar("T")


class Database:
    """An open database; this one is embedded, one on a server is `postgresql.ServerDatabase`."""

    def __init__(self, engine: Engine, path: Path | None) -> None:
        self.engine = engine
        self.path = path
        self._reading = engine
        self._writing = engine.execution_options(**_WRITING)
        self._clock: Clock | None = None
        self._clock_set_at = uptime()
        # What its file is known by, wherever it is.
        self._file = None if path is None else file_identity(path)
        self._is_adrift = False
        # Set where a database is opened to be worked with.
        self.lineage: Lineage | None = None
        # At the process's end at the latest: the last to close an embedded database folds its write-ahead log in.
        weakref.finalize(self, engine.dispose)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that sees one state of the database and changes nothing; `read` takes one with patience."""
        with (
            translated_errors(),
            self._connected(self._reading) as connection,
            Session(connection, expire_on_commit=False) as session,
        ):
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that may write; commits at the end. An embedded database lets one in at a time.

        Raises:
            DatabaseBusyError: others wrote for longer than the busy timeout.
            DatabaseError: the database failed; nothing was changed.
        """
        self.require_place()
        with (
            self._explained_errors(),
            self._connected(self._writing) as connection,
            Session(connection, expire_on_commit=False) as session,
        ):
            with session.begin():
                yield session
                life = self._grow(session)
            self._note(life)

    def read(self, act: Callable[[Session], T]) -> T:
        """Do an act in a reading transaction of its own; on a server again, if the connection broke meanwhile.

        Args:
            act: what is to be read. Whatever it does beside must bear repetition.
        """
        with self.reading() as session:
            return act(session)

    def commit(self, act: Callable[[Session], T]) -> T:
        """Do an act in a writing transaction of its own; on a server again, if what undid it will pass.

        Args:
            act: what is to be written. Whatever it does beside must bear repetition.

        Returns:
            What the act returned, once it is committed.

        Raises:
            DatabaseError: the database failed; nothing was changed unless the message says otherwise.
        """
        with self.writing() as session:
            return act(session)

    def commit_direct(self, act: Callable[[Transaction], T], landed: Landed[T] | None = None) -> T:  # noqa: ARG002
        """As `commit`, for the acts for which consumers wait: of statements that go straight to the driver.

        Args:
            act: what is to be written.
            landed: whether it was committed after all, where a server's answer did not come; None for an act that is
                done again without harm.

        Raises:
            DatabaseError: the database failed; nothing was changed unless the message says otherwise.
        """
        self.require_place()
        with self._explained_errors(), pooled(self.engine) as connection:
            cursor = connection.cursor()
            _begin_to_write(cursor)
            transaction = Transaction(cursor, self.engine.dialect)
            done = act(transaction)
            life = self._grow_direct(transaction)
            cursor.execute("COMMIT")
        self._note(life)
        return done

    def tell_outages(self, tell: Callable[[str], None]) -> None:
        """Have somebody told in a line, from whatever thread, when the database is lost and when it is back.

        An embedded database is never lost.
        """

    def now(self) -> datetime:
        """The time, by the clock that all who share the database share; it is set once, and jumps no more."""
        if self._clock is None:
            self._clock = self._read_clock()
        return self._clock()

    def fresh_now(self) -> datetime:
        """The time, by a clock that is set anew now and then, for processes that live for months."""
        if uptime() - self._clock_set_at >= CLOCK_SECONDS:
            self._clock = self._read_clock()
            self._clock_set_at = uptime()
        return self.now()

    @contextmanager
    def _explained_errors(self) -> Iterator[None]:
        """Turn the driver's errors into kylink's, and name a disk that takes nothing as that."""
        try:
            with translated_errors():
                yield
        except DatabaseError as error:
            if self.path is None or not is_on_read_only_disk(self.path):
                raise
            raise DatabaseUnfitError(
                tr(
                    "the file system of {path} is read-only: nothing can be written there; see in 'dmesg' "
                    "whether the disk fails, and remount it",
                    path=self.path,
                )
            ) from error

    def require_place(self) -> None:
        """Refuse to go on with an embedded database that is not at its path any more.

        Raises:
            DatabaseReplacedError: it was deleted or replaced, and nobody said to go on with it.
        """
        if self.path is not None and not self._is_adrift and file_identity(self.path) != self._file:
            raise _replaced(self.path)

    def go_adrift(self) -> None:
        """Go on with a file that is at its path no more, to save what is in it: its connections still lead there."""
        self._is_adrift = True

    @property
    def is_adrift(self) -> bool:
        """Whether what is written is lost with the last connection."""
        return self._is_adrift

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def _read_clock(self) -> Clock:
        return local_clock()

    def _grow(self, session: Session) -> "Life | None":
        """Let the generation grow, right before a commit; None if it is not time."""
        with direct(session.connection()) as transaction:
            return self._grow_direct(transaction)

    def _grow_direct(self, transaction: Transaction) -> "Life | None":
        return None if self.lineage is None else self.lineage.grow(transaction.cursor)

    def _note(self, life: "Life | None") -> None:
        """Take note of a life, right after the commit."""
        if self.lineage is not None and life is not None:
            self.lineage.note(life)

    @contextmanager
    def _connected(self, engine: Engine) -> Iterator[Connection]:
        with self._connect(engine) as connection:
            yield connection

    def _connect(self, engine: Engine) -> Connection:
        """A connection; a file that is at its path no more can't be opened anew: one that leads there is waited for."""
        end = time.monotonic() + BUSY_TIMEOUT_SECONDS
        while True:
            comes_back = self._is_adrift and _is_in_use(engine) and time.monotonic() < end
            try:
                return engine.connect()
            except DatabaseReplacedError:
                if not comes_back:
                    raise
            time.sleep(_LOOKS_EVERY_MS / 1000)


def open_database(path: Path) -> Database:
    """Open an existing SQLite file; a missing or empty one is never taken for "nothing to do".

    Raises:
        DatabaseMissingError: there is no such file, or it is empty.
        DatabaseUnfitError: it can't be read or written.
    """
    try:
        refuse_foreign_link(path)
        empty = path.stat().st_size == 0
        if not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise DatabaseMissingError(
                tr("there is no database at {path}: run 'kylink db init', or check DATABASE_URL", path=path)
            ) from error
        raise DatabaseUnfitError(
            tr("the database {path} can't be read: {reason}", path=path, reason=refusal(error, path))
        ) from error
    if empty:
        raise DatabaseMissingError(
            tr(
                "the database {path} is an empty file: restore a backup, or remove it and run 'kylink db init'",
                path=path,
            )
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
        raise DatabaseUnfitError(
            tr("the database {path} can't be created: {reason}", path=path, reason=refusal(error, path))
        ) from error
    return Database(_sqlite_engine(path), path)


def file_identity(path: Path) -> tuple[int, int] | None:
    """What a file is known by, whatever its name; None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _access(path: Path) -> str:
    """How SQLite is to open a file: on a disk that takes nothing, it can't share its index of the write-ahead log."""
    if not is_on_read_only_disk(path):
        return _READ_AND_WRITE
    log = path.with_name(f"{path.name}-wal")
    return "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"


def _replaced(path: Path) -> DatabaseReplacedError:
    return DatabaseReplacedError(
        tr("the database {path} was deleted or replaced while kylink worked with it", path=path)
    )


def _begin_to_write(cursor: DBAPICursor) -> None:
    """Begin as soon as nobody else writes.

    SQLite's own patience looks ever more rarely, at last every tenth of a second: it misses the gaps that jobs leave.
    """
    end = time.monotonic() + BUSY_TIMEOUT_SECONDS
    try:
        cursor.execute(f"PRAGMA busy_timeout = {_LOOKS_EVERY_MS}")
        while True:
            try:
                cursor.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                    raise
            else:
                break
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")


def _sqlite_engine(path: Path) -> Engine:
    """An engine whose connections wait for writers, keep foreign keys, and never create a file."""
    file = file_identity(path)

    def connect() -> sqlite3.Connection:
        if file_identity(path) != file:
            raise _replaced(path)
        return sqlite3.connect(
            f"file:{quote(str(path.absolute()))}?{_access(path)}",
            uri=True,
            timeout=BUSY_TIMEOUT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )

    engine = create_engine("sqlite://", creator=connect, hide_parameters=True, poolclass=QueuePool)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in _PRAGMAS if _access(path) == _READ_AND_WRITE else ():
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred BEGIN that writes later fails at once when another wrote meanwhile, whatever the busy timeout.
        writing = connection.get_execution_options().get("kylink_writing", False)
        connection.connection.cursor().execute("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _is_in_use(engine: Engine) -> bool:
    """Whether any of an embedded database's connections is at work."""
    return isinstance(engine.pool, QueuePool) and engine.pool.checkedout() > 0


def upsert(session: Session, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """An INSERT into `table` in the session's dialect, with `on_conflict_do_nothing` and `on_conflict_do_update`."""
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    return sqlite.insert(table)


def is_among(session: Session, column: ColumnElement[int], ids: Sequence[int]) -> ColumnElement[bool]:
    """The condition that a column holds one of these ids: one parameter for however many, where IN takes one each."""
    if session.get_bind().dialect.name == "postgresql":
        return column == any_(literal(ids, ARRAY(BigInteger)))
    return column.in_(select(func.json_each(json.dumps(ids)).table_valued("value").c.value))


def lock_table(session: Session, table: Table) -> None:
    """Let nobody else write to a table until the transaction ends; a writer on SQLite is alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))


def lock_name(session: Session, name: str) -> None:
    """Let nobody else lock a name until the transaction ends; a writer on SQLite is alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn the driver's errors into kylink's, in one line and without parameters.

    Raises:
        DatabaseBusyError: the database stayed locked.
        DatabaseLostError: the connection to it broke.
        DatabaseUnfitError: it is no database, is damaged, or may not be used.
        DatabaseError: anything else that the database refused.
    """
    try:
        yield
    except DBAPIError as error:
        translated = translate(error.orig)
        # A server's driver may name pieces of the address that it can't reach, which --debug is not to show either.
        is_safe = isinstance(error.orig, sqlite3.Error) or getattr(error.orig, "sqlstate", None) is not None
        raise translated from (error if is_safe else None)
    except sqlite3.Error as error:
        raise translate(error) from error
    except PoolTimeoutError as error:
        raise busy() from error
