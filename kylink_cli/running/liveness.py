"""Whether a run that is recorded as running is alive."""

from datetime import datetime, timedelta

from kylink_cli.locks.base import Locks
from kylink_cli.store.tables import Run

BEAT_SECONDS = 30
# A run that has been silent for so long is dead.
SILENT_AFTER = timedelta(minutes=5)


def own_lock(run: Run) -> str:
    """The name of the lock that a run holds for as long as it lives: no other run ever has it, of whatever database."""
    return f"run-{run.id}-{run.started_at:%Y%m%d%H%M%S%f}"


def is_dead(run: Run, locks: Locks, now: datetime) -> bool:
    """Whether a run that is recorded as running has died without an end.

    Its lock tells if this host has it, since pids and boot ids can't be seen from inside a sandboxed unit. A lock that
    is not here proves nothing: another host may have it, another user or container of this one, or somebody removed
    the file. Then only the run's heartbeat tells, by the clock of the database that all share.
    """
    here, name = locks.of_host, own_lock(run)
    if run.host == here.host and here.knows(name):
        return here.is_free(name)
    return now - run.heartbeat_at > SILENT_AFTER
