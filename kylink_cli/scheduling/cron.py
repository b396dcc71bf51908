"""cron on this host: one file with the three jobs, for hosts without systemd."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from kylink_cli.scheduling.calendar import cron_times
from kylink_cli.scheduling.jobs import JOBS, Job
from kylink_cli.scheduling.units import Installed
from kylink_cli.settings.fields import Settings

PLACE = Path("/etc/cron.d/kylink")
USER = "kylink"
STATE_FOLDER = Path("/var/lib/kylink")

_HEAD = f"""\
# kylink's jobs, for a host without systemd. 'kylink cron install' writes this file, with the intervals of the settings.
# Each run takes kylink's own lock, begins at its own second, and writes its log lines to syslog; nothing is mailed.
SHELL=/bin/sh
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
MAILTO=""
STATE_DIRECTORY={STATE_FOLDER}

"""


def render(installed: Installed, settings: Settings) -> str:
    """The file for cron (crontab(5))."""
    return _HEAD + "".join(f"{line}\n" for job in JOBS for line in _lines(job, installed, settings))


def _lines(job: Job, installed: Installed, settings: Settings) -> Iterator[str]:
    yield f"# every {job.interval_minutes(settings)} minutes: {job.name}"
    wait = f"sleep {job.second}; " if job.second else ""
    words = (_quoted(installed.program), "--env-file", _quoted(installed.env_file), "--log-format", "journal")
    command = " ".join([*words, job.command, *job.arguments])
    for times in cron_times(job.interval_minutes(settings), job.minute):
        yield f"{times} {USER} {wait}{command} 2>&1 >/dev/null | {_logger(job.unit)}"


def _logger(tag: str) -> str:
    """What takes the lines to syslog; busybox's logger knows no priorities at their beginning, and ends at once."""
    return f"{{ logger --prio-prefix -t {tag} 2>/dev/null || logger -t {tag}; }}"


def _quoted(path: Path) -> str:
    """A path as a word of a shell's line, in which cron takes a bare `%` for a newline."""
    return shlex.quote(str(path)).replace("%", "\\%")
