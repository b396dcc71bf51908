"""A room with its past, that statements written by hand can be asked of."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kylink_cli import wiring
from kylink_cli.overview.status import JobStatus, read_status
from kylink_cli.settings.fields import Settings
from kylink_cli.store.engine.database import Database
from tests.support import rooms
from tests.support.database import new_database, url_of


@dataclass
class Furnished:
    """A room with its past, which ends now."""

    database: Database
    now: datetime

    def by_hand(self, sql: str, *, days: float = 7) -> Any:
        """What a statement gives: a row, or its only value; `{since}` stands for the beginning of the period."""
        since = f"'{self.now - timedelta(days=days):%Y-%m-%d %H:%M:%S}'"
        with self.database.reading() as session:
            row = session.connection().exec_driver_sql(sql.replace("{since}", since)).one()
        return row[0] if len(row) == 1 else tuple(row)

    def rows(self, sql: str) -> list[Any]:
        """The rows of a statement."""
        with self.database.reading() as session:
            return [tuple(row) for row in session.connection().exec_driver_sql(sql)]

    def column(self, sql: str) -> list[Any]:
        """The only column of a statement."""
        return [row[0] for row in self.rows(sql)]

    @property
    def statuses(self) -> dict[str, JobStatus]:
        """How every job is doing."""
        settings = Settings(database_url=url_of(self.database), enable_auto_cron=True)
        found = read_status(self.database, wiring.locks(settings), settings, self.now)
        return {status.job.name: status for status in found}


def furnished(folder: Path, room: rooms.Room) -> Iterator[Furnished]:
    """A room in a database of its own, for as long as it is needed."""
    database = new_database(folder)
    yield Furnished(database, rooms.furnish(database, room))
    database.close()
