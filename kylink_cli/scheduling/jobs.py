"""The three jobs, described once: name, command, interval, and where in the clock they begin."""

from dataclasses import dataclass

from kylink_cli.rules.vocabulary import JobName
from kylink_cli.settings.fields import Settings


@dataclass(frozen=True, slots=True)
class Job:
    """A job that a timer starts."""

    name: str  # in the database and in JSON
    command: str  # the subcommand of `kylink`
    arguments: tuple[str, ...]  # what a timer adds to the subcommand
    interval_setting: str  # the field of the settings that holds its interval, minutes
    minute: int  # of the period, from which its times are counted
    second: int  # each job has its own, so that no two begin at once

    @property
    def unit(self) -> str:
        """The name of its service and timer at systemd, without the kind."""
        return f"kylink-{self.command}"

    @property
    def heartbeat_setting(self) -> str:
        """The field of the settings that holds the URL of its heartbeat."""
        return f"heartbeat_url_{self.command.replace('-', '_')}"

    def interval_minutes(self, settings: Settings) -> int:
        """How often it runs, minutes."""
        return int(getattr(settings, self.interval_setting))


REPLENISH = Job(JobName.REPLENISH, "replenish", ("--all", "--scheduled"), "replenish_interval_minutes", 0, 0)
RECOVER_LEASES = Job(
    JobName.RECOVER_LEASES, "recover-leases", ("--scheduled",), "lease_recovery_interval_minutes", minute=2, second=20
)
ALERT_CHECK = Job(
    JobName.ALERT_CHECK, "alert-check", ("--scheduled",), "alert_check_interval_minutes", minute=4, second=40
)

JOBS = (REPLENISH, RECOVER_LEASES, ALERT_CHECK)


def job_called(word: str) -> Job:
    """The job of a name, or of a subcommand.

    Raises:
        KeyError: there is none.
    """
    return {name: job for job in JOBS for name in (job.name, job.command)}[word]
