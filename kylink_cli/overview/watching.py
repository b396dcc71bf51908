"""What `kylink watch` shows: read anew each time, with a number of statements that does not grow with the campaigns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from kylink_cli.locks.base import Locks
from kylink_cli.overview.status import JobStatus, read_status
from kylink_cli.rules.replenishment import Need, need
from kylink_cli.rules.vocabulary import JobName
from kylink_cli.scheduling.host import read_schedule
from kylink_cli.settings.fields import Settings
from kylink_cli.store import alerts
from kylink_cli.store.engine.database import Database
from kylink_cli.store.figures.campaign_stock import read_campaign_stock
from kylink_cli.store.levels import Scope
from kylink_cli.store.runs import RunProgress, read_filled, read_progress

# More do not fit on any screen.
_LISTED_ALERTS = 50
_LISTED_FILLINGS = 5


@dataclass(frozen=True, slots=True)
class Seen:
    """A campaign, and what went wrong with it last."""

    need: Need
    last_error: str | None  # None if nothing did

    @property
    def campaign_id(self) -> str:
        """The campaign."""
        return self.need.level.campaign_id


@dataclass(frozen=True, slots=True)
class Filling:
    """A campaign that a run has in work."""

    campaign_id: str
    name: str
    produced: int  # items, by this run
    ordered: int  # items, as far as is known


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that goes on."""

    id: int
    level: str
    state: str
    title: str
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Scene:
    """What is seen at one moment."""

    now: datetime
    auto_cron: bool  # scheduled runs do something
    jobs: Sequence[JobStatus]
    progress: Mapping[str, RunProgress]  # of each run under way, by its job
    filling: Sequence[Filling]  # the campaigns that the replenish run works on, those with most to come first
    campaigns: Sequence[Seen]
    alerts: Sequence[OpenAlert]  # those that go on, the newest first

    @property
    def low(self) -> int:
        """Campaigns below their watermark."""
        return sum(one.need.low for one in self.campaigns)

    @property
    def empty(self) -> int:
        """Active campaigns without stock."""
        return sum(one.need.level.active and one.need.level.available == 0 for one in self.campaigns)

    @property
    def failing(self) -> int:
        """Active campaigns whose last run went wrong."""
        return sum(one.need.level.active and one.last_error is not None for one in self.campaigns)

    @property
    def paused(self) -> int:
        """Campaigns that nothing is ordered for."""
        return sum(not one.need.level.active for one in self.campaigns)


def look(database: Database, locks: Locks, settings: Settings) -> Scene:
    """Look at jobs, campaigns and alerts."""
    now = database.now()
    jobs = read_status(database, locks, settings, now, read_schedule(settings, now))
    running = {status.job.name: status.current for status in jobs if status.current is not None}

    def read(session: Session) -> Scene:
        stocks = read_campaign_stock(session, now, Scope())
        seen = [Seen(need(stock.level, settings.policy, now), stock.last_error) for stock in stocks]
        filling = running.get(JobName.REPLENISH)
        found = alerts.read_alerts(session, alerts.AlertFilter(unresolved=True, limit=_LISTED_ALERTS))
        return Scene(
            now=now,
            auto_cron=settings.enable_auto_cron,
            jobs=jobs,
            progress={job: read_progress(session, run.id or 0, run.started_at) for job, run in running.items()},
            filling=[] if filling is None else _filling(read_filled(session, filling.id or 0), seen),
            campaigns=seen,
            alerts=[OpenAlert(a.id or 0, a.level, a.state, a.title, a.last_seen_at) for a in found],
        )

    return database.read(read)


def _filling(filled: Mapping[str, int], seen: Sequence[Seen]) -> list[Filling]:
    """What a run has in work: items that it has brought, and those that the rule would still have."""
    found = [
        Filling(one.campaign_id, one.need.level.name, produced, produced + one.need.order)
        for one in seen
        if (produced := filled.get(one.campaign_id)) is not None
    ]
    return sorted(found, key=lambda one: (one.produced == 0, one.campaign_id))[:_LISTED_FILLINGS]
