"""Runs of the alert check in this process, with the clock handed in."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kylink_cli.alerting.posting import Alerting
from kylink_cli.jobs.alert_check import AlertCheckReport, Watch, check_with
from kylink_cli.locks.file import FileLocks
from kylink_cli.notify.base import Channel
from kylink_cli.rules.alert_book import BookRules
from kylink_cli.running.events import Event
from kylink_cli.running.run import Finished, LiveRun, RunRequest
from kylink_cli.running.runner import run_job
from kylink_cli.settings.fields import Settings
from kylink_cli.store.alerts import AlertFilter, read_alerts
from kylink_cli.store.engine.database import Database
from kylink_cli.store.tables import Alert, StockItem
from tests.support.policies import COVER

START = datetime(2026, 2, 6, 8, 0, tzinfo=UTC)
EVERY = timedelta(minutes=10)
RULES = BookRules(repeat=timedelta(minutes=30), flap=timedelta(minutes=40))
# The disk of the machine that runs the tests is nobody's concern.
WATCH = Watch(
    replace(Settings().thresholds, disk_warning_percent=101, disk_error_percent=101),
    COVER,
    {"stock_replenish": 10},
    scheduling=False,
    alert_retention=timedelta(days=30),
    run_retention=timedelta(days=30),
)


@dataclass
class Checks:
    """A database that is checked every ten minutes."""

    database: Database
    folder: Path
    channels: Sequence[Channel] = ()
    now: datetime = START
    watch: Watch = WATCH
    channel_seconds: float = 10
    events: list[Event] = field(default_factory=list)

    def check(self, *, scheduled: bool = True) -> Finished[AlertCheckReport]:
        """Run the alert check, and let the time go on."""
        run = LiveRun(
            RunRequest("monitoring_alert", scheduled),
            self.database,
            FileLocks(self.folder),
            self.events.append,
            Alerting(RULES, self.channels, self.channel_seconds),
            clock=lambda: self.now,
        )
        finished = run_job(run, check_with(self.watch))
        self.now += EVERY
        return finished

    def with_limits(self, **limits: Any) -> None:
        """Change thresholds."""
        self.watch = replace(self.watch, thresholds=replace(self.watch.thresholds, **limits))

    def alerts(self) -> list[Alert]:
        """Every alert, newest first."""
        with self.database.reading() as session:
            return read_alerts(session, AlertFilter(limit=1000))

    def fill(self, campaign: str, number: int = 10) -> None:
        """Give a campaign items that never end."""
        with self.database.writing() as session:
            session.add_all(
                StockItem(
                    campaign_id=campaign,
                    value=f"{campaign}-{self.now.timestamp()}-{index}",
                    created_at=self.now,
                    expires_at=self.now + timedelta(days=999),
                )
                for index in range(number)
            )

    def empty(self, campaign: str) -> None:
        """Take all items of a campaign away."""
        with self.database.writing() as session:
            for item in session.query(StockItem).filter_by(campaign_id=campaign):
                session.delete(item)
