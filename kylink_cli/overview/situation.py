"""How all is, in one look: what the verdict and the list of what needs attention are given on.

situation = read_situation(database, locks, settings, period)
matters = attention(situation)
sentence = verdict(situation, matters)
"""

from datetime import datetime

from sqlalchemy.orm import Session

from kylink_cli.locks.base import Locks
from kylink_cli.overview.status import JobStatus, read_status
from kylink_cli.rules.demand import MINUTES_AN_HOUR
from kylink_cli.rules.figures import Period
from kylink_cli.rules.replenishment import Need, Policy, need
from kylink_cli.rules.situation import CampaignSituation, JobSituation, Situation
from kylink_cli.scheduling.host import read_schedule
from kylink_cli.settings.fields import Settings
from kylink_cli.store.demand import minute_at
from kylink_cli.store.engine.database import Database
from kylink_cli.store.figures.alert_figures import read_last_alerts
from kylink_cli.store.figures.campaign_stock import CampaignStock, read_campaign_stock
from kylink_cli.store.figures.failing_campaigns import read_failing_since
from kylink_cli.store.levels import Scope

LISTED_ALERTS = 500
# Beyond that, nobody looks since when each of them is without stock.
_DATED_CAMPAIGNS = 5_000


def read_situation(
    database: Database, locks: Locks, settings: Settings, period: Period, user_id: str | None = None
) -> Situation:
    """How all is.

    Args:
        period: in which demand counts, from the beginning of its first hour; its end is now.
        user_id: only this user's campaigns; None for everyone's. Jobs serve all.
    """
    statuses = read_status(database, locks, settings, period.until, read_schedule(settings, period.until))

    def read(session: Session) -> Situation:
        return Situation(
            period=period,
            campaigns=read_campaigns(session, settings.policy, period, user_id),
            jobs=[of_job(status, scheduling=settings.enable_auto_cron) for status in statuses],
            alerts=read_last_alerts(session, period.until, user_id, LISTED_ALERTS),
            scheduling=settings.enable_auto_cron,
        )

    return database.read(read)


def read_campaigns(session: Session, policy: Policy, period: Period, user_id: str | None) -> list[CampaignSituation]:
    """Every campaign, and how its consumers fared within a period."""
    stocks = read_campaign_stock(session, period.until, Scope(user_id=user_id))
    needs = [need(stock.level, policy, period.until) for stock in stocks]
    since = _read_since(session, needs)
    first_hour = minute_at(period.since) // MINUTES_AN_HOUR
    return [
        _of_campaign(stock, one, first_hour, since.get(one.level.campaign_id))
        for stock, one in zip(stocks, needs, strict=True)
    ]


def _read_since(session: Session, needs: list[Need]) -> dict[str, datetime]:
    low = [one.level.campaign_id for one in needs if one.low or (one.level.active and not one.level.available)]
    return read_failing_since(session, low[:_DATED_CAMPAIGNS]) if low else {}


def _of_campaign(stock: CampaignStock, need: Need, first_hour: int, since: datetime | None) -> CampaignSituation:
    return CampaignSituation(need, stock.level.history.since(first_hour), stock.last_error, since)


def of_job(status: JobStatus, *, scheduling: bool) -> JobSituation:
    """A job as the verdict sees it; one that another host's timer starts is no worse for having none here."""
    starts_elsewhere = scheduling and status.due_at is not None and not status.overdue
    last = status.last_ended
    return JobSituation(
        name=status.job.name,
        enabled=status.enabled or starts_elsewhere,
        paused_since=status.paused_since,
        overdue_since=status.due_at if status.overdue else None,
        failures=status.consecutive_failures,
        failing_since=status.failing_since,
        last_run_id=None if last is None else last.id,
        error=None if last is None else last.error,
    )
