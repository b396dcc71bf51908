"""A database on a PostgreSQL server, shared by several hosts.

A connection can break at any moment. What is known not to be committed is done again, for a bounded time; whether a
COMMIT whose answer did not come has happened is told by a row of its own (`commit_marks.py`). The server's clock is
everybody's clock.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from kylink_cli.errors import (
    DatabaseBusyError,
    DatabaseError,
    DatabaseLostError,
    DatabaseUnfitError,
)
from kylink_cli.language import tr
from kylink_cli.store.engine import commit_marks, sessions
from kylink_cli.store.engine.address import Address, parse
from kylink_cli.store.engine.clock import Clock, steady_clock, uptime
from kylink_cli.store.engine.commit_marks import Committing
from kylink_cli.store.engine.database import Database, translated_errors
from kylink_cli.store.engine.direct import Landed, Transaction, direct, pooled, translated

# Longer than a restart, shorter than what systemd grants a stopping unit.
PATIENCE_SECONDS = 60
OLDEST_VERSION = 14
# What an engine notes of each connection: whether a pooler is in between.
BEHIND_POOLER = "kylink_behind_pooler"
_LONGEST_PAUSE_SECONDS = 2.0
# A connection that was idle for longer is tried before it is used.
_IDLE_SECONDS = 1.0
_USED_AT = "kylink_used_at"
# The first takes a number for the transaction, the second tells it.
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_current_xact_id()::text, pg_backend_pid();"

T = TypeVar("T")


class ServerDatabase(Database):
    """A database on a PostgreSQL server.

    Attributes:
        address: where it is.
    """

    def __init__(self, address: Address, patience_seconds: float = PATIENCE_SECONDS) -> None:
        engine = new_engine(address)
        super().__init__(engine, None)
        self.address = address
        self._reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        # The server may have set otherwise.
        self._writing = engine.execution_options(isolation_level="READ COMMITTED", postgresql_readonly=False)
        self._patience_seconds = patience_seconds
        self._was_reached = False
        self._outage = _Outage()

    def tell_outages(self, tell: Callable[[str], None]) -> None:
        """Have somebody told in a line when the database is lost and when it is back, from whatever thread."""
        self._outage.tell = tell

    def read(self, act: Callable[[Session], T]) -> T:
        """Do an act in a reading transaction of its own; again, as long as the connection breaks.

        Raises:
            DatabaseLostError: the database stayed away for longer than a run waits.
        """
        return self._patiently(lambda: super(ServerDatabase, self).read(act))

    def commit(self, act: Callable[[Session], T]) -> T:
        """Do an act in a writing transaction of its own; again, as long as it is known not to be committed.

        Raises:
            DatabaseLostError: the database stayed away for longer than a run waits.
            DatabaseBusyError: other transactions stood in the way for as long.
        """
        return self._patiently(lambda: self._commit_once(act))

    def commit_direct(self, act: Callable[[Transaction], T], landed: Landed[T] | None = None) -> T:
        """As `commit`, for the acts for which consumers wait: of statements that go straight to the driver.

        Raises:
            DatabaseError: as `commit`.
        """
        return self._patiently(lambda: self._commit_direct_once(act, landed))

    def _patiently(self, act: Callable[[], T]) -> T:
        pauses = _Pauses(self._patience_seconds)
        while True:
            try:
                return act()
            except DatabaseLostError as error:
                if not self._was_reached:
                    raise
                self._outage.begin(error)
                pauses.wait(error)
            except DatabaseBusyError as error:
                pauses.wait(error)

    def _read_clock(self) -> Clock:
        return self.read(_read_clock)

    @contextmanager
    def _connected(self, engine: Engine) -> Iterator[Connection]:
        with self._connect(engine) as connection:
            yield connection

    def _connect(self, engine: Engine) -> Connection:
        """A connection that works; a database that was there before is waited for."""
        # One that was never reached is more likely a wrong URL than a restart.
        pauses = _Pauses(self._patience_seconds if self._was_reached else 0)
        while True:
            try:
                with translated_errors():
                    connection = _answering(engine)
            except DatabaseLostError as error:
                self._outage.begin(error)
                pauses.wait(error)
            else:
                self._was_reached = True
                self._outage.end()
                return connection

    def _commit_once(self, act: Callable[[Session], T]) -> T:
        with self._connected(self._writing) as connection, Session(connection, expire_on_commit=False) as session:
            with translated_errors():
                done = act(session)
                session.flush()
                life = self._grow(session)
                committing = commit_marks.leave(session)
            with self._known(committing, lambda again: commit_marks.is_left(again, committing)), translated_errors():
                session.commit()
        self._note(life)
        return done

    def _commit_direct_once(self, act: Callable[[Transaction], T], landed: Landed[T] | None) -> T:
        with pooled(self.engine) as connection, _in_own_hands(connection) as cursor:
            # In one journey to the server.
            settings = sessions.local_settings(self.address) if connection.info[BEHIND_POOLER] else ""
            cursor.execute(_BEGIN + settings)
            cursor.nextset()
            [number_and_backend] = cursor.fetchall()
            transaction = Transaction(cursor, self.engine.dialect)
            done = act(transaction)
            life = self._grow_direct(transaction)

            def look(session: Session) -> bool:
                with direct(session.connection()) as transaction:
                    return landed is not None and landed(transaction, done)

            with self._known(Committing(*number_and_backend), look), translated(self.engine.dialect, connection):
                cursor.execute("COMMIT")
        self._note(life)
        return done

    @contextmanager
    def _known(self, committing: Committing | None, has_landed: Callable[[Session], bool]) -> Iterator[None]:
        """See whether a transaction whose COMMIT was not answered was committed.

        Args:
            committing: the transaction; None if it has written nothing.
            has_landed: looks for what it has written.

        Raises:
            DatabaseLostError: it was not committed.
            DatabaseError: nobody could be asked.
        """
        try:
            yield
        except DatabaseLostError:
            if committing is None or not self._is_committed(committing, has_landed):
                raise

    def _is_committed(self, committing: Committing, has_landed: Callable[[Session], bool]) -> bool:
        pauses = _Pauses(self._patience_seconds)
        try:
            # The server may not have noticed that the connection broke. Only what is over for certain can be judged.
            while self.read(lambda session: commit_marks.end(session, committing)):
                pauses.wait(DatabaseLostError(tr("the server does not notice that a connection broke")))
            return self.read(has_landed)
        except DatabaseLostError as error:
            # Whoever did it again now might do it twice.
            raise DatabaseError(tr("whether the last write was stored is not known: {error}", error=error)) from error


def _read_clock(session: Session) -> Clock:
    before = uptime()
    moment: datetime = session.scalars(select(func.clock_timestamp())).one()
    return steady_clock(moment.astimezone(UTC), (before + uptime()) / 2)


@contextmanager
def _in_own_hands(connection: PoolProxiedConnection) -> Iterator[DBAPICursor]:
    """A cursor on which transactions are begun and ended by statements, instead of by the driver."""
    driven: Any = connection.driver_connection
    driven.autocommit = True
    try:
        yield connection.cursor()
    finally:
        if not driven.closed:
            driven.rollback()
            driven.autocommit = False


def _answering(engine: Engine) -> Connection:
    """A connection on which the server answers just now."""
    connection = engine.connect()
    while not _is_alive(engine, connection.connection):
        connection.invalidate()
        connection.close()
        connection = engine.connect()
    return connection


def _is_alive(engine: Engine, connection: Any) -> bool:
    """Whether the server still answers on a connection."""
    try:
        return engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error:
        return False


class _Outage:
    """Tells somebody when the database is lost, and when it is back; each once."""

    def __init__(self) -> None:
        self.tell: Callable[[str], None] | None = None
        self._lock = threading.Lock()
        self._is_on = False

    def begin(self, error: DatabaseError) -> None:
        """The database is lost."""
        self._turn(on=True, line=tr("{error}: trying again", error=error))

    def end(self) -> None:
        """The database is there."""
        self._turn(on=False, line=tr("the database is back: continuing"))

    def _turn(self, *, on: bool, line: str) -> None:
        with self._lock:
            has_changed, self._is_on = on != self._is_on, on
        if has_changed and self.tell is not None:
            self.tell(line)


class _Pauses:
    """Pauses between tries, for a bounded time."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._pause = 0.05

    def wait(self, error: DatabaseError) -> None:
        """Pause before the next try.

        Raises:
            DatabaseError: the error, if the time is over.
        """
        if time.monotonic() + self._pause > self._end:
            raise error
        time.sleep(self._pause * random.uniform(0.5, 1))  # noqa: S311  (parts those who collided; nothing secret)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)


