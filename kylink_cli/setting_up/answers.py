"""What an operator says about a new host, and the settings that come of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answers:
    """What was said; None stands for what is to stay as it is."""

    supply_url: str | None = None
    key: str | None = None  # of the supply service: secret
    database_url: str | None = None
    channels: str | None = None  # addresses, separated by blanks: secret
    campaigns: str | None = None  # the path of a file to import
    user: str | None = None  # whose campaigns they are, if the file does not say
    test_alert: bool | None = None
    timers: bool | None = None

    def settings(self) -> dict[str, str]:
        """The settings that were said, by name; without the key, which has a place of its own."""
        said = {
            "PROXY_API_URL": self.supply_url,
            "DATABASE_URL": self.database_url,
            "ALERT_NOTIFY_URLS": self.channels,
            "ENABLE_AUTO_CRON": "true" if self.timers else None,
        }
        return {name: value for name, value in said.items() if value is not None}
