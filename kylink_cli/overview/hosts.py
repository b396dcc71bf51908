"""Which hosts run a job, and which of them have gone silent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kylink_cli.rules.vocabulary import RunStatus, Trigger
from kylink_cli.store.tables import Run


@dataclass(frozen=True, slots=True)
class HostStatus:
    """How a job is doing on one host."""

    host: str
    last_run: Run  # under way or not
    silent: bool  # its timer should have started the job long ago


def by_host(recent: Sequence[Run], silence: timedelta | None, now: datetime) -> list[HostStatus]:
    """How a job is doing on each host that has run it, by the host's name.

    Args:
        recent: runs of the job, newest first.
        silence: a host is silent when its timer started nothing for so long; None if hosts may rest, since one run
            goes on in all.
    """
    last: dict[str, Run] = {}
    last_by_timer: dict[str, Run] = {}
    for run in recent:
        last.setdefault(run.host, run)
        if run.trigger == Trigger.TIMER:
            last_by_timer.setdefault(run.host, run)
    silent = {
        host
        for host, run in last_by_timer.items()
        if silence is not None and run.status != RunStatus.RUNNING and now - run.started_at > silence
    }
    return [HostStatus(host, last[host], host in silent) for host in sorted(last)]
