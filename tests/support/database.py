"""Real databases for tests, and short ways to put things into them."""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from kylink_cli.rules.demand import KEPT_HOURS, Asked
from kylink_cli.store.demand import minute_at
from kylink_cli.store.demand_hours import pack
from kylink_cli.store.engine.database import Database, create_database, open_database
from kylink_cli.store.engine.postgresql import ServerDatabase
from kylink_cli.store.engine.schema import upgrade
from kylink_cli.store.tables import Campaign, DemandHours, StockItem

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def url_of(database: Database) -> str:
    """What DATABASE_URL has to be for another process to open it too."""
    if database.path is not None:
        return f"sqlite:///{database.path.absolute()}"
    assert isinstance(database, ServerDatabase)
    given = database.address.parameters
    return f"postgresql://{given['user']}@{given['host']}:{given['port']}/{given['dbname']}"


def new_database(folder: Path) -> Database:
    """A fresh SQLite database of the current revision, a copy of one that was made once."""
    path = folder / "kylink.db"
    path.touch(0o600)
    path.write_bytes(_fresh_database())
    return open_database(path)


@cache
def _fresh_database() -> bytes:
    with TemporaryDirectory() as folder:
        database = create_database(Path(folder) / "kylink.db")
        upgrade(database)
        database.close()
        return (Path(folder) / "kylink.db").read_bytes()


def add_campaigns(database: Database, *ids: str, user: str = "u1") -> None:
    """Add active campaigns that are old enough to have the lowest watermark."""
    with database.writing() as session:
        session.add_all(Campaign(id=key, user_id=user, name=f"Campaign {key}", created_at=LONG_AGO) for key in ids)


def add_items(database: Database, campaign: str, number: int, *, hours: float = 48, state: str = "available") -> None:
    """Add items that expire in so many hours; consumed ones were consumed just now."""
    now = datetime.now(UTC)
    with database.writing() as session:
        session.add_all(
            StockItem(
                campaign_id=campaign,
                value=f"{campaign}-{state}-{hours}-{index}",
                state=state,
                created_at=now,
                expires_at=now + timedelta(hours=hours),
                consumed_at=now if state == "consumed" else None,
            )
            for index in range(number)
        )


def add_demand(database: Database, campaign: str, items_an_hour: int, *, refused: int = 0) -> None:
    """Let so many items have been taken, and so many refused, in each whole hour of the last four weeks."""
    hour = minute_at(datetime.now(UTC)) // 60
    hours = {hour - age: Asked(items_an_hour, refused) for age in range(1, KEPT_HOURS + 1)}
    last_hour, packed = pack(hours)
    with database.writing() as session:
        session.add(DemandHours(campaign_id=campaign, last_hour=last_hour, packed=packed))
