"""Rows of pages' tables."""

from dataclasses import dataclass
from datetime import timedelta

from kylink_cli.language import tr
from kylink_cli.rules.moments import span
from kylink_cli.rules.replenishment import Need, runway_minutes


@dataclass(frozen=True, slots=True)
class ListedCampaign:
    """A campaign in a list."""

    need: Need

    @property
    def state(self) -> str:
        """In one word."""
        if not self.need.level.active:
            return "paused"
        if not self.need.level.available:
            return "empty"
        return "low" if self.need.low else "active"

    @property
    def runway(self) -> str:
        """How long the stock lasts."""
        minutes = runway_minutes(self.need)
        if minutes is None or not self.need.level.active:
            return "-"
        return span(timedelta(minutes=minutes)) if minutes else tr("empty")
