"""Marks of commits on a server: by its own row it is known whether a commit whose answer did not come has happened.

A transaction's number would not do: after a crash, the server may give it to somebody else's transaction.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import DateTime, Uuid, column, delete, select, table, text
from sqlalchemy.orm import Session

# Not among the models: it is no part of what a database holds, and stays empty in an embedded one.
TABLE = table("commit_marks", column("id", Uuid), column("made_at", DateTime(timezone=True)))
# A transaction that wrote nothing leaves no mark, and needs none.
_LEAVE = text(
    "INSERT INTO commit_marks (id, made_at) SELECT :id, clock_timestamp() "
    "WHERE pg_current_xact_id_if_assigned() IS NOT NULL RETURNING pg_current_xact_id()::text, pg_backend_pid()"
)
# Number and process together, among kylink's own: after a restart, either may be somebody else's.
_END_BACKEND = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = :backend "
    "AND backend_xid = CAST(CAST(:number AS xid8) AS xid) AND usename = current_user"
)


@dataclass(frozen=True, slots=True)
class Committing:
    """A transaction that is about to be committed."""

    number: str
    backend: int  # the process on the server
    mark: UUID | None = None  # that it has left


def leave(session: Session) -> Committing | None:
    """Leave a mark, right before the commit; None if the transaction has written nothing."""
    mark = uuid4()
    row = session.execute(_LEAVE, {"id": mark}).first()
    return None if row is None else Committing(row[0], row[1], mark)


def is_left(session: Session, committing: Committing | None) -> bool:
    """Whether the transaction that left a mark was committed."""
    return (
        committing is not None and session.scalar(select(TABLE.c.id).where(TABLE.c.id == committing.mark)) is not None
    )


def end(session: Session, committing: Committing) -> bool:
    """End a transaction that nobody waits for any more; whether it was still under way."""
    given = {"number": committing.number, "backend": committing.backend}
    return session.execute(_END_BACKEND, given).first() is not None


def delete_old(session: Session, before: datetime, limit: int) -> int:
    """Delete marks of commits that nobody asks about any more.

    Returns:
        How many were deleted.
    """
    old = select(TABLE.c.id).where(TABLE.c.made_at < before).limit(limit)
    return session.connection().execute(delete(TABLE).where(TABLE.c.id.in_(old))).rowcount
