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
from kylink_cli.rules.addresses import MASK
from kylink_cli.rules.text import ERROR_LENGTH, one_line

BUSY_TIMEOUT_SECONDS = 30
_OF_POOLERS = "08P01"

_BUSY = marked("the database stayed busy for {seconds} s: try again later")
_FULL = marked("the disk is full: the last write failed, those before it are safe; make room and try again")
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
        marked("the disk fails under the database ({code}): see in 'df' and 'dmesg' whether it is full or broken"),
    ),
}
_POSTGRESQL: dict[str, tuple[type[DatabaseError], str]] = {
    "08": (DatabaseLostError, marked("the connection to the database broke")),
    "57P": (DatabaseLostError, marked("the database was shut down or is starting")),
    "25P03": (DatabaseLostError, marked("the database closed a connection that was idle for too long")),
    "53300": (DatabaseLostError, marked("the database accepts no more connections")),
    "40": (DatabaseConflictError, marked("other transactions got in the way again and again: try again later")),
    "55P03": (
        DatabaseBusyError,
        _BUSY,
    ),
    "57014": (DatabaseBusyError, marked("the database took too long and gave up: try again later")),
    "53100": (DatabaseError, _FULL),
    "25006": (DatabaseUnfitError, marked("the database may only be read: is it a standby? check DATABASE_URL")),
    "42501": (
        DatabaseUnfitError,
        marked("the database refuses this user: {cause}; 'kylink doctor' names every right that is missing"),
    ),
    "28": (DatabaseUnfitError, marked("the database refuses this user or password: check DATABASE_URL")),
    "3D": (DatabaseUnfitError, marked("there is no such database on the server: create it, or check DATABASE_URL")),
    "tls wanted": (
        DatabaseUnfitError,
        marked(
            "the server accepts this user over TLS only, as by 'hostssl' in its pg_hba.conf, and this "
            "connection does not use it: set sslmode=require in DATABASE_URL, and ssl = on if the server has it off"
        ),
    ),
    "tls missing": (
        DatabaseUnfitError,
        marked("the server does not support TLS, which sslmode in DATABASE_URL requires: set ssl = on there"),
    ),
    "certificate": (
        DatabaseUnfitError,
        marked("the server's certificate was not accepted: {cause}: check sslmode and sslrootcert in DATABASE_URL"),
    ),
    "startup": (
        DatabaseUnfitError,
        marked(
            "the pooler refuses a parameter of the connection: {cause}: take it out of DATABASE_URL, PGOPTIONS and the "
            "service file, or name it in the pooler's ignore_startup_parameters"
        ),
    ),
    "statement mode": (
        DatabaseUnfitError,
        marked(
            "the pooler works in statement mode, which has no transactions: set its pool_mode to session or transaction"
        ),
    ),
}
# No SQLSTATE comes with what a server says before a session has begun; poolers have one for everything.
_REFUSALS = {
    re.compile(r"unsupported startup parameter"): "startup",
    re.compile(r"statement pooling mode"): "statement mode",
    re.compile(r"server does not support SSL"): "tls missing",
    re.compile(r"certificate verify failed|root certificate file|server certificate for"): "certificate",
    re.compile(r"pg_hba\.conf(?!.*SSL encryption).*no encryption", re.DOTALL): "tls wanted",
    re.compile(
        r"authentication failed|no password supplied|pg_hba\.conf|role \".*\" does not exist|no such user"
    ): "28",
    re.compile(r"database \".*\" does not exist|no such database"): "3D",
}

_GIVEN_VALUE = re.compile(r'value:? "[^"]*"')


def translate(cause: BaseException | None) -> DatabaseError:
    """Kylink's error for a driver's, in one line and without parameters."""
    kind, text = _meaning(cause) or (DatabaseError, tr("the database failed: {cause}", cause=_text(cause)))
    return kind(text)


def busy() -> DatabaseBusyError:
    """Kylink's error where all connections of a process stayed in use."""
    return DatabaseBusyError(tr(_BUSY, seconds=BUSY_TIMEOUT_SECONDS))


def _meaning(cause: BaseException | None) -> tuple[type[DatabaseError], str] | None:
    if isinstance(cause, sqlite3.Error):
        # What Python's module says by itself has no code.
        return _longest_prefix(_SQLITE, getattr(cause, "sqlite_errorname", ""))
    state = getattr(cause, "sqlstate", None)
    if state is None or state == _OF_POOLERS:
        state = _refusal(str(cause)) or state
    if state is not None:
        return _longest_prefix(_POSTGRESQL, state, _text(cause))
    if type(cause).__name__ in {"OperationalError", "ConnectionTimeout", "InterfaceError"}:
        return DatabaseLostError, tr("the database can't be reached: {cause}", cause=_text(cause))
    return None


def _refusal(text: str) -> str | None:
    """The SQLSTATE behind what a server says instead of beginning a session; None for anything else."""
    return next((state for words, state in _REFUSALS.items() if words.search(text)), None)


def _longest_prefix(
    meanings: dict[str, tuple[type[DatabaseError], str]], code: str, cause: str = ""
) -> tuple[type[DatabaseError], str] | None:
    for length in range(len(code), 1, -1):
        if code[:length] in meanings:
            kind, text = meanings[code[:length]]
            return kind, tr(text, code=code, seconds=BUSY_TIMEOUT_SECONDS, cause=cause)
    return None


def _text(cause: BaseException | None) -> str:
    # PostgreSQL's details name values.
    primary = getattr(getattr(cause, "diag", None), "message_primary", None)
    # What it can't make sense of is a part of the address, and may have been meant as a password.
    return one_line(_GIVEN_VALUE.sub(f'value "{MASK}"', primary or str(cause)), ERROR_LENGTH)
