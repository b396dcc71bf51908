"""The only place that builds concrete objects from settings."""

from kylink_cli.settings import Settings
from kylink_cli.store.database import Database, create_database, open_database, sqlite_path
from kylink_cli.store.schema import require_current, upgrade


def existing_database(settings: Settings, *, scheduled: bool = False) -> Database:
    """The database, which must exist; upgraded on the way unless a timer's run asks for it.

    Raises:
        DatabaseUnfitError: it is missing, empty, unreadable, newer than the program, or (scheduled) older.
        DatabaseError: it failed.
    """
    database = open_database(sqlite_path(settings.database_url))
    if scheduled:
        require_current(database)
    else:
        upgrade_if_older(database)
    return database


def new_database(settings: Settings) -> Database:
    """The database, created and upgraded if need be.

    Raises:
        DatabaseUnfitError: it can't be created, or is newer than the program.
        DatabaseError: it failed.
    """
    database = create_database(sqlite_path(settings.database_url))
    upgrade(database)
    return database


def upgrade_if_older(database: Database) -> None:
    """Bring an embedded database of an older kylink to this one's revision; an emptied one is refused.

    Raises:
        DatabaseUnfitError: it holds no tables, or is newer than the program.
    """
    from kylink_cli.store.schema import read_schema

    if read_schema(database).current is not None:
        upgrade(database)
    require_current(database)
