"""Purging: what has been kept long enough is deleted batch by batch, so that others can write in between."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

from sqlalchemy.orm import Session

from kylink_cli.store.database import Database

BATCH_SIZE = 1_000


class Delete(Protocol):
    """A statement that deletes at most so many rows of one kind that are older than a moment."""

    def __call__(self, session: Session, before: datetime, limit: int) -> int:
        """How many were deleted."""


Deletion = tuple[Delete, datetime]


def purge(database: Database, deletions: Sequence[Deletion], batch_size: int = BATCH_SIZE) -> Iterator[int]:
    """Delete what is old, each batch in a transaction of its own.

    Args:
        database: where it is.
        deletions: what is deleted, one kind after the other.
        batch_size: rows that one transaction deletes.

    Yields:
        How many rows a batch has deleted.

    Raises:
        DatabaseError: the database failed; every batch before is committed.
    """
    for delete, before in deletions:
        deleted = batch_size
        while deleted == batch_size:
            deleted = database.commit(partial(delete, before=before, limit=batch_size))
            yield deleted
