"""The schema: migrations and models say the same, revisions are followed upward only, and the indexes are used."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event, inspect, text
from sqlalchemy.schema import SchemaItem
from sqlmodel import SQLModel

from kylink_cli import wiring
from kylink_cli.errors import DatabaseError, DatabaseUnfitError
from kylink_cli.settings.fields import Settings
from kylink_cli.store.engine import commit_marks, lineage
from kylink_cli.store.engine.database import Database, create_database
from kylink_cli.store.engine.schema import read_schema, require_current, revisions, upgrade
from kylink_cli.store.levels import Scope, count_available, read_levels
from tests.support.database import add_campaigns, add_items

HEAD = revisions()[-1]
IN_NO_MODEL = {lineage.TABLE.name, commit_marks.TABLE.name}


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_the_migrations_lead_to_what_the_models_say(database: Database) -> None:
    with database.reading() as session:
        connection = session.connection()
        options = {"compare_type": True, "include_object": partial(_belongs_to, connection.dialect.name)}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, SQLModel.metadata) == []


def _belongs_to(dialect: str, thing: SchemaItem, *_: object) -> bool:
    """Whether a part of a model is meant for a dialect; Alembic does not look."""
    if (
        getattr(thing, "name", None) in IN_NO_MODEL
        or getattr(getattr(thing, "table", None), "name", None) in IN_NO_MODEL
    ):
        return False
    condition = getattr(thing, "_ddl_if", None)
    return condition is None or condition.dialect == dialect


def test_the_migrations_lead_to_the_models_checks_and_partial_indexes(database: Database) -> None:
    """What Alembic does not compare: CHECK constraints, and what indexes are on."""
    migrated = _conditions(database)
    with database.writing() as session:
        SQLModel.metadata.drop_all(session.connection())
        SQLModel.metadata.create_all(session.connection())
    assert _conditions(database) == migrated


def _conditions(database: Database) -> dict[str, set[str]]:
    with database.reading() as session:
        inspector = inspect(session.connection())
        return {
            name: {str(check["sqltext"]) for check in inspector.get_check_constraints(name)}
            | {_described(index) for index in inspector.get_indexes(name)}
            for name in inspector.get_table_names()
            if name not in {"alembic_version", *IN_NO_MODEL}
        }


def _described(index: Mapping[str, Any]) -> str:
    condition = [str(option) for option in index.get("dialect_options", {}).values()]
    return f"{index['name']}: {index['unique']} {index['column_names']} {index.get('expressions')} {condition}"


def test_a_new_database_is_brought_to_the_program_s_revision_once(tmp_path: Path) -> None:
    database = create_database(tmp_path / "kylink.db")
    assert [upgrade(database).current, upgrade(database).current] == [None, HEAD]
    require_current(database)
    database.close()


def test_an_upgrade_keeps_what_is_stored(database: Database) -> None:
    add_campaigns(database, "c1")
    upgrade(database)
    with database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM campaigns")) == 1


def test_a_failed_upgrade_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "kylink.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        connection.execute("CREATE TABLE stock_items (in_the_way TEXT)")
    database = create_database(path)
    with pytest.raises(DatabaseError, match="its revision was set back"):
        upgrade(database)
    with database.reading() as session:
        assert set(inspect(session.connection()).get_table_names()) == {"alembic_version", "stock_items"}
    database.close()


def test_only_a_command_that_creates_fills_an_emptied_database(tmp_path: Path) -> None:
    path = tmp_path / "kylink.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM")
    settings = Settings(database_url=f"sqlite:///{path}")
    with pytest.raises(DatabaseUnfitError, match="holds no tables"):
        wiring.existing_database(settings)
    wiring.new_database(settings).close()
    wiring.existing_database(settings).close()


def test_revisions_are_numbered_without_gaps() -> None:
    assert list(revisions()) == [f"{number:04}" for number in range(1, len(revisions()) + 1)]


def test_looking_up_the_revision_tells_both_sides(database: Database) -> None:
    schema = read_schema(database)
    assert (schema.current, schema.head, schema.is_current) == (HEAD, HEAD, True)


@pytest.mark.parametrize("index", ["ix_stock_items_available", "ix_stock_items_consumed"])
def test_levels_are_read_by_the_partial_indexes(embedded: Database, index: str) -> None:
    add_campaigns(embedded, "c1")
    add_items(embedded, "c1", 3)
    assert index in _plan_of_levels(embedded)


def _plan_of_levels(database: Database) -> str:
    """How SQLite goes about the statement behind the levels, with the very parameters it is given."""
    seen = []
    event.listen(database.engine, "before_cursor_execute", lambda *call: seen.append(call[2:4]))
    with database.reading() as session:
        read_levels(session, datetime.now(UTC), Scope())
        statement, parameters = seen[0]
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return "\n".join(row.detail for row in plan)


def test_only_unexpired_items_count_as_available(database: Database) -> None:
    add_campaigns(database, "c1", "c2")
    add_items(database, "c1", 3)
    add_items(database, "c1", 2, hours=-1)
    with database.reading() as session:
        assert count_available(session, datetime.now(UTC), ["c1", "c2"]) == {"c1": 3}


def test_a_revision_that_was_set_back_is_named_as_that(database: Database) -> None:
    """What an upgrade would add is there already."""
    for revision in revisions()[:-1]:
        with database.writing() as session:
            session.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
        with pytest.raises(DatabaseUnfitError, match=f"at revision {revision}, .* set back") as caught:
            upgrade(database)
        assert caught.value.exit_code == 78
