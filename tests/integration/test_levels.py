"""Reading levels: no low campaign is missed, few others are read, and the work grows no faster than what is stored."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from sqlalchemy import event

from kylink_cli.rules.replenishment import Policy, need
from kylink_cli.store.engine.database import Database
from kylink_cli.store.levels import Scope, read_levels
from kylink_cli.store.tables import Campaign
from tests.support.database import add_campaigns, add_items
from tests.support.policies import COVER

NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    "policy",
    [
        COVER,
        replace(COVER, watermark_min=1, watermark_max=2, watermark_default=4, cover_hours=24),
        replace(COVER, watermark_min=4, watermark_max=6, watermark_default=1, cover_hours=0.3),
    ],
    ids=["usual", "high default", "low default"],
)
def test_no_low_campaign_is_missed_and_full_ones_are_not_read(database: Database, policy: Policy) -> None:
    for available, consumed, own, days in product((0, 1, 3, 6), (0, 1, 36, 60), (None, 2, 7), (0, 9)):
        key = f"{available}-{consumed}-{own}-{days}"
        with database.writing() as session:
            created_at = NOW - timedelta(days=days)
            session.add(Campaign(id=key, user_id="u", name="n", low_watermark=own, created_at=created_at))
        add_items(database, key, available)
        add_items(database, key, consumed, state="consumed")
    with database.reading() as session:
        every = read_levels(session, NOW, Scope())
        read = read_levels(session, NOW, Scope(), low_by=policy)
    low = {level.campaign_id for level in every if need(level, policy, NOW).low}
    assert low <= {level.campaign_id for level in read}
    assert len(read) < len(every) - 10


def test_the_work_grows_with_the_campaigns_and_not_with_their_square(embedded: Database) -> None:
    _stock(embedded, 0, 100)
    few = _steps(embedded)
    _stock(embedded, 100, 400)
    assert _steps(embedded) < 5 * few


def test_the_work_does_not_grow_with_the_history(embedded: Database) -> None:
    _stock(embedded, 0, 50)
    young = _steps(embedded)
    with embedded.writing() as session:
        session.connection().exec_driver_sql(
            "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 200) "
            "INSERT INTO stock_items (campaign_id, value, state, created_at, expires_at, consumed_at) "
            "SELECT id, 'old' || i, 'consumed', '2026-01-01', '2026-01-03', '2026-01-02' FROM campaigns CROSS JOIN n"
        )
    assert _steps(embedded) < 1.05 * young


def _stock(database: Database, first: int, last: int) -> None:
    campaigns = [f"c{number}" for number in range(first, last)]
    add_campaigns(database, *campaigns)
    for campaign in campaigns:
        add_items(database, campaign, 3)
        add_items(database, campaign, 2, state="consumed")


def _steps(database: Database) -> int:
    """How many steps of its virtual machine SQLite takes to read the levels, in tens."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    def watch(connection: sqlite3.Connection, *_: object) -> None:
        connection.set_progress_handler(count, 10)

    event.listen(database.engine.pool, "checkout", watch)
    with database.reading() as session:
        read_levels(session, NOW, Scope(), low_by=COVER)
    event.remove(database.engine.pool, "checkout", watch)
    return steps
