"""The statements that reach a database, counted instead of timed.

    python -m tests.support.statements campaigns list

runs a command and shows the SQL that it sends, on standard error.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

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


def _show(*told: Any) -> None:
    sys.stderr.write(f"{told[2]}\n    {told[3]}\n\n")


if __name__ == "__main__":
    from kylink_cli.__main__ import main

    event.listen(Engine, "before_cursor_execute", _show)
    main()
