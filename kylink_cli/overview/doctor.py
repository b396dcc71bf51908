"""`kylink doctor`: is everything there that an unattended run needs, and what to do where it is not.

Each check is a function that yields findings; `cli/doctor.py` lists them in the order in which they are shown, and
makes a finding of a KylinkError that ends one.
"""

import asyncio
import os
import pwd
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from kylink_cli.alerting.posting import Alerting
from kylink_cli.errors import KylinkError
from kylink_cli.language import tr
from kylink_cli.locks.base import Locks
from kylink_cli.overview.status import JobStatus
from kylink_cli.rules.moments import readable
from kylink_cli.rules.notices import GIVE_UP_AFTER
from kylink_cli.scheduling.host import Schedule
from kylink_cli.scheduling.jobs import JOBS
from kylink_cli.settings.loading import Loaded
from kylink_cli.store import outbox, runs
from kylink_cli.store.engine.database import Database
from kylink_cli.supply.base import Supplier

# Before it, a checkpoint beside writers can corrupt a file in WAL mode (sqlite.org/releaselog/3_51_3.html).
SAFE_SQLITE = (3, 51, 3)
CLOCK_TOLERANCE = timedelta(minutes=1)
RECENT_RUNS = 20
# For another doctor who looks at the same moment.
_PATIENCE_SECONDS = 5

Verdict = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found."""

    area: str
    verdict: Verdict
    text: str
    advice: str = ""  # empty if there is nothing to do


def check_settings(loaded: Loaded, unusable: Sequence[str], odd: Sequence[str]) -> Iterator[Finding]:
    """Can a run work with the settings, do they say what is meant, and is the env file private?

    Args:
        unusable: what a run could not work with.
        odd: what is probably meant otherwise.
    """
    source = tr("read from {env_file}", env_file=loaded.env_file) if loaded.env_file else tr("no env file")
    if not unusable:
        yield Finding("settings", "ok", tr("all values are valid ({source})", source=source))
    for text in unusable:
        yield Finding("settings", "error", text, tr("fix the value and run 'kylink config check'"))
    for text in odd:
        yield Finding("settings", "warning", text)
    if loaded.refused is not None:
        yield Finding("settings", "warning", loaded.refused)
    if loaded.env_file is not None and loaded.env_file.stat().st_mode & stat.S_IROTH:
        yield Finding(
            "settings",
            "warning",
            tr("{env_file} can be read by everybody", env_file=loaded.env_file),
            f"chmod o-r {loaded.env_file}",
        )


def check_timers(schedule: Schedule | None) -> Iterator[Finding]:
    """Does anything start the jobs on this host?"""
    if schedule is None:
        advice = tr("sudo kylink systemd install --now, or sudo kylink cron install")
        yield Finding("timers", "warning", tr("no timer starts the jobs on this host"), advice)
        return
    yield Finding("timers", "ok", tr("{by} starts the jobs on this host", by=schedule.by))
    for job in JOBS:
        if job.name not in schedule.next_at:
            advice = f"systemctl enable --now {job.unit}.timer"
            yield Finding("timers", "warning", tr("the timer of {name} is off", name=job.name), advice)


def check_schedule(found: Sequence[JobStatus], *, auto_cron: bool) -> Iterator[Finding]:
    """Do scheduled runs do anything, and do timers start them?"""
    if auto_cron:
        yield Finding("schedule", "ok", tr("scheduled runs are on"))
    else:
        yield Finding("schedule", "warning", tr("scheduled runs do nothing"), tr("set ENABLE_AUTO_CRON=true"))
    for status in found:
        problem = _timer_problem(status)
        if problem is not None:
            yield Finding("schedule", "warning", *problem)


def _timer_problem(status: JobStatus) -> tuple[str, str] | None:
    """What keeps a job's scheduled runs away, and what to do about it."""
    name = status.job.name
    if status.paused_since is not None:
        return tr("{name} has been paused since {moment}", name=name, moment=_moment(status.paused_since)), tr(
            "run 'kylink jobs resume {name}'", name=name
        )
    if status.enabled and status.due_at is None:
        return tr("no timer has started {name} yet", name=name), tr(
            "have a timer or cron start 'kylink {command}'", command=status.job.command
        )
    if status.overdue and status.due_at is not None:
        return tr("{name} has been overdue since {moment}", name=name, moment=_moment(status.due_at)), tr(
            "check whether its timer is active"
        )
    return None


