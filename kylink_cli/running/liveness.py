"""Whether a run that is recorded as running is alive."""

from datetime import datetime, timedelta

from kylink_cli.locks.base import Locks
from kylink_cli.store.tables import Run

BEAT_SECONDS = 30
# A run on another host that has been silent for so long is dead.
SILENT_AFTER = timedelta(minutes=5)


def own_lock(run_id: int) -> str:
    """The name of the lock that a run holds for as long as it lives."""
    return f"run-{run_id}"


def is_dead(run: Run, locks: Locks, now: datetime) -> bool:
    """Whether a run that is recorded as running has died without an end.

    On this host the run's lock tells, since pids and boot ids can't be seen from inside a sandboxed unit; of a run on
    another host only its heartbeat is known, by the clock of the database that both share.
    """
    if run.host == locks.of_host.host:
        return locks.of_host.is_free(own_lock(run.id or 0))
    return now - run.heartbeat_at > SILENT_AFTER
