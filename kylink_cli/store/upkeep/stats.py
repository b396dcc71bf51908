"""What a database holds, in numbers."""

import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, literal, select, text, union_all
from sqlalchemy.orm import Session
from sqlmodel import SQLModel

from kylink_cli.rules.vocabulary import ItemState
from kylink_cli.store.engine.database import Database
from kylink_cli.store.engine.schema import read_schema
from kylink_cli.store.tables import StockItem, table

_items = table(StockItem)


@dataclass(frozen=True, slots=True)
class Stats:
    """What a database holds."""

    path: str | None  # of an embedded database, None otherwise
    revision: str | None
    sqlite_version: str | None  # of the library in use; None on a server
    server_version: str | None  # None if the database is embedded
    file_bytes: int  # what the file takes, or the database on its server
    wal_bytes: int  # written, and not in the file yet
    rows: Mapping[str, int]  # by table
    items: Mapping[str, int]  # by state

    def document(self) -> dict[str, Any]:
        """The figures as a JSON object."""
        return asdict(self)


def read_stats(database: Database) -> Stats:
    """Count what a database holds, at one moment.

    Raises:
        DatabaseError: it can't be read.
    """
    rows, items = database.read(lambda session: (_count_rows(session), _count_items(session)))
    place = database.read(_server) if database.path is None else _file(database.path)
    return Stats(revision=read_schema(database).current, rows=rows, items=items, **place)


def _file(path: Path) -> dict[str, Any]:
    return {
        "path": str(path.absolute()),
        "sqlite_version": sqlite3.sqlite_version,
        "server_version": None,
        "file_bytes": _size(path),
        "wal_bytes": _size(path.with_name(f"{path.name}-wal")),
    }


def _server(session: Session) -> dict[str, Any]:
    return {
        "path": None,
        "sqlite_version": None,
        "server_version": session.scalar(text("SHOW server_version")),
        "file_bytes": session.scalar(text("SELECT pg_database_size(current_database())")),
        "wal_bytes": 0,
    }


def _count_rows(session: Session) -> dict[str, int]:
    counts = [select(literal(rows.name), func.count()).select_from(rows) for rows in SQLModel.metadata.sorted_tables]
    return dict(sorted(session.execute(union_all(*counts))))


def _count_items(session: Session) -> dict[str, int]:
    counts = session.execute(select(_items.c.state, func.count()).group_by(_items.c.state))
    return {**dict.fromkeys(ItemState, 0), **dict(counts.all())}


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
