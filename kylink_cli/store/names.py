"""Names for a shell to complete: read past SQLAlchemy, whose import takes longer than anybody waits at a prompt."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from typing import Any, Final, Literal

from kylink_cli.places import is_on_server, sqlite_path
from kylink_cli.rules.text import natural

Kind = Literal["campaigns", "users", "alerts", "silences", "runs"]

LIMIT: Final = 200
_PATIENCE_SECONDS: Final = 1
# Numbers that kylink gives come newest first.
_IN_NATURAL_ORDER: Final = {"campaigns", "users"}

_STATEMENTS: Final[dict[Kind, str]] = {
    "campaigns": "SELECT id, name FROM campaigns WHERE id LIKE {mark} ESCAPE '!' ORDER BY length(id), id",
    "users": "SELECT DISTINCT user_id, '' FROM campaigns WHERE user_id LIKE {mark} ESCAPE '!' ORDER BY user_id",
    "alerts": "SELECT id, title FROM alerts WHERE state <> 'resolved' AND CAST(id AS TEXT) LIKE {mark} ESCAPE '!' "
    "ORDER BY id DESC",
    "silences": "SELECT id, coalesce(reason, '') FROM silences WHERE CAST(id AS TEXT) LIKE {mark} ESCAPE '!' "
    "ORDER BY id DESC",
    "runs": "SELECT id, job FROM runs WHERE CAST(id AS TEXT) LIKE {mark} ESCAPE '!' ORDER BY id DESC",
}


def read_names(url: str, kind: Kind, beginning: str) -> list[tuple[str, str]]:
    """Names that begin with a text, each with what people call it; at most `LIMIT`, texts as people sort them.

    Raises:
        Exception: whatever the driver raises when the database can't be read.
    """
    escaped = beginning.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    rows = _read(url, f"{_STATEMENTS[kind]} LIMIT {LIMIT}", f"{escaped}%")
    # SQLite's LIKE ignores case.
    found = [(str(name), str(text)) for name, text in rows if str(name).startswith(beginning)]
    return sorted(found, key=lambda one: natural(one[0])) if kind in _IN_NATURAL_ORDER else found


def _read(url: str, statement: str, pattern: str) -> Iterable[tuple[Any, ...]]:
    if not is_on_server(url):
        place = f"{sqlite_path(url).absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(place, uri=True, timeout=_PATIENCE_SECONDS)) as connection:
            return connection.execute(statement.format(mark="?"), [pattern]).fetchall()
    import psycopg

    from kylink_cli.store.engine import sessions
    from kylink_cli.store.engine.address import parse

    address = parse(url)
    with psycopg.connect(address.conninfo, connect_timeout=_PATIENCE_SECONDS) as server:
        sessions.prepare(server, address)
        return server.execute(statement.format(mark="%s").encode(), [pattern]).fetchall()
