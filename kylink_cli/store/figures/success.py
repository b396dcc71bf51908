"""What jobs did of what they should: two statements, however many runs and campaigns."""

from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from kylink_cli.rules.success import Success
from kylink_cli.rules.vocabulary import JobName, ResultStatus, RunStatus
from kylink_cli.store.levels import of_user
from kylink_cli.store.tables import CampaignResult, Run, table

_results = table(CampaignResult)
_runs = table(Run)


def read_success(session: Session, since: datetime, user_id: str | None = None) -> dict[str, Success]:
    """What each job did of what it should in the runs that began after a moment; without any run it is missing.

    Replenishing is counted in campaigns: each that needed something, and those that were filled by the last run that
    tried. Where none needed anything, its runs count, as they do of the other jobs.

    Args:
        user_id: only this user's campaigns; None for everyone's. Runs serve all.
    """
    found = _of_runs(session, since)
    filled = _of_campaigns(session, since, user_id)
    return found | {JobName.REPLENISH.value: filled} if filled.of else found


def _of_runs(session: Session, since: datetime) -> dict[str, Success]:
    c = _runs.c
    succeeded = func.sum(case((c.status == RunStatus.SUCCEEDED, 1), else_=0))
    ended = c.status != RunStatus.RUNNING
    statement = select(c.job, succeeded, func.count()).where(ended, c.started_at > since).group_by(c.job)
    return {row[0]: Success(int(row[1]), row[2], "runs") for row in session.execute(statement)}


def _of_campaigns(session: Session, since: datetime, user_id: str | None) -> Success:
    c = _results.c
    first: Any = select(func.min(_runs.c.id)).where(_runs.c.job == JobName.REPLENISH, _runs.c.started_at > since)
    last = (
        select(c.campaign_id, func.max(c.run_id).label("run_id"))
        .where(c.run_id >= first.scalar_subquery(), c.status != ResultStatus.SKIPPED)
        .group_by(c.campaign_id)
    )
    tried = of_user(last, c.campaign_id, user_id).subquery("tried")
    filled = func.sum(case((c.status == ResultStatus.SUCCEEDED, 1), else_=0))
    statement = select(func.coalesce(filled, 0), func.count()).join_from(
        tried, _results, (c.campaign_id == tried.c.campaign_id) & (c.run_id == tried.c.run_id)
    )
    done, of = session.execute(statement).one()
    return Success(int(done), of, "campaigns")
