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

# Conditions and tables for statements: items that a campaign `c` has in stock, and how the last try to fill each went.
AVAILABLE = (
    "(SELECT count(*) FROM stock_items i WHERE i.campaign_id = c.id AND state = 'available' AND expires_at > {now})"
)
LAST_TRIED = (
    "(SELECT r.status, row_number() OVER (PARTITION BY r.campaign_id ORDER BY r.run_id DESC) AS place "
    "FROM campaign_results r JOIN runs ON runs.id = r.run_id WHERE started_at > {since})"
)

_REFUSED = "SELECT id FROM supply_requests WHERE state = 'refused' ORDER BY id DESC"
# What the room lacks, so that no figure is right for being 0.
_MORE = (
    f"UPDATE supply_requests SET state = 'in_doubt' WHERE id IN ({_REFUSED} LIMIT 4)",
    f"UPDATE supply_requests SET state = 'open', finished_at = NULL WHERE id IN ({_REFUSED} LIMIT 3)",
    "UPDATE alerts SET state = 'acknowledged' WHERE type = 'LOW_STOCK'",
    "UPDATE leases SET state = 'released' WHERE state = 'confirmed' AND id % 50 = 0",
    "UPDATE leases SET state = 'expired' WHERE state = 'confirmed' AND id % 70 = 0",
    "UPDATE runs SET status = 'interrupted' WHERE id = (SELECT max(id) - 30 FROM runs WHERE job = 'lease_recovery')",
)


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

    def asked(self, sql: str) -> list[Any]:
        """The rows of a statement, in which `{now}`, `{day}` and `{since}` (a week) are moments."""
        for name, days in (("now", 0), ("day", 1), ("since", 7)):
            sql = sql.replace(f"{{{name}}}", f"'{self.now - timedelta(days=days):%Y-%m-%d %H:%M:%S.%f}'")
        return self.rows(sql)

    def one(self, sql: str) -> Any:
        """The only row of such a statement, or its only value."""
        [row] = self.asked(sql)
        return row[0] if len(row) == 1 else row

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


def furnished_fully(folder: Path) -> Iterator[Furnished]:
    """The room of a week, in which no figure is 0."""
    for found in furnished(folder, rooms.WEEK):
        with found.database.writing() as session:
            for sql in _MORE:
                session.connection().exec_driver_sql(sql)
        yield found
