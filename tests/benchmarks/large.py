"""What operators type, and what timers start, where there is much: beside the bare SQL of what it shows.

Processor time is compared: bare SQL waits for nobody, and nor does a command, but on a shared machine both are kept
waiting. A command's start is what the same command takes on an empty database.
"""

import sqlite3
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.benchmarks import estate
from tests.benchmarks.frame import Cost, Effort, Figure, cost_of
from tests.support.cli import clean_environment
from tests.support.database import new_database

TARGET = 1.5
PEAK_MIB = 300

_AVAILABLE = """
SELECT campaign_id, count(*) AS number FROM stock_items WHERE state = 'available' AND expires_at > :now GROUP BY 1
"""
_LOW = f"""
SELECT c.id, a.number FROM campaigns c LEFT JOIN ({_AVAILABLE}) a ON a.campaign_id = c.id
JOIN reorder_points r ON r.campaign_id = c.id WHERE coalesce(a.number, 0) < r.items
"""
_CAMPAIGNS = f"""
SELECT c.*, a.number, u.number, l.number FROM campaigns c LEFT JOIN ({_AVAILABLE}) a ON a.campaign_id = c.id
LEFT JOIN (
    SELECT CAST(campaign_id AS TEXT) AS campaign_id, count(*) AS number FROM stock_items
    WHERE state = 'consumed' AND consumed_at > :yesterday GROUP BY 1
) u ON u.campaign_id = c.id
LEFT JOIN (SELECT campaign_id, count(*) AS number FROM leases WHERE state = 'active' GROUP BY 1) l
ON l.campaign_id = c.id ORDER BY c.id
"""
_DEMAND = "SELECT campaign_id, last_hour, packed FROM demand_hours"
_RUNS = "SELECT * FROM runs WHERE started_at > :yesterday"
_OVERDUE = "SELECT count(*) FROM leases WHERE state = 'active' AND expires_at <= :now"
_EXPIRED = "SELECT count(*) FROM stock_items WHERE state = 'available' AND expires_at <= :now"
_CLOSED = "SELECT state, count(*) FROM leases WHERE closed_at > :yesterday GROUP BY 1"
_ORDERED = "SELECT campaign_id, sum(quantity) FROM supply_requests WHERE created_at > :yesterday GROUP BY 1"
_ANSWERED = """
SELECT substr(finished_at, 1, 13), state, count(*) FROM supply_requests WHERE finished_at > :{} GROUP BY 1, 2
"""
_CONSUMED = """
SELECT substr(consumed_at, 1, 13), count(*) FROM stock_items WHERE state = 'consumed' AND consumed_at > :{} GROUP BY 1
"""
_CHECKS = (
    "PRAGMA integrity_check",
    "PRAGMA foreign_key_check",
    "SELECT count(*) FROM (SELECT 1 FROM stock_items GROUP BY campaign_id, value HAVING count(*) > 1)",
    "SELECT count(*) FROM (SELECT 1 FROM leases WHERE state = 'confirmed' GROUP BY item_id HAVING count(*) > 1)",
    """
    SELECT count(*) FROM leases l JOIN stock_items i ON i.id = l.item_id
    WHERE l.state = 'confirmed' AND i.state <> 'consumed'
    """,
    """
    SELECT campaign_id, count(*) FROM leases
    WHERE state IN ('active', 'confirmed') AND leased_at > :yesterday GROUP BY 1
    """,
    _DEMAND,
)
_COUNTS = (
    *[f"SELECT count(*) FROM {name}" for name in ("campaigns", "stock_items", "leases", "supply_requests", "runs")],
    "SELECT state, count(*) FROM stock_items GROUP BY 1",
)
_FIGURES = (_CAMPAIGNS, _DEMAND, _CLOSED, _ANSWERED.format("yesterday"), _RUNS)

# Each with what somebody would ask for who wanted to see the same.
COMMANDS: Mapping[str, Sequence[str]] = {
    "replenish --all --quiet": (_LOW,),
    "alert-check --quiet": (_LOW, _DEMAND, _OVERDUE, _CLOSED, _ORDERED, _ANSWERED.format("yesterday"), _RUNS),
    "recover-leases --quiet": (_OVERDUE, _EXPIRED),
    "jobs status": (_RUNS,),
    "campaigns list": (_CAMPAIGNS, _DEMAND),
    "campaigns list --json": (_CAMPAIGNS, _DEMAND),
    "watch --once": (*_FIGURES, _CONSUMED.format("yesterday")),
    "metrics": _FIGURES,
    "report --out report.html": (*_FIGURES, _CONSUMED.format("last_week"), _ANSWERED.format("last_week")),
    "db check": _CHECKS,
    "db stats": _COUNTS,
}


def commands(effort: Effort) -> list[Figure]:
    """Time and peak memory of each command, with the first run of a rule left out: it looks at every campaign once."""
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as other:
        folder, empty = Path(name), Path(other)
        estate.build(folder, effort.of(estate.CAMPAIGNS))
        new_database(empty).close()
        _run("replenish --all --quiet", folder)
        return [figure for command in COMMANDS for figure in _figures(command, folder, empty)]


def _figures(command: str, folder: Path, empty: Path) -> list[Figure]:
    start, whole, bare = _run(command, empty), _run(command, folder), _by_hand(COMMANDS[command], folder)
    what = f"{command}, {estate.CAMPAIGNS:,} campaigns"
    ratio = whole.seconds / (start.seconds + bare)
    detail = f"{whole.seconds:.3g} s of processor time against {start.seconds:.2g} s + {bare:.3g} s"
    return [
        Figure(what, ratio, "x its start and bare SQL", TARGET, detail),
        Figure(f"{what}: peak memory", whole.peak_mib, "MiB", PEAK_MIB),
    ]


def _run(command: str, folder: Path) -> Cost:
    settings = {
        "DATABASE_URL": f"sqlite:///{folder / 'kylink.db'}",
        "PROXY_API_URL": "http://127.0.0.1:9/",
        "PROXY_API_KEY": "key",
        # The stock that the estate has is enough.
        "COVER_MINUTES": "0",
    }
    return cost_of(*command.split(), env=clean_environment(folder) | settings, cwd=folder)


def _by_hand(statements: Sequence[str], folder: Path) -> float:
    now = datetime.now(UTC)
    moments = {
        "now": estate.text(now),
        "yesterday": estate.text(now - timedelta(days=1)),
        "last_week": estate.text(now - timedelta(days=7)),
    }
    with closing(sqlite3.connect(folder / "kylink.db")) as sql:
        began = time.process_time()
        for statement in statements:
            sql.execute(statement, {key: at for key, at in moments.items() if f":{key}" in statement}).fetchall()
        return time.process_time() - began
