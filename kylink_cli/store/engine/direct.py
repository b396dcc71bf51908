"""Statements for which consumers wait: compiled once, then handed straight to the driver.

For a statement on one row, SQLAlchemy's own way takes ten times as long as SQLite itself.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import ARRAY, Column, ColumnElement, Connection, Dialect, Engine, Table, any_, bindparam, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import PoolProxiedConnection

from kylink_cli.store.engine.driver_errors import busy, translate
from kylink_cli.store.tables import utc_text

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

T = TypeVar("T")
Value = datetime | int | float | str | None

_EMBEDDED = sqlite.dialect(paramstyle="named")


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction on the driver's own connection."""

    cursor: DBAPICursor
    dialect: Dialect

    @property
    def is_embedded(self) -> bool:
        """Whether it is SQLite's."""
        return self.dialect.name == "sqlite"


# Whether a transaction that returned this was committed, by rows that only it can have written.
Landed = Callable[[Transaction, T], bool]


@dataclass(frozen=True, slots=True)
class Flavour:
    """What differs in a statement between databases, and between one listed value and several."""

    is_embedded: bool
    is_single: bool

    def among(self, column: Column[Any]) -> ColumnElement[bool]:
        """The condition that a column holds one of the listed values."""
        if self.is_single:
            # SQLite keeps a list in a table of its own, which takes longer than all the rest.
            return column == bindparam("listed")
        if self.is_embedded:
            return column.in_(select(func.json_each(bindparam("listed")).table_valued("value").c.value))
        return column == any_(bindparam("listed", type_=ARRAY(column.type)))

    def insert(self, table: Table) -> "sqlite.Insert | postgresql.Insert":
        """An INSERT with `on_conflict_do_update`."""
        if self.is_embedded:
            return sqlite.insert(table).inline()
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table).inline()


class Direct:
    """A statement with named parameters. What it returns is as the driver gives it; `moment` reads a moment."""

    def __init__(self, build: Callable[[Flavour], Any], columns: Sequence[str] = ()) -> None:
        """Declare a statement.

        Args:
            columns: the columns that an INSERT fills, each by a parameter of its name.
        """
        self._build = build
        self._columns = list(columns) or None
        self._compiled: dict[tuple[bool, bool], tuple[str, dict[str, Any]]] = {}

    def rows(self, transaction: Transaction, *listed: Value, **values: Value) -> list[Any]:
        """Execute it; the rows that it returns.

        Args:
            listed: the values of its list, if it has one.
        """
        text, own = self._for(transaction, is_single=len(listed) == 1)
        given = own | _as_driver_takes(values, transaction)
        if listed:
            given["listed"] = _listed(listed, transaction)
        transaction.cursor.execute(text, given)
        return list(transaction.cursor.fetchall()) if transaction.cursor.description else []

    def each(self, transaction: Transaction, rows: Iterable[dict[str, int | str]], **values: Value) -> None:
        """Execute it for its effect, once for each of some rows of parameters.

        Args:
            rows: the parameters that differ.
            values: those that are the same for all.
        """
        text, own = self._for(transaction, is_single=True)
        same = own | _as_driver_takes(values, transaction)
        match [same | row for row in rows]:
            case [row]:
                # The way of several would take a server longer.
                transaction.cursor.execute(text, row)
            case several:
                transaction.cursor.executemany(text, several)

    def _for(self, transaction: Transaction, *, is_single: bool) -> tuple[str, dict[str, Any]]:
        """The text in a flavour, and the values that the statement itself names."""
        kind = transaction.is_embedded, is_single
        if kind not in self._compiled:
            dialect = _EMBEDDED if transaction.is_embedded else transaction.dialect
            compiled = self._build(Flavour(*kind)).compile(dialect=dialect, column_keys=self._columns)
            own = {name: _plain(value) for name, value in compiled.params.items() if value is not None}
            self._compiled[kind] = compiled.string, own
        return self._compiled[kind]


def moment(value: datetime | str) -> datetime:
    """A moment that a statement returned."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value.astimezone(UTC)


@contextmanager
def pooled(engine: Engine) -> Iterator[PoolProxiedConnection]:
    """A pooled connection of the driver's; what is begun on it is undone unless it is committed.

    Raises:
        DatabaseError: the database failed.
    """
    with translated(engine.dialect):
        connection = engine.raw_connection()
    try:
        with translated(engine.dialect, connection):
            yield connection
    finally:
        connection.close()


@contextmanager
def direct(connection: Connection) -> Iterator[Transaction]:
    """The transaction of SQLAlchemy's connection.

    Raises:
        DatabaseError: the database failed.
    """
    with translated(connection.dialect, connection.connection):
        yield Transaction(connection.connection.cursor(), connection.dialect)


@contextmanager
def translated(dialect: Dialect, connection: PoolProxiedConnection | None = None) -> Iterator[None]:
    """Turn the driver's own errors into kylink's; a connection that is lost goes back to no pool.

    Raises:
        DatabaseError: the database failed.
    """
    try:
        yield
    except dialect.loaded_dbapi.Error as error:
        if connection is not None and dialect.is_disconnect(error, connection, None):
            connection.invalidate(error)
        raise translate(error) from error
    except PoolTimeoutError as error:
        raise busy() from error


def _listed(values: Sequence[Value], transaction: Transaction) -> Any:
    if len(values) == 1:
        return values[0]
    return json.dumps(values) if transaction.is_embedded else list(values)


def _as_driver_takes(values: Mapping[str, Value], transaction: Transaction) -> dict[str, Any]:
    if not transaction.is_embedded:
        return dict(values)
    return {name: utc_text(value) if isinstance(value, datetime) else value for name, value in values.items()}


def _plain(value: Any) -> Any:
    """A driver knows no vocabularies."""
    return value.value if isinstance(value, StrEnum) else value
