"""Work that is done batch by batch, so that consumers get in between."""

import time
from typing import Final, Protocol, TypeVar

from sqlalchemy.orm import Session

from kylink_cli.rules.pace import Pace
from kylink_cli.store.engine.database import Database

# Writers of SQLite who wait look again every few milliseconds, and need a gap to find.
PAUSE_SECONDS: Final = 0.005

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Sweep(Protocol[T_co]):
    """What changes a limited number of rows."""

    def __call__(self, session: Session, /, *, limit: int) -> T_co:
        """What it has come to."""


def commit_batch(database: Database, batch: Sweep[T], pace: Pace) -> T:
    """Do a batch in a transaction of its own; how long its work kept others waiting sets the size of the next one.

    Raises:
        DatabaseError: the database failed; nothing was changed.
    """
    limit = pace.rows

    def act(session: Session) -> tuple[T, float]:
        # From here on others wait; that it had to wait itself says nothing of its size.
        session.connection()
        began = time.perf_counter()
        return batch(session, limit=limit), time.perf_counter() - began

    done, seconds = database.commit(act)
    pace.learn(seconds)
    return done
