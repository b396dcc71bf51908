"""Recovering expired leases against the bare statements in one transaction."""

import json
import shutil
import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from kylink_cli.store.engine.database import Database
from tests.benchmarks.frame import Effort, Figure, against, alternate, seconds_of
from tests.support.cli import run_process
from tests.support.database import add_campaigns, new_database

LEASES = 200_000
CAMPAIGNS = 100

_ADD_ITEMS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :leases)
INSERT INTO stock_items (campaign_id, value, state, created_at, expires_at)
SELECT 'c' || (i % :campaigns), 'gclid=' || i, 'leased', :leased_at, :items_end FROM n
"""
_ADD_LEASES = """
INSERT INTO leases (token, campaign_id, item_id, key_index, state, leased_at, expires_at)
SELECT 'kl_' || id, campaign_id, id, 0, 'active', :leased_at, :deadline FROM stock_items
"""
_BY_HAND = (
    """
    UPDATE stock_items SET expirations = expirations + 1, state = CASE
        WHEN expires_at <= :now THEN 'expired' WHEN expirations + 1 >= 5 THEN 'discarded' ELSE 'available' END
    WHERE id IN (SELECT item_id FROM leases WHERE state = 'active' AND expires_at <= :now)
    """,
    "UPDATE leases SET state = 'expired', closed_at = :now WHERE state = 'active' AND expires_at <= :now",
)


def against_sql(effort: Effort) -> list[Figure]:
    """The job against the statements that somebody would write by hand."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        leases = effort.of(LEASES)
        with closing(new_database(folder)) as database:
            lease(database, leases)
        rounds = alternate(
            effort, {"kylink": lambda: _recover(folder, leases), "bare SQL": lambda: _recover_by_hand(folder, leases)}
        )
    return [against(rounds, "kylink", "bare SQL", f"recover {LEASES:,} expired leases", 1.5)]


def lease(database: Database, leases: int) -> None:
    """Fill a database with leases that are over."""
    now = datetime.now(UTC)
    facts = {
        "leases": leases,
        "campaigns": CAMPAIGNS,
        "leased_at": as_text(now - timedelta(hours=1)),
        "deadline": as_text(now - timedelta(minutes=45)),
        "items_end": as_text(now + timedelta(days=1)),
    }
    add_campaigns(database, *[f"c{number}" for number in range(CAMPAIGNS)])
    with database.writing() as session:
        session.execute(text(_ADD_ITEMS), facts)
        session.execute(text(_ADD_LEASES), facts)


def _recover(folder: Path, leases: int) -> float:
    """How long the job takes, from its run's start to its end."""
    copy = _copied(folder)
    result = run_process("recover-leases", "--json", env={"DATABASE_URL": f"sqlite:///{copy}"}, cwd=folder)
    document = json.loads(result.stdout)
    assert document["recovered"] == leases
    return float(document["duration_ms"]) / 1000


def _recover_by_hand(folder: Path, leases: int) -> float:
    now = {"now": as_text(datetime.now(UTC))}
    with closing(sqlite3.connect(_copied(folder), isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")

        def recover() -> None:
            connection.execute("BEGIN IMMEDIATE")
            changed = [connection.execute(statement, now).rowcount for statement in _BY_HAND]
            connection.execute("COMMIT")
            assert changed == [leases, leases]

        return seconds_of(recover)


def _copied(folder: Path) -> Path:
    """The same database for each measurement."""
    for old in folder.glob("copy.db*"):
        if old.is_file():
            old.unlink()
    return Path(shutil.copy(folder / "kylink.db", folder / "copy.db"))


def as_text(moment: datetime) -> str:
    """A moment as SQLite keeps it."""
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")
