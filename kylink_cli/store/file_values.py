"""Values of `file:` supplies that were handed out, each once."""

from collections.abc import Iterator
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from kylink_cli.store.database import Database, upsert
from kylink_cli.store.tables import FileValue, table

_values = table(FileValue)


class FileValues:
    """Remembers in the database which values were handed out, and to which order."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, source: str, key: str, quantity: int, values: Iterator[str]) -> list[str]:
        """Hand out values that were never handed out; the same key gets the same ones again.

        Args:
            source: the file that they come from.
            key: the order's idempotency key.
            quantity: how many are wanted.
            values: the values to choose from, in order; read only as far as needed.

        Raises:
            DatabaseError: nothing was handed out.
        """
        with self._database.writing() as session:
            taken = _of_key(session, source, key)
            while len(taken) < quantity and (batch := list(islice(values, quantity - len(taken)))):
                taken += _claim(session, source, key, batch)
            return taken


def _of_key(session: Session, source: str, key: str) -> list[str]:
    """The values that an order has got."""
    statement = select(_values.c.value).where(_values.c.source == source, _values.c.request_key == key)
    return list(session.scalars(statement))


def _claim(session: Session, source: str, key: str, values: list[str]) -> list[str]:
    """Give an order those values that no other has got."""
    insert = upsert(session, _values).on_conflict_do_nothing(index_elements=["source", "value"])
    rows = [{"source": source, "value": value, "request_key": key} for value in values]
    return list(session.scalars(insert.returning(_values.c.value), rows))
