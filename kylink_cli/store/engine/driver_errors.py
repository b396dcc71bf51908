"""What the drivers' errors mean: SQLite's by their names, PostgreSQL's by their SQLSTATE.

Only what will pass by itself is busy, in conflict or lost; the rest needs a person.
"""

import re
import sqlite3

from kylink_cli.errors import (
    DatabaseBusyError,
    DatabaseConflictError,
    DatabaseError,
    DatabaseLostError,
    DatabaseUnfitError,
)
from kylink_cli.language import marked, tr
from kylink_cli.rules.text import ERROR_LENGTH, one_line

BUSY_TIMEOUT_SECONDS = 30

_BUSY = marked("the database stayed busy for {seconds} s: try again later")
_FULL = marked("the disk is full: nothing was changed; make room and try again")
_SQLITE: dict[str, tuple[type[DatabaseError], str]] = {
    "SQLITE_BUSY": (
        DatabaseBusyError,
        _BUSY,
    ),
    "SQLITE_LOCKED": (
        DatabaseBusyError,
        _BUSY,
    ),
    "SQLITE_NOTADB": (DatabaseUnfitError, marked("the database is not a kylink database")),
    "SQLITE_CORRUPT": (DatabaseUnfitError, marked("the database is damaged: restore a backup")),
    "SQLITE_CANTOPEN": (
        DatabaseUnfitError,
        marked("the database can't be opened: check the file, its directory and who owns them"),
    ),
    "SQLITE_READONLY": (
        DatabaseUnfitError,
        marked("the database can't be written: check who owns the file and its directory"),
    ),
    "SQLITE_PERM": (DatabaseUnfitError, marked("the database can't be accessed: check who owns the file")),
    "SQLITE_FULL": (DatabaseError, _FULL),
    "SQLITE_IOERR": (
        DatabaseError,
        marked("the disk fails under the database ({code}): see 'df' and 'dmesg' whether it is full or broken"),
    ),
}
_POSTGRESQL: dict[str, tuple[type[DatabaseError], str]] = {
    "08": (DatabaseLostError, marked("the connection to the database broke")),
    "57P": (DatabaseLostError, marked("the database was shut down or is starting")),
    "25P03": (DatabaseLostError, marked("the database closed a connection that was idle for too long")),
    "53300": (DatabaseLostError, marked("the database takes no more connections")),
    "40": (DatabaseConflictError, marked("other transactions stood in the way again and again: try again later")),
    "55P03": (
        DatabaseBusyError,
        _BUSY,
    ),
    "57014": (DatabaseBusyError, marked("the database took too long and gave up: try again later")),
    "53100": (DatabaseError, _FULL),
    "25006": (DatabaseUnfitError, marked("the database may only be read: is it a standby? check DATABASE_URL")),
    "42501": (
        DatabaseUnfitError,
        marked("the database refuses this user: grant him its tables, or check DATABASE_URL"),
    ),
    "28": (DatabaseUnfitError, marked("the database refuses this user or password: check DATABASE_URL")),
    "3D": (DatabaseUnfitError, marked("there is no such database on the server: create it, or check DATABASE_URL")),
}
# libpq gives no SQLSTATE for what the server says before a session has begun.
_REFUSALS = {
    re.compile(r"authentication failed|no password supplied|pg_hba\.conf|role \".*\" does not exist"): "28",
    re.compile(r"database \".*\" does not exist"): "3D",
}


def translate(cause: BaseException | None) -> DatabaseError:
    """Kylink's error for a driver's, in one line and without parameters."""
    kind, text = _meaning(cause) or (DatabaseError, tr("the database failed: {cause}", cause=_text(cause)))
    return kind(text)


def _meaning(cause: BaseException | None) -> tuple[type[DatabaseError], str] | None:
    if isinstance(cause, sqlite3.Error):
        return _longest_prefix(_SQLITE, cause.sqlite_errorname)
    state = getattr(cause, "sqlstate", None) or _refusal(str(cause))
    if state is not None:
        return _longest_prefix(_POSTGRESQL, state)
    if type(cause).__name__ in {"OperationalError", "ConnectionTimeout", "InterfaceError"}:
        return DatabaseLostError, tr("the database can't be reached: {cause}", cause=_text(cause))
    return None


def _refusal(text: str) -> str | None:
    """The SQLSTATE behind what a server says instead of beginning a session; None for anything else."""
    return next((state for words, state in _REFUSALS.items() if words.search(text)), None)


def _longest_prefix(
    meanings: dict[str, tuple[type[DatabaseError], str]], code: str
) -> tuple[type[DatabaseError], str] | None:
    for length in range(len(code), 1, -1):
        if code[:length] in meanings:
            kind, text = meanings[code[:length]]
            return kind, tr(text, code=code, seconds=BUSY_TIMEOUT_SECONDS)
    return None


def _text(cause: BaseException | None) -> str:
    # PostgreSQL's details name values.
    primary = getattr(getattr(cause, "diag", None), "message_primary", None)
    return one_line(primary or str(cause), ERROR_LENGTH)
