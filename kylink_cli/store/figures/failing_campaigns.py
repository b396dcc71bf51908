"""Since when campaigns can't be filled: one statement, however many campaigns."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kylink_cli.rules.vocabulary import ResultStatus
from kylink_cli.store.tables import CampaignResult, Run, table

_results = table(CampaignResult)
_runs = table(Run)


def read_failing_since(session: Session, campaign_ids: Collection[str]) -> dict[str, datetime]:
    """When the first run began that failed to fill a campaign since one last did; what never failed is missing."""
    c = _results.c
    is_asked_for = c.campaign_id.in_(campaign_ids)
    good = (
        select(c.campaign_id, func.max(c.run_id).label("run_id"))
        .where(is_asked_for, c.status.in_((ResultStatus.SUCCEEDED, ResultStatus.PARTIAL)))
        .group_by(c.campaign_id)
        .subquery("good")
    )
    statement = (
        select(c.campaign_id, func.min(_runs.c.started_at))
        .join_from(_results, _runs, _runs.c.id == c.run_id)
        .outerjoin(good, good.c.campaign_id == c.campaign_id)
        .where(
            is_asked_for,
            c.status.in_((ResultStatus.FAILED, ResultStatus.NOT_SERVED)),
            c.run_id > func.coalesce(good.c.run_id, 0),
        )
        .group_by(c.campaign_id)
    )
    return {row[0]: row[1] for row in session.execute(statement)}
