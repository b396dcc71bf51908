"""What the bell costs who takes, by the statements that the database is asked: never by clocks."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kylink_cli import leasing
from kylink_cli.errors import NoStockError
from kylink_cli.leasing import Bell, TakeRequest
from kylink_cli.store import bell
from kylink_cli.store.engine.database import Database
from tests.support.database import add_campaigns, add_items, new_database

NOW = datetime.now(UTC)
DELAY = timedelta(minutes=1)
POINT = 3


def test_recording_and_looking_are_one_statement_of_the_takes_own_transaction(tmp_path: Path) -> None:
    with closing(new_database(tmp_path)) as database:
        add_campaigns(database, "1")
        add_items(database, "1", 10)
        told = statements(database)
        leasing.take(database, TakeRequest("1", 15), NOW, bell=Bell(reorder_point=POINT))
    assert [statement.split()[0] for statement in told] == ["BEGIN", "WITH", "INSERT", "INSERT", "COMMIT"]
    assert "LIMIT 1 OFFSET" in told[3]


def test_who_is_refused_while_the_service_is_down_waits_for_no_more_than_before(tmp_path: Path) -> None:
    rings: list[int] = []

    def refused(now: datetime) -> list[str]:
        told = statements(database)
        with pytest.raises(NoStockError):
            leasing.take(database, TakeRequest("1", 15), now, bell=Bell(lambda: rings.append(1), DELAY, POINT))
        return [statement.split()[0] for statement in told]

    with closing(new_database(tmp_path)) as database:
        add_campaigns(database, "1")
        *before, ring, commit = refused(NOW)
        later = NOW + 2 * DELAY
        with database.writing() as session:
            bell.note_outage(session, later)
        # The same, but for the ring.
        assert (refused(later), ring) == ([*before, commit], "INSERT")
    assert len(rings) == 1


def statements(database: Database) -> list[str]:
    """What an embedded database is asked from now on, as it comes."""
    told: list[str] = []

    def note(statement: str) -> None:
        if not statement.startswith("PRAGMA"):
            told.append(statement)

    with closing(database.engine.raw_connection()) as connection:
        driven: Any = connection.driver_connection
        driven.set_trace_callback(note)
    return told
