"""Why and when campaigns could not be filled: one statement each, however many runs."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from kylink_cli.rules.figures import Period, Reason
from kylink_cli.rules.vocabulary import RequestState, ResultStatus, RunStatus
from kylink_cli.store.levels import of_user
from kylink_cli.store.tables import CampaignResult, Run, SupplyRequest, table

_results = table(CampaignResult)
_runs = table(Run)
_requests = table(SupplyRequest)

# A single campaign that fails says nothing of the service.
_SMALLEST_OUTAGE = 2
# Runs in vain that are further apart are two outages.
_PAUSE = timedelta(minutes=45)


def read_reasons(session: Session, since: datetime, user_id: str | None, limit: int) -> list[Reason]:
    """What went wrong with campaigns in the runs that began after a moment, what struck most campaigns first.

    Args:
        user_id: only with this user's; None for everyone's.
    """
    c = _results.c
    campaigns = func.count(c.campaign_id.distinct())
    statement = (
        select(c.error, func.count(), campaigns)
        .join_from(_results, _runs, _runs.c.id == c.run_id)
        .where(c.error.is_not(None), c.status != ResultStatus.SKIPPED, _runs.c.started_at > since)
        .group_by(c.error)
        .order_by(campaigns.desc(), func.count().desc(), c.error)
        .limit(limit)
    )
    return [Reason(*row) for row in session.execute(of_user(statement, c.campaign_id, user_id))]


def read_outages(session: Session, since: datetime) -> list[Period]:
    """When runs that began after a moment filled nobody, and failed all their campaigns for one reason.

    Where the service answered by refusing, it was there.
    """
    c = _results.c
    refused = select(_requests.c.run_id).where(
        _requests.c.state == RequestState.REFUSED, _requests.c.finished_at > since, _requests.c.run_id.is_not(None)
    )
    filled = func.sum(case((c.produced > 0, 1), else_=0))
    statement = (
        select(_runs.c.started_at, func.coalesce(_runs.c.finished_at, _runs.c.started_at))
        .join_from(_results, _runs, _runs.c.id == c.run_id)
        .where(_runs.c.started_at > since, c.status != ResultStatus.SKIPPED, _runs.c.id.not_in(refused))
        .group_by(_runs.c.id, _runs.c.started_at, _runs.c.finished_at)
        .having(filled == 0, func.count() >= _SMALLEST_OUTAGE, func.count(c.error.distinct()) == 1)
        .order_by(_runs.c.started_at)
    )
    return list(_joined(Period(*row) for row in session.execute(statement)))


def _joined(periods: Iterable[Period]) -> Iterator[Period]:
    """Periods of which those that follow soon upon each other are one."""
    current: Period | None = None
    for period in periods:
        if current is not None and period.since - current.until <= _PAUSE:
            current = Period(current.since, max(current.until, period.until))
            continue
        if current is not None:
            yield current
        current = period
    if current is not None:
        yield current


def read_crashes(session: Session, since: datetime, limit: int) -> list[Period]:
    """The runs that began after a moment and died, from their beginning until they were found, newest first."""
    c = _runs.c
    statement = (
        select(c.started_at, func.coalesce(c.finished_at, c.started_at))
        .where(c.status == RunStatus.CRASHED, c.started_at > since)
        .order_by(c.id.desc())
        .limit(limit)
    )
    return [Period(*row) for row in session.execute(statement)]
