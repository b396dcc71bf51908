"""How long it takes to find low stock: against the same question by hand, and as the consumed history grows."""

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kylink_cli import wiring
from kylink_cli.jobs import replenish
from kylink_cli.rules.demand import Asked
from kylink_cli.rules.replenishment import Demand
from kylink_cli.settings.fields import Settings
from kylink_cli.store.demand import minute_at
from kylink_cli.store.demand_hours import pack
from kylink_cli.store.engine.database import Database
from kylink_cli.store.levels import Scope
from tests.benchmarks.frame import Effort, Figure, against, alternate, seconds_of
from tests.support.database import new_database

SIZES = (1_000, 10_000, 100_000)
AVAILABLE = 10
# Items of a campaign that were consumed on the last day, and before; before its history has grown, and after.
CONSUMED_TODAY = 2
HISTORY = 4
GROWN_HISTORY = 40
# A look takes a fraction of a second.
LOOKS = 5
_NOW = datetime.now(UTC)

_ADD_CAMPAIGNS = """
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO campaigns (id, user_id, name, status, created_at)
SELECT 'c' || i, 'u1', 'Campaign ' || i, 'active', '2026-01-01 00:00:00.000000' FROM n
"""
# One campaign in twenty has none available.
_ADD_ITEMS = """
WITH RECURSIVE n(i) AS (VALUES (:first) UNION ALL SELECT i + 1 FROM n WHERE i < :last)
INSERT INTO stock_items (campaign_id, value, state, created_at, expires_at, consumed_at)
SELECT c.id, :kind || n.i, :state, :created_at, :expires_at, :consumed_at
FROM campaigns c CROSS JOIN n WHERE :state = 'consumed' OR c.rowid % 20
"""
_ADD_DEMAND = "INSERT INTO demand_hours (campaign_id, last_hour, packed) SELECT id, ?, ? FROM campaigns"
_BY_HAND = """
SELECT c.id, c.user_id, c.name, c.country, c.source_url, c.created_at, c.low_watermark, c.target_stock,
    coalesce(a.number, 0), coalesce(u.number, 0)
FROM campaigns c
LEFT JOIN (
    SELECT campaign_id, count(*) AS number FROM stock_items
    WHERE state = 'available' AND expires_at > :now GROUP BY campaign_id
) a ON a.campaign_id = c.id
LEFT JOIN (
    SELECT CAST(campaign_id AS TEXT) AS campaign_id, count(*) AS number FROM stock_items
    WHERE state = 'consumed' AND consumed_at > :yesterday GROUP BY 1
) u ON u.campaign_id = c.id
WHERE c.status = 'active'
AND coalesce(a.number, 0) < coalesce(c.low_watermark, max(3, min(20, (coalesce(u.number, 0) * 2 + 23) / 24)))
"""


def against_sql(effort: Effort) -> list[Figure]:
    """The scan of a run against the query that somebody would write by hand."""
    return [_figure(effort, campaigns) for campaigns in SIZES]


def with_history(effort: Effort) -> list[Figure]:
    """The scan before and after the consumed history has grown tenfold."""
    campaigns = effort.of(SIZES[-1])
    with tempfile.TemporaryDirectory() as name, closing(_stocked(Path(name), campaigns)) as database:
        before = alternate(effort, {"scan": _looking(database)}).median("scan")
        _add_items(database, "consumed", 2, HISTORY + 1, GROWN_HISTORY)
        after = alternate(effort, {"scan": _looking(database)}).median("scan")
    what = f"scan of {SIZES[-1]:,} campaigns after {GROWN_HISTORY * SIZES[-1] / 1e6:g} million items were consumed"
    unit = f"x after {HISTORY * SIZES[-1] / 1e6:g} million"
    return [Figure(what, after / before, unit, 1.05, f"{after:.3g} s against {before:.3g} s")]


def _figure(effort: Effort, campaigns: int) -> Figure:
    with tempfile.TemporaryDirectory() as name, closing(_stocked(Path(name), effort.of(campaigns))) as database:
        rounds = alternate(effort, {"kylink": _looking(database), "bare SQL": _looking_by_hand(database)})
    # Of few campaigns, the time is that of making the statement.
    target = 1.3 if campaigns == SIZES[-1] else None
    return against(rounds, "kylink", "bare SQL", f"scan of {campaigns:,} campaigns", target)


def _looking(database: Database) -> Callable[[], float]:
    """What tells how long the scan of a run takes."""
    assignment = wiring.assignment(Settings(), Scope(), Demand(), 0)

    def look() -> None:
        for _ in range(LOOKS):
            assert replenish.scan(database, assignment, _NOW)

    look()
    return lambda: seconds_of(look) / LOOKS


def _looking_by_hand(database: Database) -> Callable[[], float]:
    connection = sqlite3.connect(str(database.path))
    moments = {"now": _text(_NOW), "yesterday": _text(_NOW - timedelta(days=1))}

    def look() -> None:
        for _ in range(LOOKS):
            assert connection.execute(_BY_HAND, moments).fetchall()

    look()
    return lambda: seconds_of(look) / LOOKS


def _stocked(folder: Path, campaigns: int) -> Database:
    """A database with so many campaigns, their items, a short history, and what was asked for in it."""
    database = new_database(folder)
    hour = minute_at(_NOW) // 60
    demand = pack({hour - 12: Asked(CONSUMED_TODAY, 0), hour - 48: Asked(HISTORY, 0)})
    with database.writing() as session:
        session.connection().exec_driver_sql(_ADD_CAMPAIGNS, (campaigns,))
        session.connection().exec_driver_sql(_ADD_DEMAND, demand)
    _add_items(database, "available", 0, 1, AVAILABLE)
    _add_items(database, "consumed", 0.5, 1, CONSUMED_TODAY)
    _add_items(database, "consumed", 2, 1, HISTORY)
    return database


def _add_items(database: Database, state: str, days_ago: float, first: int, last: int) -> None:
    then = _NOW - timedelta(days=days_ago)
    facts = {
        "kind": f"{state}-{days_ago}-",
        "state": state,
        "first": first,
        "last": last,
        "created_at": _text(then - timedelta(hours=1)),
        "expires_at": _text(then + timedelta(days=2)),
        "consumed_at": _text(then) if state == "consumed" else None,
    }
    with database.writing() as session:
        session.connection().exec_driver_sql(_ADD_ITEMS, facts)


def _text(moment: datetime) -> str:
    """A moment as SQLite keeps it."""
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")
