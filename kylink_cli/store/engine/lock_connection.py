"""A connection whose only purpose is to hold PostgreSQL's advisory locks, and which tells others whose it is.

A lock belongs to the server's end of a connection. A pooler in transaction mode lends that to others between
transactions, so that a lock taken through it is held by everybody and nobody: it is refused.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from kylink_cli.errors import ConfigError
from kylink_cli.language import tr
from kylink_cli.store.engine.address import parse
from kylink_cli.store.engine.database import translated_errors
from kylink_cli.store.engine.postgresql import BEHIND_POOLER, new_engine

if TYPE_CHECKING:
    import psycopg

_LOCK_ID = "hashtextextended('kylink lock ' || :name, 0)"
_TAKE = text(f"SELECT pg_try_advisory_lock({_LOCK_ID})")
# An advisory lock shows its 64 bits in two halves.
_HOLDER = text(
    "SELECT a.application_name, a.backend_start FROM pg_locks l JOIN pg_stat_activity a USING (pid) "  # noqa: S608  (no value in it)
    "WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    f"AND (l.classid::bigint << 32) | l.objid::bigint = {_LOCK_ID}"
)
_BACKEND = text("SELECT pg_backend_pid()")
# A pooler lends out what was given back last, or in turn: one of the first two others would get this one's backend.
_OTHERS = 2
_PATIENCE_SECONDS = 5


class LockConnection:
    """A connection that holds locks until it is closed or breaks."""

    def __init__(self, url: str, label: str) -> None:
        """Connect.

        Args:
            url: the database, `postgresql://…`.
            label: whose connection it is; at most 63 bytes of it are shown.

        Raises:
            ConfigError: the URL is none.
            DatabaseError: the database can't be reached.
        """
        self._address = parse(url, application_name=label)
        self._engine = new_engine(self._address)
        with translated_errors():
            self._connection: Connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def take(self, name: str) -> bool:
        """Take a lock; whether nobody else had it.

        Raises:
            ConfigError: a pooler in transaction mode is in between.
        """
        with translated_errors():
            if self._is_shared():
                raise ConfigError(
                    tr(
                        "KYLINK_LOCK_URL is database:, but DATABASE_URL goes through a pooler in transaction mode, "
                        "which keeps no locks: set KYLINK_LOCK_URL to file:/FOLDER or redis://HOST, or run the "
                        "pooler in session mode"
                    )
                )
            return bool(self._connection.scalar(_TAKE, {"name": name}))

    def holder(self, name: str) -> tuple[str, datetime] | None:
        """The label of who holds a lock, and since when he is connected; None if it is free."""
        with translated_errors():
            found = self._connection.execute(_HOLDER, {"name": name}).first()
        return None if found is None else (str(found.application_name), found.backend_start)

    def ping(self) -> None:
        """Make sure that the connection, and with it what it holds, is still there.

        Raises:
            DatabaseError: it is not.
        """
        with translated_errors():
            self._connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Let everything go."""
        self._connection.invalidate()
        self._connection.close()
        self._engine.dispose()

    def _is_shared(self) -> bool:
        """Whether others get this connection's backend between its transactions."""
        if not self._connection.info[BEHIND_POOLER]:
            return False
        if self._address.pooler == "transaction":
            return True
        mine = self._connection.scalar(_BACKEND)
        with ExitStack() as others:
            for _ in range(_OTHERS):
                # In its transaction it keeps what it got, so that the next gets another.
                its = _backend_within(others.enter_context(self._address.connect()))
                if its == mine or self._connection.scalar(_BACKEND) != mine:
                    return True
        return False


def _backend_within(connection: "psycopg.Connection[Any]") -> int | None:
    """The backend of a transaction; None if none is to be had, since a pooler in session mode has lent them all."""
    import psycopg

    with _cut_off_after(connection, _PATIENCE_SECONDS), suppress(psycopg.OperationalError):
        row = connection.execute(_BACKEND.text.encode()).fetchone()
        return None if row is None else int(row[0])
    return None


@contextmanager
def _cut_off_after(connection: "psycopg.Connection[Any]", seconds: float) -> Iterator[None]:
    """End a connection whose answer does not come: a pooler lets one wait for minutes."""
    with socket.socket(fileno=os.dup(connection.fileno())) as line:
        timer = threading.Timer(seconds, line.shutdown, [socket.SHUT_RDWR])
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
