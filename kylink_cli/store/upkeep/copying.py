"""Copying a whole database into another one, of whatever kind: in order, resumably, and compared at the end.

1. The target is new or empty, or holds an unfinished copy of the same source; it is marked as unfinished, in the place
   of its revision, so that nothing else works with it.
2. What an interrupted copy has left there is compared with the source, and thrown away if that has changed since.
3. Rows are copied table by table in the order of their keys, so that an interrupted copy is always the beginning.
4. The source is marked as moved, and hands nothing out any more; both sides are counted and added up anew: what was
   written to the source meanwhile is noticed.
5. The target takes its numbers up where the source is, and gets its revision.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Select, Table, delete, func, select, text
from sqlalchemy.orm import Session
from sqlmodel import SQLModel

from kylink_cli.errors import DatabaseError, UsageError
from kylink_cli.language import marked, tr
from kylink_cli.rules import counted
from kylink_cli.store.engine import lineage, schema
from kylink_cli.store.engine.database import Database
from kylink_cli.store.engine.lineage import LifeState
from kylink_cli.store.upkeep import sums

ROWS_AT_ONCE = 2_000

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy came to."""

    rows: dict[str, int]  # by table, in the order in which they were copied
    resumed: int  # rows that an earlier, interrupted copy had brought


@dataclass(frozen=True, slots=True)
class Move:
    """From where to where; neither name holds a password."""

    origin: str  # names the source, to know an unfinished copy again
    moved_to: str | None  # what the source says of itself afterwards; None if both are to be worked with


def copy(source: Database, target: Database, move: Move, progress: Progress) -> Copied:
    """Copy all rows of a database into one that is new, empty, or an unfinished copy of the same.

    Args:
        source: a database of the current revision.
        progress: notified of each table, with rows copied and rows in all.

    Raises:
        UsageError: the target holds something else.
        DatabaseUnfitError: one of the two is of another revision than the program.
        DatabaseError: one of the two failed, or the source was written to meanwhile; the same call goes on.
    """
    schema.require_current(source)
    source.read(lineage.refuse_backup)
    _mark(target, schema.UNFINISHED_COPY + hashlib.sha256(move.origin.encode()).hexdigest()[:16])
    tables = SQLModel.metadata.sorted_tables
    with source.reading() as snapshot:
        present = _beginnings(snapshot, target, tables)
        for rows in tables:
            _copy_table(snapshot, target, rows, present[rows.name], progress)
    with _resting(source, move.moved_to):
        counts = _compare(source, target, tables, progress)
        target.commit(_finish)
    lineage.adopt(target)
    return Copied(counts, sum(present.values()))


@contextmanager
def _resting(source: Database, moved_to: str | None) -> Iterator[None]:
    """Mark a database as moved, unless what follows fails: then it is where it was."""
    if moved_to is not None:
        source.commit(partial(lineage.rest, state=LifeState.MOVED, moved_to=moved_to))
    try:
        yield
    except DatabaseError:
        if moved_to is not None:
            source.commit(lineage.wake)
        raise


def _mark(target: Database, mark: str) -> None:
    """Mark a new or empty database as an unfinished copy.

    Raises:
        UsageError: it holds something else.
    """
    found = schema.read_version(target)
    if found == mark:
        return
    if found is not None and found.startswith(schema.UNFINISHED_COPY):
        raise UsageError(tr("--to holds an unfinished copy of another database: finish that one, or name another"))
    if found is None:
        schema.upgrade(target)
    schema.require_current(target)
    with target.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :mark"), {"mark": mark})
        if any(session.scalar(select(1).select_from(rows).limit(1)) for rows in SQLModel.metadata.sorted_tables):
            raise UsageError(
                tr("--to holds data already, and nothing is ever overwritten: name a new or empty database")
            )


def _beginnings(snapshot: Session, target: Database, tables: Sequence[Table]) -> dict[str, int]:
    """How many rows of each table the target holds already; all are thrown away if the source has others."""
    with target.reading() as session:
        found = {rows.name: sums.add_up(session, select(rows)) for rows in tables}
    wanted = {rows.name: sums.add_up(snapshot, _in_order(rows).limit(found[rows.name].rows)) for rows in tables}
    if found != wanted:
        target.commit(lambda session: _clear(session, tables))
        return dict.fromkeys(found, 0)
    return {name: total.rows for name, total in found.items()}


def _clear(session: Session, tables: Sequence[Table]) -> None:
    for rows in reversed(tables):
        session.execute(delete(rows))


def _copy_table(snapshot: Session, target: Database, rows: Table, present: int, progress: Progress) -> None:
    total = snapshot.scalar(select(func.count()).select_from(rows)) or 0
    done = present
    missing = _in_order(rows).offset(present).limit(total).execution_options(yield_per=ROWS_AT_ONCE)
    with snapshot.execute(missing) as found:
        for batch in found.mappings().partitions():
            target.commit(partial(_insert, rows=rows, values=[dict(row) for row in batch]))
            done += len(batch)
            progress(rows.name, done, total)


def _insert(session: Session, rows: Table, values: list[dict[str, Any]]) -> None:
    session.connection().execute(rows.insert(), values)


def _in_order(rows: Table) -> Select[Any]:
    return select(rows).order_by(*rows.primary_key.columns)


def _compare(source: Database, target: Database, tables: Sequence[Table], progress: Progress) -> dict[str, int]:
    """Count and add up both sides.

    Raises:
        DatabaseError: they differ.
    """
    counts = {}
    for rows in tables:
        with source.reading() as one, target.reading() as other:
            wanted, found = sums.add_up(one, select(rows)), sums.add_up(other, select(rows))
        if wanted != found:
            raise DatabaseError(
                tr(
                    "{table} differ: {rows} there, {copied} copied; the source was written to meanwhile: stop "
                    "the timers and the consumers, and run the command again",
                    table=rows.name,
                    rows=counted.rows(wanted.rows),
                    copied=found.rows,
                )
            )
        counts[rows.name] = found.rows
        progress(marked("tables compared"), len(counts), len(tables))
    return counts


def _finish(session: Session) -> None:
    """Number new rows after those that were copied, and let the copy be a database of its own."""
    if session.get_bind().dialect.name == "postgresql":
        for rows in SQLModel.metadata.sorted_tables:
            if rows.autoincrement_column is not None:
                session.execute(text(_TAKE_UP.format(table=rows.name, column=rows.autoincrement_column.name)))
    session.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": schema.revisions()[-1]})


_TAKE_UP = "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), max({column})) FROM {table}"
