"""How all is: what a verdict is given on, read in one look by `overview/situation.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kylink_cli.rules.demand import Asked
from kylink_cli.rules.figures import AlertFacts, Period
from kylink_cli.rules.replenishment import Need


@dataclass(frozen=True, slots=True)
class CampaignSituation:
    """A campaign, and how its consumers fared.

    Attributes:
        need: its stock, and what it needs.
        asked: what consumers asked of it within the period.
        error: what went wrong when it was filled last; None if nothing did.
        since: since when it is empty or can't be filled; None if it is neither, or nobody knows.
    """

    need: Need
    asked: Asked
    error: str | None = None
    since: datetime | None = None

    @property
    def empty(self) -> bool:
        """Whether it is to have stock, and has none."""
        return self.need.level.active and self.need.level.available == 0

    @property
    def failing(self) -> bool:
        """Whether it is low, and its last refill went wrong."""
        return self.need.low and self.error is not None


@dataclass(frozen=True, slots=True)
class JobSituation:
    """A job, and how its last runs went.

    Attributes:
        name: the job.
        enabled: whether its scheduled runs do anything.
        paused_since: since when it is paused; None if it is not.
        overdue_since: when its timer should have started it; None if it is not overdue.
        failures: runs in a row that failed or crashed, the last ones.
        failing_since: when the first of these began; None without any.
        last_run_id: the last of its runs that has ended; None without any.
        error: what went wrong in it; None if nothing did.
    """

    name: str
    enabled: bool = True
    paused_since: datetime | None = None
    overdue_since: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    last_run_id: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """How all is.

    Attributes:
        period: in which demand counts; its end is now.
        campaigns: every campaign.
        jobs: every job.
        alerts: the alerts that are not resolved.
        scheduling: whether scheduled runs do anything.
    """

    period: Period
    campaigns: Sequence[CampaignSituation]
    jobs: Sequence[JobSituation] = ()
    alerts: Sequence[AlertFacts] = ()
    scheduling: bool = True

    @property
    def asked(self) -> Asked:
        """What consumers asked of all campaigns within the period."""
        return Asked(sum(one.asked.taken for one in self.campaigns), sum(one.asked.refused for one in self.campaigns))
