"""Which life of a database this is, and how far it has come: a backup that was put in its place is noticed.

A database has an identity, and a generation that grows with its writes (of each process the first, and one a second).
A note beside it says how far it was seen; the note is written after the commit, so that it is never ahead. A database
behind its note went back in time: it would hand out again what was used since, and ask again for what was paid for. So
would a backup, and a database that was copied elsewhere; both say so themselves. Whoever means to go on with such a
database begins a new life of it, with a new identity.
"""

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import BigInteger, String, column, select, table, update
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.orm import Session

from kylink_cli.errors import DatabaseUnfitError
from kylink_cli.files import create_private_file
from kylink_cli.language import tr
from kylink_cli.places import state_directory
from kylink_cli.store.engine.database import Database

# Not among the models: it is no part of what a database holds, and is neither copied nor counted.
TABLE = table(
    "lineage",
    column("id", String),
    column("generation", BigInteger),
    column("state", String),
    column("moved_to", String),
)
_GROW = "UPDATE lineage SET generation = generation + 1 WHERE state = 'live' RETURNING id, generation"
_MARK = "SELECT state, moved_to FROM lineage"
_GROWS_EVERY_SECONDS = 1


class LifeState(StrEnum):
    """Whether a database is at work."""

    LIVE = "live"
    BACKUP = "backup"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Life:
    """Which life of a database it is, and how far it has come."""

    id: str
    generation: int


class Lineage:
    """Lets a database's generation grow with what a process writes, and the note beside it follow."""

    def __init__(self, note: Path, life: Life) -> None:
        self._note = note
        self._seen = life
        self._due_at = 0.0

    def grow(self, cursor: DBAPICursor) -> Life | None:
        """Count a write, if it is time again; right before its commit, so that nobody waits for it.

        Raises:
            DatabaseUnfitError: meanwhile the database was moved elsewhere, or another one was put in its place.
        """
        if time.monotonic() < self._due_at:
            return None
        cursor.execute(_GROW)
        if (grown := cursor.fetchone()) is None:
            cursor.execute(_MARK)
            raise _at_rest(cursor.fetchone()) or _went_back()
        life = Life(*grown)
        if life.id != self._seen.id or life.generation <= self._seen.generation:
            raise _went_back()
        return life

    def note(self, life: Life) -> None:
        """Take note of a write that is committed."""
        self._due_at = time.monotonic() + _GROWS_EVERY_SECONDS
        self._seen = max(self._seen, life, key=lambda one: one.generation)
        _write_note(self._note, life)


def follow(database: Database, *, may_rest: bool = False) -> None:
    """Make sure that a database is the one that was seen last, and let its note follow it from now on.

    Args:
        may_rest: whether it may be a backup, or have been moved, since it is only looked at.

    Raises:
        DatabaseUnfitError: it went back in time, or is at rest.
    """
    life = database.read(_read_life if may_rest else _living)
    note = _note_of(database, life)
    noted = _read_note(note)
    if noted is not None and noted.generation > life.generation:
        # Others may have written since: only what is read after the note can be behind it.
        life = database.read(_read_life)
    if noted is not None and (noted.id != life.id or noted.generation > life.generation):
        raise _went_back()
    if noted != life:
        _write_note(note, life)
    database.lineage = Lineage(note, life)


def begin(session: Session) -> None:
    """Begin a new life of a database: whatever was noted of it is about another one."""
    session.execute(update(TABLE).values(id=uuid4().hex, generation=1, state=LifeState.LIVE, moved_to=None))


def adopt(database: Database) -> None:
    """Take note of a database as it is, whatever was there before."""
    life = database.read(_living)
    _write_note(_note_of(database, life), life)


def rest(session: Session, state: LifeState, moved_to: str | None = None) -> None:
    """Mark a database as one that is not to be worked with: a backup, or one that was moved."""
    session.execute(update(TABLE).values(state=state, moved_to=moved_to))


def wake(session: Session) -> None:
    """Let a database that was marked be worked with."""
    session.execute(update(TABLE).values(state=LifeState.LIVE, moved_to=None))


def refuse_backup(session: Session) -> None:
    """Refuse a database that is a backup: it is to be brought back by what knows that it is one.

    Raises:
        DatabaseUnfitError: it is one.
    """
    if session.scalar(select(TABLE.c.state)) == LifeState.BACKUP:
        raise _is_backup()


def _living(session: Session) -> Life:
    error = _at_rest(session.execute(select(TABLE.c.state, TABLE.c.moved_to)).first())
    if error is not None:
        raise error
    return _read_life(session)


def _read_life(session: Session) -> Life:
    found = session.execute(select(TABLE.c.id, TABLE.c.generation)).first()
    if found is None:
        raise _went_back()
    return Life(*found)


def _at_rest(found: Sequence[str] | None) -> DatabaseUnfitError | None:
    """What is to be said of a database by its state and where it was moved; None if it is at work, or says nothing."""
    state, place = found or (LifeState.LIVE, None)
    if state == LifeState.LIVE:
        return None
    if state == LifeState.MOVED:
        return DatabaseUnfitError(
            tr(
                "this database was moved to {place} and hands out nothing any more: point DATABASE_URL at that; "
                "to continue with this one anyway, run 'kylink db restored --trust'",
                place=place,
            )
        )
    return _is_backup()


def _is_backup() -> DatabaseUnfitError:
    return DatabaseUnfitError(
        tr(
            "this database is a backup: restore it with 'kylink db restore FILE'; if it is in place already, "
            "run 'kylink db restored'"
        )
    )


def _went_back() -> DatabaseUnfitError:
    return DatabaseUnfitError(
        tr(
            "the database went back in time: an older one was put in its place, which would hand out again what "
            "was used since; restore a backup with 'kylink db restore FILE', or, if it is in place already, run "
            "'kylink db restored'"
        )
    )


def _note_of(database: Database, life: Life) -> Path:
    """Beside an embedded database; of one on a server, each host keeps its own."""
    if database.path is not None:
        return database.path.with_name(f"{database.path.name}.generation")
    return state_directory() / "generations" / life.id


def _read_note(note: Path) -> Life | None:
    try:
        found: Mapping[str, Any] = json.loads(note.read_text(encoding="utf-8"))
        return Life(str(found["id"]), int(found["generation"]))
    except (OSError, ValueError, KeyError, TypeError):
        # Without a note there is nothing to compare with; it is written anew.
        return None


def _write_note(note: Path, life: Life) -> None:
    # Who may not write it, or can't, still works: others take note.
    with suppress(OSError):
        create_private_file(note)
        note.write_text(json.dumps(asdict(life)) + "\n", encoding="utf-8")
