"""The statements that reach a database, counted instead of timed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from kylink_cli.store.engine.database import Database


@contextmanager
def counting(database: Database) -> Iterator[list[str]]:
    """The statements that are executed within a `with` block."""
    statements: list[str] = []

    def note(*told: Any) -> None:
        statements.append(told[2])

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