def check_database(database: Database) -> Iterator[Finding]:
    """Is the database of this program's revision, on a sound SQLite?"""
    yield Finding("database", "ok", tr("{place} exists and is up to date", place=database.path or tr("the server")))
    if database.path is not None and sqlite3.sqlite_version_info < SAFE_SQLITE:
        version = sqlite3.sqlite_version
        yield Finding(
            "database",
            "ok",
            tr("SQLite {version}: do not run wal_checkpoint by hand beside the jobs", version=version),
        )


def check_owners(database_path: Path | None, lock_folder: Path) -> Iterator[Finding]:
    """Do the files belong to one user, and to nobody else's eyes? A stray `sudo kylink` must not stop the timers."""
    files = dict(_files(database_path, lock_folder))
    if not files:
        return
    folder = next(iter(files)).parent
    owner = folder.stat().st_uid
    for path, status in files.items():
        if status.st_uid != owner:
            advice = f"chown {_user(owner)} {path}"
            yield Finding(
                "files",
                "error",
                tr("{path} belongs to {owner}, its folder does not", path=path, owner=_user(status.st_uid)),
                advice,
            )
        if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield Finding("files", "warning", tr("{path} is open to other users", path=path), f"chmod go= {path}")
        if not os.access(path, os.W_OK):
            advice = tr("run as {owner}: sudo -u {owner} kylink …", owner=_user(owner))
            yield Finding(
                "files",
                "error",
                tr("{path} can't be written by {user}", path=path, user=_user(os.geteuid())),
                advice,
            )
    yield Finding("files", "ok", tr("{folder} belongs to {owner}", folder=folder, owner=_user(owner)))


def check_channels(alerting: Alerting, database: Database, now: datetime) -> Iterator[Finding]:
    """Does anybody hear of alerts? Nothing is sent."""
    if not alerting.channels:
        advice = tr("set ALERT_NOTIFY_URLS or ALERT_WEBHOOK_URL")
        yield Finding("alerts", "warning", tr("no channel is set up for alerts"), advice)
    else:
        names = ", ".join(channel.name for channel in alerting.channels)
        yield Finding(
            "alerts", "ok", tr("alerts are sent through {names} ('kylink alerts test' sends a probe)", names=names)
        )
    undelivered = database.read(lambda session: outbox.undelivered(session, now - GIVE_UP_AFTER))
    for one in undelivered:
        yield Finding("alerts", "warning", one.text, tr("fix the channel, then run 'kylink alerts test'"))


def check_locks(locks: Locks) -> Iterator[Finding]:
    """Can locks be taken, and which jobs run now?"""
    with locks.hold("doctor", wait_seconds=_PATIENCE_SECONDS):
        yield Finding("locks", "ok", tr("locks can be taken"))
    for job in JOBS:
        if not locks.is_free(job.name):
            yield Finding("locks", "ok", tr("{name} is running now", name=job.name))


def check_supply(supplier: Supplier) -> Iterator[Finding]:
    """Can the supply service be reached? Nothing is ordered."""

    async def look() -> str:
        try:
            return await supplier.check()
        finally:
            await supplier.close()

    try:
        yield Finding("supply", "ok", asyncio.run(look()))
    except KylinkError as error:
        yield Finding("supply", "error", str(error), tr("check PROXY_API_URL, the network and the service"))


def check_clock(database: Database, now: datetime) -> Iterator[Finding]:
    """Does the clock go on from where the last runs saw it?"""
    recent = database.read(lambda session: runs.history(session, None, RECENT_RUNS))
    latest = max(recent, key=lambda run: run.started_at, default=None)
    if latest is not None and latest.started_at > now + CLOCK_TOLERANCE:
        ahead = latest.started_at - now
        text = tr("run {id} began {ahead} in the future: the clock was set back", id=latest.id, ahead=ahead)
        yield Finding("clock", "error", text, tr("set the clock right (timedatectl)"))
        return
    yield Finding("clock", "ok", _moment(now))


def _files(database_path: Path | None, lock_folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    suffixes = () if database_path is None else ("", "-wal", "-shm", ".generation")
    beside = [Path(f"{database_path}{suffix}") for suffix in suffixes]
    for path in (*beside, lock_folder, *sorted(lock_folder.glob("*.lock"))):
        # What belongs to a run goes with it, even while this looks.
        with suppress(FileNotFoundError, NotADirectoryError):
            yield path, path.stat()


def _moment(moment: datetime) -> str:
    return readable(moment)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return tr("uid {uid}", uid=uid)
