"""What the report and the metrics tell of: read with a constant number of statements."""

import math

from sqlalchemy.orm import Session

from kylink_cli.rules.figures import Figures, History, Period
from kylink_cli.rules.replenishment import Need, Policy, need, runway_minutes
from kylink_cli.store.figures.alert_figures import read_alerts_by_hour, read_last_alerts, read_unresolved
from kylink_cli.store.figures.campaign_stock import iterate_campaign_stock
from kylink_cli.store.figures.consumption import read_consumption
from kylink_cli.store.figures.failures import read_crashes, read_outages, read_reasons
from kylink_cli.store.figures.lease_figures import count_no_stock, read_lease_figures
from kylink_cli.store.figures.percentiles import read_answer_percentiles, read_run_percentiles
from kylink_cli.store.figures.run_figures import read_jobs, read_last_runs, read_runs
from kylink_cli.store.figures.stock_changes import read_stock_changes
from kylink_cli.store.figures.success import read_success
from kylink_cli.store.figures.supply_figures import count_open_requests, read_requests
from kylink_cli.store.levels import Scope

LISTED_RUNS = 500
LISTED_ALERTS = 500
LISTED_REASONS = 20
LISTED_CRASHES = 50


def read_figures(session: Session, policy: Policy, period: Period, user_id: str | None = None) -> Figures:
    """The figures of a period; runs are those of all users, since a run serves all.

    Args:
        period: its end is now.
        user_id: only what concerns this user's campaigns; None for everything.
    """
    stocks = iterate_campaign_stock(session, period.until, Scope(user_id=user_id))
    needs = [need(stock.level, policy, period.until) for stock in stocks]
    return Figures(
        period=period,
        campaigns=sorted(needs, key=risk),
        runs=read_runs(session, period.since),
        jobs=read_jobs(session),
        requests=read_requests(session, period.since, user_id),
        open_requests=count_open_requests(session, user_id),
        leases=read_lease_figures(session, period, user_id),
        no_stock=count_no_stock(session, period.since, user_id),
        alerts=read_unresolved(session, user_id),
    )


def read_history(session: Session, period: Period, user_id: str | None, step_hours: int = 1) -> History:
    """What only the report tells of a period.

    Args:
        period: its end is now.
        step_hours: how long the steps are that charts are drawn in.
        user_id: only what concerns this user's campaigns; None for everything.
    """
    return History(
        consumption=read_consumption(session, period.since, user_id),
        alerts=read_alerts_by_hour(session, period.since, user_id),
        last_runs=read_last_runs(session, period.since, LISTED_RUNS),
        last_alerts=read_last_alerts(session, period.since, user_id, LISTED_ALERTS),
        stock=read_stock_changes(session, period.since, period.until, user_id),
        reasons=read_reasons(session, period.since, user_id, LISTED_REASONS),
        outages=read_outages(session, period.since),
        crashes=read_crashes(session, period.since, LISTED_CRASHES),
        success=read_success(session, period.since, user_id),
        took=read_run_percentiles(session, period.since),
        answers=read_answer_percentiles(session, period.since, user_id).get(period.since),
        answers_by_step=read_answer_percentiles(session, period.since, user_id, step_hours),
    )


def risk(one: Need) -> tuple[bool, float, float, str]:
    """Sort key: active before paused, least stock against the watermark first, then the shortest runway."""
    runway = runway_minutes(one)
    cover = one.level.available / one.watermark.items
    return (not one.level.active, cover, math.inf if runway is None else runway, one.level.campaign_id)
