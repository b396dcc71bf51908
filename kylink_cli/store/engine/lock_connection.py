"""A connection whose only purpose is to hold PostgreSQL's advisory locks, and which tells others whose it is."""

from datetime import datetime

from sqlalchemy import Connection, text

from kylink_cli.store.engine.database import translated_errors
from kylink_cli.store.engine.postgresql import new_engine

_LOCK_ID = "hashtextextended('kylink lock ' || :name, 0)"
_TAKE = text(f"SELECT pg_try_advisory_lock({_LOCK_ID})")
# An advisory lock shows its 64 bits in two halves.
_HOLDER = text(
    "SELECT a.application_name, a.backend_start FROM pg_locks l JOIN pg_stat_activity a USING (pid) "  # noqa: S608  (no value in it)
    "WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    f"AND (l.classid::bigint << 32) | l.objid::bigint = {_LOCK_ID}"
)


class LockConnection:
    """A connection that holds locks until it is closed or breaks."""

    def __init__(self, url: str, label: str) -> None:
        """Connect.

        Args:
            url: the database, `postgresql://…`.
            label: whose connection it is; at most 63 bytes of it are shown.

        Raises:
            DatabaseError: the database can't be reached.
        """
        self._engine = new_engine(url, application_name=label)
        with translated_errors():
            self._connection: Connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def take(self, name: str) -> bool:
        """Take a lock; whether nobody else had it."""
        with translated_errors():
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
