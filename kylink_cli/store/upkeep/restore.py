"""Bringing a backup of an embedded database back, so that nothing of the database that it replaces is mixed into it.

1. The backup is copied to where nobody else can exchange it, checked, and brought to this program's revision; it stays
   as it is itself.
2. The copy begins a new life: what may have been used since the backup was made is put into quarantine.
3. Nobody else works with the database that is there; it is put aside, whole, with its write-ahead log.
4. The copy takes its place. A crash in between leaves no database rather than a mixed one.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from kylink_cli.errors import DatabaseBusyError, DatabaseError, DatabaseUnfitError, UsageError
from kylink_cli.files import refuse_foreign_link
from kylink_cli.language import tr
from kylink_cli.store.engine import lineage
from kylink_cli.store.engine.database import Database, open_database, translated_errors
from kylink_cli.store.engine.schema import require_tables, upgrade
from kylink_cli.store.upkeep.backup import copy_whole
from kylink_cli.store.upkeep.backup_target import staged
from kylink_cli.store.upkeep.quarantine import Restored, begin_anew

_LEFTOVERS = ("-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Replaced:
    """What a backup was brought back as."""

    restored: Restored
    aside: Path | None  # where the database is that was there before; None if there was none


def restore(backup: Path, target: Path, now: datetime, *, trust: bool) -> Replaced:
    """Restore a backup in place of an embedded database, which must not be in use.

    Args:
        trust: whether nothing was used since the backup was made.

    Raises:
        UsageError: the backup is the database itself.
        DatabaseUnfitError: the backup is none of kylink's, or newer than the program.
        DatabaseBusyError: somebody works with the database that is there.
        DatabaseError: the backup is damaged, or something can't be written.
    """
    if target.exists() and backup.exists() and backup.samefile(target):
        raise UsageError(tr("{file} is in place already: run 'kylink db restored' to continue with it", file=backup))
    with _explained(target), staged(target) as staging:
        refuse_foreign_link(target)
        refuse_foreign_link(backup)
        with _readable(backup) as source:
            copy_whole(source, staging.copy)
        restored = _prepare(staging.copy, now, trust=trust)
        aside = _put_aside(target) if target.exists() else None
        staging.place(for_folder_owner=True)
    with closing(open_database(target)) as database:
        lineage.adopt(database)
    return Replaced(restored, aside)


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DatabaseError(
            tr("the database {file} can't be replaced: {reason}", file=target, reason=reason)
        ) from error


@contextmanager
def _readable(backup: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads a backup and leaves nothing beside it that was not there."""
    try:
        if backup.stat().st_size == 0:
            raise DatabaseUnfitError(tr("the backup {file} is an empty file", file=backup))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DatabaseUnfitError(tr("the backup {file} can't be read: {reason}", file=backup, reason=reason)) from error
    place = f"file:{quote(str(backup.absolute()))}?mode=ro"
    with translated_errors(), closing(sqlite3.connect(place, uri=True)) as connection:
        yield connection


def _prepare(copy: Path, now: datetime, *, trust: bool) -> Restored:
    with closing(open_database(copy)) as database:
        require_tables(database)
        upgrade(database)
        return database.commit(lambda session: begin_anew(session, now, trust=trust))


def _put_aside(target: Path) -> Path:
    """Move a database away, with what is in its write-ahead log.

    Raises:
        DatabaseBusyError: somebody works with it.
    """
    _fold_in(target)
    aside = target.with_name(f"{target.name}.before-restore")
    for leftover in _LEFTOVERS:
        aside.with_name(f"{aside.name}{leftover}").unlink(missing_ok=True)
    target.replace(aside)
    # Of a damaged database there may be a log that could not be folded in: it stays with its file.
    for leftover in _LEFTOVERS:
        beside = target.with_name(f"{target.name}{leftover}")
        if beside.exists():
            beside.replace(aside.with_name(f"{aside.name}{leftover}"))
    return aside


def _fold_in(target: Path) -> None:
    """Fold the write-ahead log into its database, which SQLite does for the only one who works with it."""
    try:
        with closing(sqlite3.connect(target, timeout=0)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise DatabaseBusyError(
                tr("{file} is in use: stop the timers and the consumers, and run the command again", file=target)
            ) from error
    except sqlite3.DatabaseError:
        # It is damaged, which is why it is replaced.
        return


def go_on(database: Database, *, trust: bool) -> Restored:
    """Go on with a database that something else has restored, or that was moved elsewhere."""
    restored = database.commit(lambda session: begin_anew(session, database.now(), trust=trust))
    lineage.adopt(database)
    return restored
