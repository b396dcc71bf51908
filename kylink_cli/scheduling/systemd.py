"""systemd on this host: its units of kylink's, put in place, taken away, and asked how they are."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kylink_cli.children import search_path
from kylink_cli.errors import KylinkError
from kylink_cli.language import tr
from kylink_cli.places import BELL_PATH_UNIT
from kylink_cli.rules.text import one_line
from kylink_cli.scheduling.changes import Change, carry_out
from kylink_cli.scheduling.jobs import JOBS, Job
from kylink_cli.scheduling.units import BELL_SERVICE

SYSUSERS_PLACE = Path("/etc/sysusers.d/kylink.conf")

_RUNNING = Path("/run/systemd/system")
_SYSTEM_UNITS = Path("/etc/systemd/system")
_TIMERS = [f"{job.unit}.timer" for job in JOBS]
_SERVICES = [f"{job.unit}.service" for job in JOBS]
_PROPERTIES = (
    "Id",
    "LoadState",
    "ActiveState",
    "ActiveEnterTimestamp",
    "UnitFileState",
    "NextElapseUSecRealtime",
    "LastTriggerUSec",
    "Result",
)
_PATIENCE_SECONDS = 120
_MOMENT = "%a %Y-%m-%d %H:%M:%S UTC"


@dataclass(frozen=True, slots=True)
class TimerState:
    """What systemd says of a job's timer."""

    job: Job
    loaded: bool  # systemd knows the timer
    active: bool
    active_since: datetime | None  # None if it is not
    enabled: bool  # it begins with the machine
    last_at: datetime | None
    next_at: datetime | None
    result: str  # how the job's last run ended for systemd, as `success` or `exit-code`


@dataclass(frozen=True, slots=True)
class Manager:
    """One of systemd's managers: the system's, or a user's own."""

    of_user: bool = False  # the user's own, not the system's

    @property
    def folder(self) -> Path:
        """Where an administrator's units lie."""
        if not self.of_user:
            return _SYSTEM_UNITS
        return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"

    def install(self, changes: Sequence[Change], *, now: bool) -> None:
        """Put units in place; timers that are at work follow at once.

        Args:
            now: whether the timers begin, now and with the machine.

        Raises:
            BadFileError: a file can't be written.
            KylinkError: systemd refuses.
        """
        # Before anything is changed: does it answer at all?
        self.timers()
        carry_out(changes)
        if any(change.path == SYSUSERS_PLACE for change in changes):
            _run("systemd-sysusers", str(SYSUSERS_PLACE))
        self._systemctl("daemon-reload")
        changed = [change.path.name for change in changes if change.path.suffix in {".timer", ".path"}]
        if changed:
            self._systemctl("try-restart", *changed)
        if now:
            self._systemctl("enable", "--now", *_TIMERS, BELL_PATH_UNIT)

    def uninstall(self, changes: Sequence[Change]) -> None:
        """End timers and jobs in good order, and take their units away.

        Raises:
            BadFileError: a file can't be removed.
            KylinkError: systemd refuses.
        """
        there = [state.job for state in self.timers() if state.loaded]
        if there:
            timers = [f"{job.unit}.timer" for job in there]
            bell = [BELL_PATH_UNIT] if (self.folder / BELL_PATH_UNIT).exists() else []
            self._systemctl("disable", "--now", *timers, *bell)
            self._systemctl("stop", *[f"{job.unit}.service" for job in there], *[BELL_SERVICE for _ in bell])
            # It takes a D-Bus, which a small system has not; when the timers last ran is all that is left then.
            with suppress(KylinkError):
                self._systemctl("clean", "--what=state", *timers)
        carry_out(changes)
        self._systemctl("daemon-reload")
        # Also the failures that systemd remembers of units that are gone.
        self._systemctl("reset-failed", "kylink-*")

    def start(self, job: Job) -> None:
        """Start a job's unit, and do not wait for its end.

        Raises:
            KylinkError: systemd refuses, or knows no such unit.
        """
        self._systemctl("--no-ask-password", "start", "--no-block", f"{job.unit}.service")

    def timers(self) -> list[TimerState]:
        """What systemd says of each job's timer.

        Raises:
            KylinkError: it does not answer.
        """
        shown = self._systemctl("show", f"--property={','.join(_PROPERTIES)}", *_TIMERS, *_SERVICES)
        units = {facts["Id"]: facts for facts in _blocks(shown)}
        return [_timer_state(job, units[f"{job.unit}.timer"], units[f"{job.unit}.service"]) for job in JOBS]

    def _systemctl(self, *arguments: str) -> str:
        return _run("systemctl", *(["--user"] if self.of_user else []), *arguments)


def is_running() -> bool:
    """Whether systemd manages this host (sd_booted(3))."""
    return _RUNNING.is_dir()


def _run(*command: str) -> str:
    """Run one of systemd's programs, in UTC and English.

    Raises:
        KylinkError: it fails, with what it says.
    """
    environment = os.environ | {"TZ": "UTC", "LC_ALL": "C", "PATH": search_path(os.environ)}
    try:
        done = subprocess.run(  # noqa: S603  (the arguments are ours)
            command, env=environment, capture_output=True, text=True, check=False, timeout=_PATIENCE_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = one_line(str(error))
        raise KylinkError(tr("{program} can't be used: {reason}", program=command[0], reason=reason)) from None
    if done.returncode != 0:
        reason = one_line(done.stderr) or tr("exit code {code}", code=done.returncode)
        raise KylinkError(tr("'{command}' failed: {reason}", command=" ".join(command), reason=reason))
    return done.stdout


def _blocks(shown: str) -> Iterator[Mapping[str, str]]:
    """The units in what `systemctl show` prints, each in a paragraph of its own."""
    for block in shown.split("\n\n"):
        facts = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if facts:
            yield facts


def _timer_state(job: Job, timer: Mapping[str, str], service: Mapping[str, str]) -> TimerState:
    is_active = timer["ActiveState"] == "active"
    return TimerState(
        job=job,
        loaded=timer["LoadState"] == "loaded",
        active=is_active,
        active_since=_moment(timer["ActiveEnterTimestamp"]) if is_active else None,
        enabled=timer["UnitFileState"] == "enabled",
        last_at=_moment(timer["LastTriggerUSec"]),
        next_at=_moment(timer["NextElapseUSecRealtime"]),
        result=service["Result"],
    )


def _moment(shown: str) -> datetime | None:
    try:
        return datetime.strptime(shown, _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        # Empty or "n/a": there is none.
        return None