def open_server(url: str, patience_seconds: float = PATIENCE_SECONDS) -> ServerDatabase:
    """Open a database on a PostgreSQL server; nothing is created there.

    Args:
        url: `postgresql://…` or `postgres://…`, with parameters as libpq knows them.
        patience_seconds: how long a run waits for a server that it has lost, seconds.

    Raises:
        ConfigError: the driver is not installed, or the URL is none.
        DatabaseUnfitError: the server is too old.
        DatabaseError: it can't be reached.
    """
    database = ServerDatabase(parse(url), patience_seconds)
    with database.reading() as session:
        version: tuple[int, ...] = getattr(session.get_bind().dialect, "server_version_info", None) or (0,)
    if version[0] < OLDEST_VERSION:
        database.close()
        raise DatabaseUnfitError(
            tr(
                "the server is PostgreSQL {version}: kylink needs {oldest} or newer",
                version=version[0],
                oldest=OLDEST_VERSION,
            )
        )
    return database


def new_engine(address: Address) -> Engine:
    """An engine for a server; nothing is connected yet."""
    engine = create_engine(
        "postgresql+psycopg://",
        creator=address.connect,
        hide_parameters=True,
        use_native_hstore=False,
    )
    # Through SQLAlchemy, where a percent sign stands for a parameter.
    in_transactions = sessions.local_settings(address).replace("%", "%%")

    # Before SQLAlchemy looks around on its first connection.
    @event.listens_for(engine, "connect", insert=True)
    def prepare(connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[BEHIND_POOLER] = sessions.prepare(connection, address)

    @event.listens_for(engine, "checkin")
    def note(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[_USED_AT] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def look(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        if time.monotonic() - record.info.get(_USED_AT, 0.0) > _IDLE_SECONDS and not _is_alive(engine, connection):
            raise InvalidatePoolError

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.info[BEHIND_POOLER]:
            connection.exec_driver_sql(in_transactions)

    return engine
