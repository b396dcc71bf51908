"""What starts the jobs on this host, and when it does so next."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kylink_cli.errors import KylinkError
from kylink_cli.scheduling import cron, systemd
from kylink_cli.scheduling.calendar import next_time
from kylink_cli.scheduling.jobs import JOBS
from kylink_cli.settings import Settings


@dataclass(frozen=True, slots=True)
class Schedule:
    """What starts the jobs of a host."""

    by: Literal["systemd", "cron"]
    # by job that is started at all; None while that can't be told, as systemd can't while the job runs
    next_at: Mapping[str, datetime | None]


def read_schedule(settings: Settings, now: datetime) -> Schedule | None:
    """What starts the jobs on this host; None if nothing does, as far as can be seen."""
    for manager in _managers():
        try:
            states = manager.timers()
        except KylinkError:
            continue
        if any(state.loaded for state in states):
            return Schedule("systemd", {state.job.name: state.next_at for state in states if state.active})
    if not cron.PLACE.exists():
        return None
    local = now.astimezone()
    due: dict[str, datetime | None] = {
        job.name: next_time(job.interval_minutes(settings), job.minute, local) for job in JOBS
    }
    return Schedule("cron", due)


def _managers() -> Iterator[systemd.Manager]:
    if not systemd.is_running():
        return
    yield systemd.Manager()
    if os.environ.get("XDG_RUNTIME_DIR"):
        yield systemd.Manager(of_user=True)
