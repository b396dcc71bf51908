"""Which revision a database is at, and bringing it to this program's.

The revisions are the files of `migrations/versions/`, named by a number and what they do. Looking up a database's
revision does not load Alembic: every command does it, and Alembic is slow to load.
"""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources

from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from kylink_cli.errors import DatabaseMissingError, DatabaseUnfitError
from kylink_cli.language import tr
from kylink_cli.store.engine.database import Database


@dataclass(frozen=True, slots=True)
class Schema:
    """The revision of a database beside the program's."""

    current: str | None  # of the database; None if it holds no tables at all
    head: str  # what this program works with

    @property
    def is_current(self) -> bool:
        """Whether the program can work with the database as it is."""
        return self.current == self.head


VERSION_TABLE = "alembic_version"
# PostgreSQL's words for a column, a table or a name that is to be made, and is there.
_THERE_ALREADY = {"42701", "42P07", "42710"}
# Stands in the place of the revision until a copy is whole.
UNFINISHED_COPY = "copy of "


@cache
def revisions() -> tuple[str, ...]:
    """The revisions that this program knows, oldest first."""
    folder = resources.files("kylink_cli.store").joinpath("migrations", "versions")
    return tuple(sorted(entry.name[:4] for entry in folder.iterdir() if entry.name[:4].isdigit()))


def read_schema(database: Database) -> Schema:
    """The revision of a database.

    Raises:
        DatabaseUnfitError: it holds other tables than kylink's, is newer than the program, or an unfinished copy.
        DatabaseError: it can't be read.
    """
    head = revisions()[-1]
    current = read_version(database)
    if current is not None and current.startswith(UNFINISHED_COPY):
        raise DatabaseUnfitError(
            tr("the database is an unfinished copy: finish it by running the same 'kylink db copy' again")
        )
    if current is not None and current not in revisions():
        raise DatabaseUnfitError(
            tr(
                "the database is at revision {current}, newer than this kylink knows ({head}): upgrade kylink",
                current=current,
                head=head,
            )
        )
    return Schema(current, head)


def read_version(database: Database) -> str | None:
    """What a database says of its revision; None if it holds no tables at all, or none that says it.

    Raises:
        DatabaseUnfitError: it holds other tables than kylink's.
        DatabaseError: it can't be read.
    """
    return database.read(_read_version)


def _read_version(session: Session) -> str | None:
    tables = set(inspect(session.connection()).get_table_names())
    if not tables:
        return None
    if VERSION_TABLE not in tables:
        raise DatabaseUnfitError(tr("the database holds tables that are not kylink's: check DATABASE_URL"))
    version: str | None = session.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608  (no value in it)
    return version


def upgrade(database: Database) -> Schema:
    """Bring a database to the program's revision, in one transaction; one that is there already is left alone.

    Returns:
        The schema as it was found.

    Raises:
        DatabaseError: the database failed; it is as it was before.
    """
    before = read_schema(database)
    if before.is_current:
        return before

    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "kylink_cli.store:migrations")
    with database.writing() as session:
        _let_nobody_else_upgrade(session)
        if before.current is None:
            _require_utf8(session)
        config.attributes["connection"] = session.connection()
        with _said_of_what_is_there_already(before):
            command.upgrade(config, "head")
    return before


@contextmanager
def _said_of_what_is_there_already(before: Schema) -> Iterator[None]:
    """Tell a database that is newer than it says from one that fails.

    Raises:
        DatabaseUnfitError: it holds what an upgrade would add.
    """
    try:
        yield
    except DBAPIError as error:
        if not _is_there_already(error.orig):
            raise
        raise DatabaseUnfitError(
            tr(
                "the database says that it is at revision {current}, and holds tables of a later one: its revision was "
                "set back; restore a backup",
                current=before.current or "0000",
            )
        ) from error


def _is_there_already(cause: BaseException | None) -> bool:
    words = str(cause)
    embedded = "duplicate column name" in words or "already exists" in words
    return getattr(cause, "sqlstate", None) in _THERE_ALREADY if hasattr(cause, "sqlstate") else embedded


def _require_utf8(session: Session) -> None:
    """Refuse to make tables in a database that does not hold every character.

    Raises:
        DatabaseUnfitError: it is in another encoding.
    """
    if (encoding := other_encoding(session)) is None:
        return
    name, owner = session.execute(text("SELECT current_database(), current_user")).one()
    line = shlex.join(["createdb", f"--owner={owner}", "--encoding=UTF8", "--locale=C", "--template=template0"])
    raise DatabaseUnfitError(
        tr(
            "the database {name} is in {encoding}, and kylink needs UTF8: create another on its server, and "
            "point DATABASE_URL at it: {line} {new}",
            name=name,
            encoding=encoding,
            line=line,
            new=shlex.quote(f"{name}_utf8"),
        )
    )


def other_encoding(session: Session) -> str | None:
    """The encoding of a database that is not UTF-8; None if it is."""
    if session.get_bind().dialect.name != "postgresql":
        return None
    encoding: str | None = session.scalar(text("SHOW server_encoding"))
    return None if encoding == "UTF8" else encoding


def _let_nobody_else_upgrade(session: Session) -> None:
    """Wait for another host that upgrades; who comes second finds nothing left to do."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('kylink upgrade', 0))"))


def require_tables(database: Database) -> Schema:
    """Refuse an emptied database.

    Returns:
        The schema, at whatever revision.

    Raises:
        DatabaseMissingError: it holds no tables.
        DatabaseUnfitError: it holds other tables than kylink's, or is newer than the program.
    """
    schema = read_schema(database)
    if schema.current is None:
        raise DatabaseMissingError(
            tr(
                "the database holds no tables: an emptied database is never taken for "
                "'nothing to do'; restore a backup, or run 'kylink db init'"
            )
        )
    return schema


def require_current(database: Database) -> None:
    """Refuse to work with a database of another revision.

    Raises:
        DatabaseUnfitError: it is empty, older or newer; the message says what to do.
    """
    schema = require_tables(database)
    if not schema.is_current:
        raise DatabaseUnfitError(
            tr(
                "the database is at revision {current}, this kylink needs {head}: run 'kylink db upgrade'",
                current=schema.current,
                head=schema.head,
            )
        )
