"""How long a consumer waits for a lease, and for its confirmation, while a job works on the same database."""

import multiprocessing
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from sqlalchemy import text

from kylink_cli.store.engine.database import Database
from tests.benchmarks import leases, recovery
from tests.benchmarks.frame import Effort, Figure
from tests.benchmarks.service import supply_service
from tests.support.cli import clean_environment, run_process
from tests.support.database import add_campaigns, new_database, url_of
from tests.support.postgres import PostgresServer

CONSUMER = "mine"
FILLED = 1_000
OLD_ITEMS = 1_000_000
# Milliseconds, of a hundred calls all but one.
TARGETS = {"SQLite": 50, "PostgreSQL": 20}
LONGEST_MS = 100

_ADD_ITEMS = text("""
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
INSERT INTO stock_items (campaign_id, value, state, created_at, expires_at, consumed_at)
SELECT :campaign, :state || i, :state, :end, :end, :consumed FROM n
""")


def beside_jobs(effort: Effort) -> list[Figure]:
    """The 99th percentile of the calls beside a recovery and beside a run that fills; the longest beside retention."""
    with tempfile.TemporaryDirectory() as name, closing(new_database(Path(name))) as embedded:
        figures = _beside(effort, "SQLite", embedded)
        _add(embedded, effort.of(OLD_ITEMS), "consumed", days=-60)
        waits = _waits(embedded, "recover-leases", "--quiet")
        what = f"longest of a consumer's calls on SQLite while {OLD_ITEMS:,} old items are deleted"
        figures.append(Figure(what, max(waits) * 1000, "ms", LONGEST_MS, _detail(waits)))
    with PostgresServer(fsync="on") as server, server.database() as shared:
        return [*figures, *_beside(effort, "PostgreSQL", shared)]


def _beside(effort: Effort, kind: str, database: Database) -> list[Figure]:
    recovery.lease(database, effort.of(recovery.LEASES))
    add_campaigns(database, CONSUMER, *[f"low{number}" for number in range(effort.of(FILLED))])
    _add(database, 50_000, "available", days=2)
    with supply_service(20) as url:
        beside = {
            f"a recovery of {recovery.LEASES:,} leases": _waits(database, "recover-leases", "--quiet"),
            f"a run that fills {FILLED:,} campaigns": _waits(database, "replenish", "--all", "--quiet", url=url),
        }
    return [
        Figure(
            f"a consumer's calls on {kind} beside {job}: p99", _p99(waits) * 1000, "ms", TARGETS[kind], _detail(waits)
        )
        for job, waits in beside.items()
    ]


def _add(database: Database, count: int, state: str, days: int) -> None:
    end = datetime.now(UTC) + timedelta(days=days)
    facts = {"count": count, "campaign": CONSUMER, "state": state, "end": recovery.as_text(end)}
    with database.writing() as session:
        session.execute(_ADD_ITEMS, facts | {"consumed": facts["end"] if state == "consumed" else None})


def _waits(database: Database, *command: str, url: str = "http://127.0.0.1:9/") -> list[float]:
    """How long each of the consumer's calls took while a command ran, seconds."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    consumer = spawn.Process(target=consume, args=(url_of(database), theirs))
    consumer.start()
    ours.recv()
    with tempfile.TemporaryDirectory() as name:
        settings = {"DATABASE_URL": url_of(database), "PROXY_API_URL": url, "PROXY_API_KEY": "key"}
        done = run_process(*command, env=clean_environment(Path(name)) | settings, cwd=Path(name))
    assert done.returncode == 0, done.stderr
    ours.send("enough")
    waits: list[float] = ours.recv()
    consumer.join()
    return waits


def consume(url: str, other: Connection) -> None:
    """Take and confirm until told that it is enough, then tell how long each call took."""
    waits: list[float] = []

    def timed(act: Callable[[], Sequence[str]]) -> Sequence[str]:
        began = time.perf_counter()
        done = act()
        waits.append(time.perf_counter() - began)
        return done

    with closing(leases.open_stock(url)) as stock:
        stock.confirm("none")
        other.send("ready")
        while not other.poll():
            token = timed(lambda: [stock.take(CONSUMER).token])
            timed(lambda: [result.token for result in stock.confirm(*token)])  # noqa: B023  (called at once)
    other.send(waits)


def _p99(waits: list[float]) -> float:
    return sorted(waits)[len(waits) * 99 // 100]


def _detail(waits: list[float]) -> str:
    middle = sorted(waits)[len(waits) // 2]
    return f"{len(waits):,} calls, median {middle * 1000:.3g} ms, longest {max(waits) * 1000:.3g} ms"
