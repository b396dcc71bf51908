"""The units of systemd: the files of the folder `systemd/`, with what settings and host make different.

The files are units as an administrator reads them, valid as they lie there. An installation differs in the path of the
program and of the env file, the times, and the limit of a replenish run. A user's own units go without the part that
only the system's manager can grant: another user, a state directory, credentials and the sandbox.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kylink_cli.errors import ConfigError
from kylink_cli.language import tr
from kylink_cli.places import BELL_PATH_UNIT, state_directory
from kylink_cli.scheduling.calendar import systemd_times
from kylink_cli.scheduling.jobs import JOBS, REPLENISH, Job
from kylink_cli.settings.fields import Settings

FILES = Path(__file__).parent / "unit_files"
FAILURE_UNIT = "kylink-failure@.service"
BELL_SERVICE = "kylink-bell.service"
SYSUSERS_FILE = "kylink.sysusers.conf"

_COMMAND = "ExecStart=/usr/bin/env kylink --env-file /etc/kylink/kylink.env"
_TIMES = "OnCalendar="
_LIMIT = "TimeoutStartSec="
_RUNG = "/var/lib/kylink/bell/rung"
# The first line of what only the system's manager can grant.
_SYSTEM_PART = "# Who it is"
# After its deadline a run has 10 s for calls in flight; the rest is for its alerts and notifications.
_LIMIT_AFTER_DEADLINE_SECONDS = 120
# What ProtectHome= and PrivateTmp= hide from a service.
_HIDDEN = (Path("/home"), Path("/root"), Path("/run/user"), Path("/tmp"), Path("/var/tmp"))  # noqa: S108


@dataclass(frozen=True, slots=True)
class Installed:
    """Where an installation of kylink is."""

    program: Path  # absolute
    interpreter: Path  # the program behind it, links resolved
    env_file: Path  # absolute
    of_user: bool = False  # the units are a user's own

    def check_reachable(self) -> None:
        """Check that the units can see what they need.

        Raises:
            ConfigError: something lies where the sandbox hides it.
        """
        for path in () if self.of_user else (self.program, self.interpreter, self.env_file):
            if any(path.is_relative_to(folder) for folder in _HIDDEN):
                raise ConfigError(
                    tr("the units could not read {path}: their sandbox hides that folder; put it elsewhere", path=path)
                )


def render(installed: Installed, settings: Settings) -> dict[str, str]:
    """The unit files of an installation, by name."""
    units = {FAILURE_UNIT: _service(FAILURE_UNIT, installed, None)}
    for job in JOBS:
        service = f"{job.unit}.service"
        units[service] = _service(service, installed, _limit(settings) if job is REPLENISH else None)
        units[f"{job.unit}.timer"] = _timer(job, settings)
    units[BELL_SERVICE] = _service(BELL_SERVICE, installed, _limit(settings))
    units[BELL_PATH_UNIT] = shipped(BELL_PATH_UNIT)
    if installed.of_user:
        rung = str(state_directory() / "bell" / "rung")
        for name in (BELL_SERVICE, BELL_PATH_UNIT):
            units[name] = units[name].replace(_RUNG, rung.replace("%", "%%"))
    return units


def names() -> list[str]:
    """The unit files of an installation."""
    return [
        FAILURE_UNIT,
        BELL_PATH_UNIT,
        BELL_SERVICE,
        *[f"{job.unit}.{kind}" for job in JOBS for kind in ("service", "timer")],
    ]


def shipped(name: str) -> str:
    """A file of the folder `systemd/`, as it is shipped."""
    return (FILES / name).read_text(encoding="utf-8")


def _service(name: str, installed: Installed, limit: str | None) -> str:
    lines = list(_of_user(name) if installed.of_user else shipped(name).splitlines())
    command = f"ExecStart={_quoted(installed.program)} --env-file {_quoted(installed.env_file)}"
    lines = [line.replace(_COMMAND, command) for line in lines]
    if limit is not None:
        lines = [f"{_LIMIT}{limit}" if line.startswith(_LIMIT) else line for line in lines]
    return "\n".join(lines) + "\n"


def _of_user(name: str) -> Iterator[str]:
    """The lines of a service that a user's own manager understands."""
    part, _, _ = shipped(name).partition(f"\n{_SYSTEM_PART}")
    yield from part.splitlines()


def _timer(job: Job, settings: Settings) -> str:
    times = systemd_times(job.interval_minutes(settings), job.minute, job.second)
    lines = shipped(f"{job.unit}.timer").splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith(_TIMES))
    return "\n".join([*lines[:place], *[f"{_TIMES}{time}" for time in times], *lines[place + 1 :]]) + "\n"


def _limit(settings: Settings) -> str:
    minutes, seconds = divmod(settings.deadline_seconds + _LIMIT_AFTER_DEADLINE_SECONDS, 60)
    return f"{minutes}min" + (f" {seconds}s" if seconds else "")


def _quoted(path: Path) -> str:
    """A path as a word of a unit's command line (systemd.service(5), command lines; systemd.unit(5), specifiers)."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"' if any(character in text for character in " '\"\\;") else text
