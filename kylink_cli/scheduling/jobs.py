"""The three jobs, described once: name, command and the setting that holds the interval."""

from dataclasses import dataclass

from kylink_cli.settings import Settings


@dataclass(frozen=True, slots=True)
class Job:
    """A job that a timer starts.

    Attributes:
        name: its name in the database and in JSON.
        command: the subcommand of `kylink` that runs it.
        interval_setting: the field of the settings that holds its interval, minutes.
    """

    name: str
    command: str
    interval_setting: str

    @property
    def heartbeat_setting(self) -> str:
        """The field of the settings that holds the URL of its heartbeat."""
        return f"heartbeat_url_{self.command.replace('-', '_')}"

    def interval_minutes(self, settings: Settings) -> int:
        """How often it runs, minutes."""
        return int(getattr(settings, self.interval_setting))


REPLENISH = Job("stock_replenish", "replenish", "replenish_interval_minutes")
RECOVER_LEASES = Job("lease_recovery", "recover-leases", "lease_recovery_interval_minutes")
ALERT_CHECK = Job("monitoring_alert", "alert-check", "alert_check_interval_minutes")

JOBS = (REPLENISH, RECOVER_LEASES, ALERT_CHECK)
