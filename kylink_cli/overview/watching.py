"""What `kylink watch` shows: read anew each time, with a number of statements that does not grow with the campaigns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from kylink_cli.locks.base import Locks
from kylink_cli.overview.status import JobStatus, read_status
from kylink_cli.rules.replenishment import Need, need
from kylink_cli.rules.vocabulary import AlertState
from kylink_cli.rules.watching import HOURS, Selection, by_hour, chosen
from kylink_cli.scheduling.host import read_schedule
from kylink_cli.settings import Settings
from kylink_cli.store import alerts
from kylink_cli.store.engine.database import Database
from kylink_cli.store.figures.campaign_stock import read_campaign_stock
from kylink_cli.store.figures.consumption import read_consumption_of
from kylink_cli.store.levels import Scope
from kylink_cli.store.runs import RunProgress, read_progress
from kylink_cli.store.tables import Alert

# More do not fit on any screen.
LISTED_ALERTS = 50


@dataclass(frozen=True, slots=True)
class Scene:
    """What is seen at one moment."""

    now: datetime
    auto_cron: bool  # scheduled runs do something
    jobs: Sequence[JobStatus]
    progress: Mapping[str, RunProgress]  # of each run under way, by its job
    campaigns: int
    low: int  # campaigns below their watermark
    matching: int  # campaigns that the selection is about
    shown: Sequence[Need]  # those that fit on the screen
    consumption: Mapping[str, Sequence[int]]  # of each campaign shown, by hour of the last 24
    alerts: Sequence[Alert]  # those that go on, the last seen first


def look(database: Database, locks: Locks, settings: Settings, selection: Selection, room: int) -> Scene:
    """Look at jobs, campaigns and alerts."""
    now = database.now()
    jobs = read_status(database, locks, settings, now, read_schedule(settings, now))

    def read(session: Session) -> Scene:
        stocks = read_campaign_stock(session, now, Scope())
        needs = [need(stock.level, settings.policy, now) for stock in stocks]
        matching = chosen(needs, selection)
        shown = matching[selection.first : selection.first + room]
        ids = [one.level.campaign_id for one in shown]
        consumption = read_consumption_of(session, now - timedelta(hours=HOURS), ids)
        running = {status.job.name: status.current for status in jobs if status.current is not None}
        found = alerts.read_alerts(session, alerts.AlertFilter(limit=LISTED_ALERTS))
        return Scene(
            now=now,
            auto_cron=settings.enable_auto_cron,
            jobs=jobs,
            progress={job: read_progress(session, run.id or 0, run.started_at) for job, run in running.items()},
            campaigns=len(needs),
            low=sum(one.low for one in needs),
            matching=len(matching),
            shown=shown,
            consumption={campaign_id: by_hour(consumption.get(campaign_id, {}), now) for campaign_id in ids},
            alerts=[alert for alert in found if alert.state != AlertState.RESOLVED],
        )

    return database.read(read)
