"""A large installation for the benchmarks: campaigns, their items, and thirty days of what happened to them.

Set-based, since a row at a time takes minutes where this takes seconds; indexes are filled after the tables.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kylink_cli.rules.demand import Asked
from kylink_cli.store.demand import minute_at
from kylink_cli.store.demand_hours import pack
from tests.support.database import new_database

CAMPAIGNS = 100_000
DAYS = 30
# Of each campaign: what is in stock, and what was consumed on the days before.
AVAILABLE = 10
CONSUMED = 40
USERS = 50

_NUMBERS = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < :count)"
_CAMPAIGNS = f"""
{_NUMBERS}
INSERT INTO campaigns (id, user_id, name, status, country, source_url, created_at, last_replenished_at)
SELECT 'c' || i, 'u' || (i % {USERS}), 'Campaign ' || i, 'active', 'US', 'https://example.com/' || i, :old, :now FROM n
"""
_AVAILABLE = """
INSERT INTO stock_items (campaign_id, value, state, created_at, expires_at)
SELECT c.id, 'v=' || n.i || '&c=' || c.id, 'available', :now, :soon
FROM campaigns c CROSS JOIN (SELECT value AS i FROM json_each(:numbers)) n
"""
# A day's share of what each campaign has consumed, spread over its hours.
_CONSUMED = """
INSERT INTO stock_items (campaign_id, value, state, created_at, expires_at, consumed_at)
SELECT c.id, 'v=' || n.i || '&c=' || c.id, 'consumed', datetime(used, '-1 hour') || '.000000',
    datetime(used, '+2 days') || '.000000', used || '.000000'
FROM (SELECT value AS i FROM json_each(:numbers)) n
CROSS JOIN (SELECT id, datetime(:day, '+' || (rowid * 37 % 86400) || ' seconds') AS used FROM campaigns) c
"""
_LEASES = """
INSERT INTO leases (token, campaign_id, item_id, key_index, state, leased_at, expires_at, closed_at)
SELECT printf('kl_%015d', id), campaign_id, id, 0, 'confirmed', consumed_at, expires_at, consumed_at
FROM stock_items WHERE state = 'consumed'
"""
_REQUESTS = """
INSERT INTO supply_requests (key, campaign_id, quantity, body, state, created_at, finished_at, produced, duplicates)
SELECT printf('%036d', min(id)), campaign_id, 10, '{"campaign_id": "' || campaign_id || '", "quantity": 10}',
    'answered', min(created_at), min(created_at), 10, 0
FROM stock_items WHERE state = 'consumed' GROUP BY campaign_id, id % 4
"""
_RUNS = f"""
{_NUMBERS}
INSERT INTO runs (job, "trigger", host, pid, status, started_at, heartbeat_at, finished_at, duration_ms, figures)
SELECT :job, 'timer', 'host', 1, 'succeeded', began, began, began, 900, '{{"produced": 10, "total": 1}}'
FROM (SELECT datetime(:now, '-' || (i * :minutes) || ' minutes') || '.000000' AS began FROM n)
"""


def build(folder: Path, campaigns: int = CAMPAIGNS) -> Path:
    """A database with so many campaigns, fifty items of each, and their leases, requests, runs and demand.

    Returns:
        The path of its file.
    """
    new_database(folder).close()
    path = folder / "kylink.db"
    now = datetime.now(UTC)
    with closing(sqlite3.connect(path, isolation_level=None)) as sql:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -2000000"):
            sql.execute(f"PRAGMA {pragma}")
        indexes = sql.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
        sql.execute("BEGIN")
        for name, _ in indexes:
            sql.execute(f"DROP INDEX {name}")
        _fill(sql, campaigns, now)
        for _, statement in indexes:
            sql.execute(statement)
        sql.execute("COMMIT")
        sql.execute("PRAGMA journal_mode = WAL")
    return path


def _fill(sql: sqlite3.Connection, campaigns: int, now: datetime) -> None:
    moments = {"now": text(now), "soon": text(now + timedelta(days=2)), "old": text(now - timedelta(days=60))}
    sql.execute(_CAMPAIGNS, moments | {"count": campaigns})
    sql.execute(_AVAILABLE, moments | {"numbers": _listed(range(AVAILABLE))})
    for day in range(DAYS):
        sql.execute(_CONSUMED, {"numbers": _listed(_consumed_on(day)), "day": text(now - timedelta(days=day + 1))})
    sql.execute(_LEASES)
    sql.execute(_REQUESTS)
    for job, minutes in (("stock_replenish", 10), ("monitoring_alert", 10), ("lease_recovery", 5)):
        runs = {"job": job, "minutes": minutes, "count": DAYS * 24 * 60 // minutes}
        sql.execute(_RUNS, moments | runs)
    sql.executemany("INSERT INTO demand_hours VALUES (?, ?, ?)", _demand(campaigns, now))
    # Items that a campaign is refilled at: as if a run had looked, and found enough.
    sql.execute(
        "INSERT INTO reorder_points (campaign_id, items, due_minute, rule) SELECT id, 2, ?, 0 FROM campaigns",
        (minute_at(now) + 24 * 60,),
    )


def _demand(campaigns: int, now: datetime) -> Iterator[tuple[str, int, bytes]]:
    """What was asked of each campaign: what it consumed, which is the same of those that consume in the same hour."""
    packed: dict[int, tuple[int, bytes]] = {}
    for number in range(1, campaigns + 1):
        hour = (int(now.timestamp()) + number * 37 % 86_400) // 3600 - 24
        if hour not in packed:
            packed[hour] = pack({hour - 24 * day: Asked(len(_consumed_on(day)), 0) for day in range(DAYS)})
        yield f"c{number}", *packed[hour]


def _consumed_on(day: int) -> range:
    """The numbers of the items that each campaign consumed so many days ago."""
    first, last = CONSUMED * day // DAYS, CONSUMED * (day + 1) // DAYS
    return range(AVAILABLE + first, AVAILABLE + last)


def _listed(numbers: range) -> str:
    return str(list(numbers))


def text(moment: datetime) -> str:
    """A moment as SQLite keeps it."""
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")
