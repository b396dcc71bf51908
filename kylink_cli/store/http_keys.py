"""Keys of the HTTP face."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy.orm import Session

from kylink_cli.store.engine.database import upsert
from kylink_cli.store.tables import HttpKey, table

_keys = table(HttpKey)


def add(session: Session, key: HttpKey) -> bool:
    """Record a key.

    Returns:
        False if there is one of its name.
    """
    insert = upsert(session, _keys).values(key.model_dump()).on_conflict_do_nothing(index_elements=["name"])
    return session.scalar(insert.returning(_keys.c.name)) is not None


def read_all(session: Session) -> list[HttpKey]:
    """Every key, by name."""
    return list(session.scalars(select(HttpKey).order_by(_keys.c.name)))


def find(session: Session, public_id: str) -> HttpKey | None:
    """The key of a public id; None if there is none (any more)."""
    return session.scalars(select(HttpKey).where(_keys.c.public_id == public_id)).first()


def rotate(session: Session, name: str, public_id: str, secret_hash: str, now: datetime) -> bool:
    """Give a key another secret; the earlier one is dead.

    Returns:
        False if there is no such key.
    """
    statement = (
        update(_keys)
        .where(_keys.c.name == name)
        .values(public_id=public_id, secret_hash=secret_hash, rotated_at=now, last_used_at=None)
    )
    return session.scalar(statement.returning(_keys.c.name)) is not None


def remove(session: Session, name: str) -> bool:
    """Delete a key.

    Returns:
        False if there is none.
    """
    return session.scalar(delete(_keys).where(_keys.c.name == name).returning(_keys.c.name)) is not None


def note_use(session: Session, used: Mapping[str, datetime]) -> None:
    """Record when keys were last used, by public id; whoever notes an earlier moment later changes nothing."""
    moment = bindparam("moment", type_=_keys.c.last_used_at.type)
    statement = (
        update(_keys)
        .where(
            _keys.c.public_id == bindparam("used_id"),
            or_(_keys.c.last_used_at.is_(None), _keys.c.last_used_at < moment),
        )
        .values(last_used_at=moment)
    )
    session.connection().execute(statement, [{"used_id": key, "moment": at} for key, at in used.items()])
