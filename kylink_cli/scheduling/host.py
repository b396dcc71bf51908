"""What starts the jobs on this host, and when it does so next."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from kylink_cli.errors import KylinkError
from kylink_cli.scheduling import cron, systemd
from kylink_cli.scheduling.calendar import next_time
from kylink_cli.scheduling.jobs import JOBS
from kylink_cli.settings.fields import Settings


@dataclass(frozen=True, slots=True)
class Schedule:
    """What starts the jobs of a host."""

    by: Literal["systemd", "cron"]
    # by job that is started at all; None while that can't be told, as systemd can't while the job runs
    next_at: Mapping[str, datetime | None]
    # by job, since when it is: its timer is at work, or the file of cron is there; missing where that can't be told
    since: Mapping[str, datetime]


def read_schedule(settings: Settings, now: datetime) -> Schedule | None:
    """What starts the jobs on this host; None if nothing does, as far as can be seen."""
    for manager in _managers():
        try:
            states = manager.timers()
        except KylinkError:
            continue
        if any(state.loaded for state in states):
            since = {state.job.name: state.active_since for state in states if state.active_since is not None}
            return Schedule("systemd", {state.job.name: state.next_at for state in states if state.active}, since)
    put_there = _changed_at(cron.PLACE)
    if put_there is None:
        return None
    local = now.astimezone()
    due: dict[str, datetime | None] = {
        job.name: next_time(job.interval_minutes(settings), job.minute, local) for job in JOBS
    }
    return Schedule("cron", due, dict.fromkeys(due, put_there))


def _changed_at(file: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError:
        return None


def _managers() -> Iterator[systemd.Manager]:
    if not systemd.is_running():
        return
    yield systemd.Manager()
    if os.environ.get("XDG_RUNTIME_DIR"):
        yield systemd.Manager(of_user=True)
