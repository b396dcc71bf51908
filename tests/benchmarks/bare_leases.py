"""Leases by bare SQL, as durable as kylink's: what a consumer would write for himself, on a schema as small as can be.

A take is an UPDATE that returns and an INSERT, a confirmation an UPDATE each for lease and item; two commits.
"""

import secrets
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import psycopg

TTL = timedelta(minutes=15)
_TABLES = (
    """
    CREATE TABLE bare_items (
        id {id} PRIMARY KEY, campaign_id text NOT NULL, value text NOT NULL, state text NOT NULL DEFAULT 'available',
        expires_at {time} NOT NULL, consumed_at {time}
    )
    """,
    "CREATE INDEX bare_available ON bare_items (campaign_id, expires_at) WHERE state = 'available'",
    """
    CREATE TABLE bare_leases (
        id {id} PRIMARY KEY, token text NOT NULL UNIQUE, campaign_id text NOT NULL, item_id bigint NOT NULL,
        state text NOT NULL, leased_at {time} NOT NULL, expires_at {time} NOT NULL, closed_at {time}
    )
    """,
)
_ADD_ITEM = "INSERT INTO bare_items (campaign_id, value, expires_at) VALUES ({0}, {0}, {0})"
_TAKE = (
    "UPDATE bare_items SET state = 'leased' WHERE id IN (SELECT id FROM bare_items WHERE campaign_id = {0} "
    "AND state = 'available' AND expires_at > {0} ORDER BY expires_at LIMIT {0} {1}) RETURNING id, value"
)
_LEASE = (
    "INSERT INTO bare_leases (token, campaign_id, item_id, state, leased_at, expires_at) "
    "VALUES ({0}, {0}, {0}, 'active', {0}, {0})"
)
_CONFIRM = (
    "UPDATE bare_leases SET state = 'confirmed', closed_at = {0} WHERE token IN ({1}) AND state = 'active' "
    "RETURNING item_id"
)
_CONSUME = "UPDATE bare_items SET state = 'consumed', consumed_at = {0} WHERE id IN ({1}) AND state = 'leased'"


class Bare(Protocol):
    """A consumer without kylink."""

    def take(self, campaign: str, count: int) -> list[str]:
        """Lease items; their tokens."""

    def confirm(self, tokens: Sequence[str]) -> None:
        """Consume the items of leases."""

    def close(self) -> None:
        """Close the connection."""


class _Sql:
    """The statements, for a driver with its mark for a parameter."""

    def __init__(self, connection: Any, mark: str, lock: str) -> None:
        self.connection = connection
        self._mark, self._lock = mark, lock

    def begin(self) -> None:
        """Begin to write."""

    def now(self) -> Any:
        """This moment, as the driver takes it."""
        return datetime.now(UTC)

    def take(self, campaign: str, count: int) -> list[str]:
        """Lease items; their tokens."""
        self.begin()
        now, cursor = self.now(), self.connection.cursor()
        items = cursor.execute(_TAKE.format(self._mark, self._lock), (campaign, now, count)).fetchall()
        rows = [(secrets.token_urlsafe(24), campaign, item, now, self.end(now)) for item, _ in items]
        if len(rows) == 1:
            cursor.execute(_LEASE.format(self._mark), rows[0])
        else:
            cursor.executemany(_LEASE.format(self._mark), rows)
        self.connection.commit()
        return [row[0] for row in rows]

    def confirm(self, tokens: Sequence[str]) -> None:
        """Consume the items of leases."""
        self.begin()
        now, cursor, marks = self.now(), self.connection.cursor(), ", ".join([self._mark] * len(tokens))
        items = cursor.execute(_CONFIRM.format(self._mark, marks), (now, *tokens)).fetchall()
        assert len(items) == len(tokens)
        cursor.execute(_CONSUME.format(self._mark, marks), (now, *[item for (item,) in items]))
        self.connection.commit()

    def end(self, now: Any) -> Any:
        """When a lease of this moment ends."""
        return now + TTL

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


class _Embedded(_Sql):
    def __init__(self, path: Path) -> None:
        connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        super().__init__(connection, "?", "")

    def begin(self) -> None:
        self.connection.execute("BEGIN IMMEDIATE")

    def now(self) -> str:
        return _text(datetime.now(UTC))

    def end(self, now: str) -> str:
        return _text(datetime.fromisoformat(now) + TTL)


def connect(url: str) -> Bare:
    """A consumer of the database behind a URL."""
    if url.startswith("sqlite:///"):
        return _Embedded(Path(url.removeprefix("sqlite:///")).with_suffix(".bare"))
    return _Sql(psycopg.connect(url), "%s", "FOR UPDATE SKIP LOCKED")


def stock(url: str, campaigns: Sequence[str], items: int) -> None:
    """Create the tables, and give each campaign items."""
    sql = connect(url)
    assert isinstance(sql, _Sql)
    is_embedded = isinstance(sql, _Embedded)
    kinds = {"id": "integer", "time": "text"} if is_embedded else {"id": "bigserial", "time": "timestamptz"}
    sql.begin()
    cursor = sql.connection.cursor()
    for statement in _TABLES:
        cursor.execute(statement.format(**kinds))
    end = datetime.now(UTC) + timedelta(hours=48)
    rows = [
        (campaign, f"{campaign}-{number}", _text(end) if is_embedded else end)
        for campaign in campaigns
        for number in range(items)
    ]
    cursor.executemany(_ADD_ITEM.format("?" if is_embedded else "%s"), rows)
    sql.connection.commit()
    sql.close()


def _text(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(" ", "microseconds")
