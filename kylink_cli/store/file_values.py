"""Values of `file:` supplies that were handed out, each once."""

from collections.abc import Iterator
from functools import partial
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from kylink_cli.store.engine.database import Database, upsert
from kylink_cli.store.tables import FileValue, table

_LOOKED_UP_AT_ONCE = 1000

_values = table(FileValue)


class FileValues:
    """Remembers in the database which values were handed out, and to which order."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unused(self, source: str, values: Iterator[str]) -> Iterator[str]:
        """Those of a file's values that were not handed out yet, in order.

        A long used-up beginning is passed over with a look-up for many lines, and without holding up other writers.

        Args:
            source: the file that they come from.
            values: what it holds; read only as far as needed.
        """
        while batch := list(islice(values, _LOOKED_UP_AT_ONCE)):
            used = self._database.read(partial(_used, source=source, values=batch))
            yield from (value for value in batch if value not in used)

    def take(self, source: str, key: str, quantity: int, values: Iterator[str]) -> list[str]:
        """Hand out values that no other order has got; the same key gets the same ones again.

        Args:
            source: the file that they come from.
            key: the order's idempotency key.
            quantity: how many are wanted.
            values: the values to choose from, in order; read only as far as needed.

        Raises:
            DatabaseError: the database failed; what was handed out already stays the key's.
        """
        taken = self._database.read(partial(_of_key, source=source, key=key))
        while len(taken) < quantity and (batch := list(islice(values, quantity - len(taken)))):
            taken += self._database.commit(partial(_claim, source=source, key=key, values=batch))
        return taken


def _used(session: Session, source: str, values: list[str]) -> set[str]:
    """Which of some values were handed out."""
    statement = select(_values.c.value).where(_values.c.source == source, _values.c.value.in_(values))
    return set(session.scalars(statement))


def _of_key(session: Session, source: str, key: str) -> list[str]:
    """The values that an order has got."""
    statement = select(_values.c.value).where(_values.c.source == source, _values.c.request_key == key)
    return list(session.scalars(statement))


def _claim(session: Session, *, source: str, key: str, values: list[str]) -> list[str]:
    """Give an order those values that no other has got."""
    insert = upsert(session, _values).on_conflict_do_nothing(index_elements=["source", "value"])
    rows = [{"source": source, "value": value, "request_key": key} for value in values]
    return list(session.scalars(insert.returning(_values.c.value), rows))
