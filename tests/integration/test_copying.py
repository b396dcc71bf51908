"""Copying a database: both ways, compared, resumed where it was, and never over anything."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update
from sqlmodel import SQLModel

from kylink_cli.errors import DatabaseError, DatabaseUnfitError, UsageError
from kylink_cli.store import runs, takes
from kylink_cli.store.bell import Look
from kylink_cli.store.engine import schema
from kylink_cli.store.engine.database import Database, create_database
from kylink_cli.store.engine.postgresql import open_server
from kylink_cli.store.tables import Alert, Campaign, FileValue, PausedJob, Run, StockItem, table
from kylink_cli.store.takes import NewLease
from kylink_cli.store.upkeep import sums
from kylink_cli.store.upkeep.copying import ROWS_AT_ONCE, Copied, Move, copy
from tests.support.database import add_campaigns, add_items
from tests.support.postgres import PostgresServer

NOW = datetime(2026, 2, 6, 8, 0, 0, 123456, tzinfo=UTC)
HEAD = schema.revisions()[-1]
MANY = ROWS_AT_ONCE + 10

items = table(StockItem)


class KilledError(Exception):
    """Stands for a death in mid-copy."""


@pytest.fixture
def target(database: Database, tmp_path: Path, postgres: PostgresServer) -> Iterator[Database]:
    """A new database of the other kind."""
    if database.path is None:
        other = create_database(tmp_path / "copy.db")
    else:
        postgres.execute("DROP DATABASE IF EXISTS empty", "CREATE DATABASE empty")
        other = open_server(postgres.url("empty"))
    yield other
    other.close()


@pytest.fixture
def source(database: Database) -> Database:
    """A database with rows in most tables, with gaps in their numbers and odd characters."""
    add_campaigns(database, "c1", "ü/€ '\"", "c-2")
    add_items(database, "c1", MANY)
    add_items(database, "c-2", 5, state="consumed")
    with database.writing() as session:
        session.execute(items.delete().where(items.c.id == 3))
        run = Run(
            job="stock_replenish",
            trigger="timer",
            host="h",
            pid=1,
            status="running",
            started_at=NOW,
            heartbeat_at=NOW,
            figures={"b": 1, "a": [None, "ü"]},
        )
        runs.start(session, run)
        alert = Alert(
            type="LOW_STOCK", level="INFO", fingerprint="f", title="t", message="m", details={"x": 1.5}, count=2,
            first_seen_at=NOW, last_seen_at=NOW,
        )  # fmt: skip
        session.add_all([alert, PausedJob(job="j", paused_at=NOW), FileValue(source="s", value="v", request_key="k")])
    wanted = NewLease("c1", 3, NOW + timedelta(minutes=15), key="k")
    database.commit_direct(lambda transaction: takes.take(transaction, wanted, Look(NOW, NOW, 0)))
    return database


def nobody(_table: str, _done: int, _total: int) -> None:
    """Nobody is told."""


def everything(database: Database) -> dict[str, sums.Sum]:
    with database.reading() as session:
        return {rows.name: sums.add_up(session, select(rows)) for rows in SQLModel.metadata.sorted_tables}


def copy_all(source: Database, target: Database) -> Copied:
    return copy(source, target, Move("here", None), nobody)


def copy_and_die(source: Database, target: Database) -> None:
    def die(_table: str, done: int, total: int) -> None:
        if done < total:
            raise KilledError

    with pytest.raises(KilledError):
        copy(source, target, Move("here", None), die)


def test_every_row_is_copied_as_it_is_and_new_ones_come_after(source: Database, target: Database) -> None:
    told: list[tuple[str, int, int]] = []
    done = copy(source, target, Move("here", None), lambda *batch: told.append(batch))
    assert everything(target) == everything(source)
    assert {name: total.rows for name, total in everything(source).items()} == done.rows
    assert ("stock_items", ROWS_AT_ONCE, MANY + 4) in told
    assert ("stock_items", MANY + 4, MANY + 4) in told
    schema.require_current(target)
    with target.writing() as session:
        session.add(StockItem(campaign_id="c1", value="new", created_at=NOW, expires_at=NOW))
        session.flush()
        assert session.scalar(select(func.max(items.c.id))) == MANY + 6


def test_an_unfinished_copy_is_used_for_nothing_and_goes_on_where_it_was(source: Database, target: Database) -> None:
    copy_and_die(source, target)
    with pytest.raises(DatabaseUnfitError, match="the database is an unfinished copy"):
        schema.require_current(target)
    assert copy_all(source, target).resumed > ROWS_AT_ONCE
    assert everything(target) == everything(source)


def test_what_an_interrupted_copy_left_is_copied_anew_if_the_source_has_changed(
    source: Database, target: Database
) -> None:
    copy_and_die(source, target)
    with source.writing() as session:
        session.execute(update(items).where(items.c.id == 1).values(value="another"))
    assert copy_all(source, target).resumed == 0
    assert everything(target) == everything(source)


def test_a_source_that_is_written_to_meanwhile_is_noticed(source: Database, target: Database) -> None:
    def write_once(name: str, done: int, total: int) -> None:
        if name == "stock_items" and done < total:
            add_campaigns(source, "late")

    with pytest.raises(DatabaseError, match="campaigns differ: 4 rows there, 3 copied; the source was written to"):
        copy(source, target, Move("here", None), write_once)
    with pytest.raises(DatabaseUnfitError, match="unfinished copy"):
        schema.require_current(target)
    assert copy_all(source, target).rows["campaigns"] == 4


def test_a_difference_of_one_character_is_noticed(source: Database, target: Database) -> None:
    def corrupt(name: str, _done: int, _total: int) -> None:
        if name == "stock_items":
            with target.writing() as session:
                session.execute(update(items).where(items.c.id == 1).values(value="c1-available-48-0."))

    with pytest.raises(DatabaseError, match="stock_items differ"):
        copy(source, target, Move("here", None), corrupt)


def test_data_is_never_overwritten(source: Database, target: Database) -> None:
    schema.upgrade(target)
    add_campaigns(target, "precious")
    with pytest.raises(UsageError, match="--to holds data already"):
        copy_all(source, target)
    schema.require_current(target)
    with target.reading() as session:
        assert session.scalars(select(table(Campaign).c.id)).all() == ["precious"]


def test_an_unfinished_copy_of_another_database_is_left_alone(source: Database, target: Database) -> None:
    copy_and_die(source, target)
    with pytest.raises(UsageError, match="unfinished copy of another database"):
        copy(source, target, Move("elsewhere", None), nobody)


def test_a_source_of_another_revision_is_refused(source: Database, target: Database) -> None:
    with source.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(DatabaseUnfitError, match="run 'kylink db upgrade'"):
        copy_all(source, target)
