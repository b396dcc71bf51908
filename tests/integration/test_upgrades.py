"""An upgrade from every older revision keeps every row of every table, on both kinds of databases."""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Uuid,
    inspect,
    select,
)
from sqlalchemy.engine.reflection import Inspector
from sqlalchemy.orm import Session

from kylink_cli.store.engine.database import Database, create_database
from kylink_cli.store.engine.postgresql import open_server
from kylink_cli.store.engine.schema import VERSION_TABLE, read_schema, revisions, upgrade

ROWS = 3
NOW = datetime(2026, 2, 6, 8, 0, tzinfo=UTC)
OLDER = revisions()[:-1]
VALUES: dict[type, Callable[[int], Any]] = {
    Boolean: lambda number: number % 2 == 0,
    Integer: lambda number: number,
    Float: lambda number: number / 4,
    Numeric: lambda number: number / 4,
    LargeBinary: lambda number: bytes([number]),
    JSON: lambda number: {"number": number},
    Uuid: lambda number: uuid.UUID(int=number),
}
Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any tables."""
    if request.param == "sqlite":
        opened = create_database(tmp_path / "kylink.db")
    else:
        server = request.getfixturevalue("postgres")
        name = f"old_{uuid.uuid4().hex}"
        server.execute(f"CREATE DATABASE {name}")
        opened = open_server(server.url(name))
    with closing(opened) as database:
        yield database


@pytest.mark.parametrize("revision", OLDER)
def test_an_upgrade_from_an_older_revision_keeps_every_row(empty: Database, revision: str) -> None:
    _bring_to(empty, revision)
    with empty.writing() as session:
        _fill(session)
    before = _rows(empty)
    assert all(len(rows) >= ROWS for rows in before.values()), {name: len(rows) for name, rows in before.items()}
    assert upgrade(empty).current == revision
    assert _of_then(_rows(empty), before) == before
    assert read_schema(empty).is_current


def test_a_migration_that_deletes_rows_is_seen(empty: Database) -> None:
    """The test above can see a loss."""
    _bring_to(empty, OLDER[0])
    with empty.writing() as session:
        _fill(session)
    before = _rows(empty)
    with empty.writing() as session:
        session.connection().exec_driver_sql("DELETE FROM campaign_results WHERE run_id = 1")
    assert _of_then(_rows(empty), before) != before


def _bring_to(database: Database, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "kylink_cli.store:migrations")
    with database.writing() as session:
        config.attributes["connection"] = session.connection()
        command.upgrade(config, revision)


def _reflected(session: Session) -> list[Table]:
    metadata = MetaData()
    metadata.reflect(session.connection())
    return [found for found in metadata.sorted_tables if found.name != VERSION_TABLE]


def _fill(session: Session) -> None:
    """Put rows into every table; the n-th row of one refers to the n-th of another."""
    inspector = inspect(session.connection())
    for found in _reflected(session):
        words = _words(inspector, found)
        for number in range(1, ROWS + 1):
            row = {column.name: _value(column, number, words) for column in found.columns}
            session.execute(found.insert().values(row))


def _words(inspector: Inspector, found: Table) -> dict[str, list[str]]:
    """The words that a column may hold, as its CHECK constraint lists them."""
    allowed = {}
    for check in inspector.get_check_constraints(found.name):
        column = re.match(r"\(*\"?(\w+)", check["sqltext"])
        words = re.findall(r"'(\w+)'", check["sqltext"])
        if column and words:
            allowed[column[1]] = words
    return allowed


def _value(column: Column[Any], number: int, words: dict[str, list[str]]) -> Any:
    if column.foreign_keys:
        return _value(next(iter(column.foreign_keys)).column, number, {})
    if column.name in words:
        return words[column.name][number % len(words[column.name])]
    if isinstance(column.type, DateTime):
        return NOW.replace(minute=number, tzinfo=NOW.tzinfo if column.type.timezone else None)
    if isinstance(column.type, String):
        return f"{column.name} {number}"[: column.type.length]
    return next(value(number) for kind, value in VALUES.items() if isinstance(column.type, kind))


def _rows(database: Database) -> Rows:
    """Every row of every table, its columns by name."""
    with database.reading() as session:
        return {
            found.name: sorted((dict(row) for row in session.execute(select(found)).mappings()), key=repr)
            for found in _reflected(session)
        }


def _of_then(now: Rows, then: Rows) -> Rows:
    """The rows that there are now, in the tables and columns that there were then."""
    columns = {name: rows[0].keys() for name, rows in then.items()}
    return {
        name: [{column: row.get(column, "gone") for column in columns[name]} for row in now.get(name, [])]
        for name in then
    }
