"""How far a run has come, as others can see it: one statement."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kylink_cli.rules.vocabulary import RequestState
from kylink_cli.store.tables import CampaignClaim, CampaignResult, SupplyRequest, in_state, table

_results = table(CampaignResult)
_requests = table(SupplyRequest)
_claims = table(CampaignClaim)


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run has come."""

    run_id: int
    finished: int  # campaigns whose result is recorded
    claimed: int  # campaigns that it holds
    items: int  # put in stock
    open_requests: int  # that wait for an answer


def read_progress(session: Session, run_id: int, started_at: datetime) -> RunProgress:
    """How far a run has come.

    Args:
        started_at: when it began; requests that were settled before are not even read.
    """
    finished = select(func.count()).where(_results.c.run_id == run_id).scalar_subquery()
    claimed = select(func.count()).where(_claims.c.run_id == run_id).scalar_subquery()
    of_run, settled = _requests.c.run_id == run_id, _requests.c.finished_at >= started_at
    items = select(func.coalesce(func.sum(_requests.c.produced), 0)).where(of_run, settled).scalar_subquery()
    waiting = select(func.count()).where(of_run, in_state(_requests, RequestState.OPEN)).scalar_subquery()
    return RunProgress(run_id, *session.execute(select(finished, claimed, items, waiting)).one())
