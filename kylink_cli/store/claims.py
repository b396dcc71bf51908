"""Claims: which run may order for a campaign. A guarded update decides; a lost race is a missing row, not an error."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, exists, literal, select, tuple_, update
from sqlalchemy.orm import Session

from kylink_cli.rules.backoff import LONGEST_REST, rest_after
from kylink_cli.rules.vocabulary import RunStatus
from kylink_cli.store.engine.database import upsert
from kylink_cli.store.tables import Campaign, CampaignClaim, Run, UtcDateTime, table

_campaigns = table(Campaign)
_claims = table(CampaignClaim)
_runs = table(Run)
# More barren runs in a row than this change nothing any more.
_COUNTED_RUNS = 6


@dataclass(frozen=True, slots=True)
class Claim:
    """A run's right to order for a campaign, until another run's claim has a higher epoch."""

    campaign_id: str
    run_id: int
    epoch: int


def claim(session: Session, run_id: int, campaign_ids: Collection[str], now: datetime) -> dict[str, Claim]:
    """Claim the campaigns that nobody holds (free -> claimed); one that another is just claiming is passed over.

    Returns:
        The claim on each campaign that was claimed; one that another run holds, or that was removed, is missing. None
        if the run was taken for dead.
    """
    if not campaign_ids or not _is_running(session, run_id):
        return {}
    _add_missing(session, campaign_ids, now)
    is_free = _claims.c.run_id.is_(None)
    picked = (
        select(_claims.c.campaign_id)
        .where(_claims.c.campaign_id.in_(campaign_ids), is_free)
        .with_for_update(skip_locked=True)
        .cte("picked")
    )
    statement = (
        update(_claims)
        .where(_claims.c.campaign_id.in_(select(picked.c.campaign_id)), is_free)
        .values(run_id=run_id, epoch=_claims.c.epoch + 1, claimed_at=now)
        .returning(_claims.c.campaign_id, _claims.c.epoch)
    )
    return {row.campaign_id: Claim(row.campaign_id, run_id, row.epoch) for row in session.execute(statement)}


def _is_running(session: Session, run_id: int) -> bool:
    """Whether nobody has taken a run for dead: nobody would free its claims. It stays so until the transaction ends."""
    statement = select(_runs.c.id).where(_runs.c.id == run_id, _runs.c.status == RunStatus.RUNNING)
    return session.scalars(statement.with_for_update(read=True)).first() is not None


def _add_missing(session: Session, campaign_ids: Collection[str], now: datetime) -> None:
    """Give campaigns that were never claimed a free claim; in order, so that no two who do so wait for each other."""
    new = (
        select(_campaigns.c.id, literal(0), literal(now, UtcDateTime()))
        .where(_campaigns.c.id.in_(campaign_ids), ~exists().where(_claims.c.campaign_id == _campaigns.c.id))
        .order_by(_campaigns.c.id)
    )
    columns = ["campaign_id", "epoch", "claimed_at"]
    session.execute(upsert(session, _claims).from_select(columns, new).on_conflict_do_nothing())


def still_held(session: Session, wanted: Collection[Claim]) -> set[Claim]:
    """Which claims still stand; their rows stay locked until the transaction ends."""
    c = _claims.c
    statement = (
        select(c.campaign_id, c.run_id, c.epoch)
        .where(tuple_(c.campaign_id, c.run_id, c.epoch).in_([(w.campaign_id, w.run_id, w.epoch) for w in wanted]))
        .order_by(c.campaign_id)
        .with_for_update()
    )
    return {Claim(*row) for row in session.execute(statement)}


@dataclass(frozen=True, slots=True)
class Course:
    """How a run went for a campaign that it held."""

    campaign_id: str
    run_id: int
    has_failed: bool
    is_barren: bool  # nothing but duplicates came


def free(session: Session, courses: Sequence[Course], now: datetime) -> None:
    """Give claims back (claimed -> free), if the runs still hold them, with what the next run should know."""
    c = _claims.c
    alike: dict[tuple[int, bool, bool], list[str]] = {}
    for course in courses:
        alike.setdefault((course.run_id, course.has_failed, course.is_barren), []).append(course.campaign_id)
    for (run_id, has_failed, is_barren), ids in alike.items():
        rests = [(c.barren_runs == runs, now + rest_after(runs + 1)) for runs in range(_COUNTED_RUNS)]
        values = {
            "run_id": None,
            "failed_runs": c.failed_runs + 1 if has_failed else 0,
            "barren_runs": c.barren_runs + 1 if is_barren else 0,
            "rests_until": case(*rests, else_=now + LONGEST_REST) if is_barren else None,
        }
        session.execute(update(_claims).where(c.run_id == run_id, c.campaign_id.in_(ids)).values(values))


def failed_runs(session: Session) -> dict[str, int]:
    """How many runs in a row failed for each campaign for which the last one did."""
    statement = select(_claims.c.campaign_id, _claims.c.failed_runs).where(_claims.c.failed_runs > 0)
    return {row.campaign_id: row.failed_runs for row in session.execute(statement)}


def resting(session: Session, campaign_ids: Collection[str], now: datetime) -> dict[str, datetime]:
    """Until when nothing is ordered for those of these campaigns that rest."""
    statement = select(_claims.c.campaign_id, _claims.c.rests_until).where(
        _claims.c.campaign_id.in_(campaign_ids), _claims.c.rests_until > now
    )
    return {row.campaign_id: row.rests_until for row in session.execute(statement)}


def free_all(session: Session, run_ids: Collection[int]) -> None:
    """Give back every claim of runs that have ended (claimed -> free)."""
    session.execute(update(_claims).where(_claims.c.run_id.in_(run_ids)).values(run_id=None))


def holders(session: Session, campaign_ids: Collection[str]) -> dict[str, Run]:
    """The run that holds each claimed campaign; a free one is missing."""
    statement = (
        select(_claims.c.campaign_id, Run)
        .join(Run, _runs.c.id == _claims.c.run_id)
        .where(_claims.c.campaign_id.in_(campaign_ids))
    )
    return dict(session.execute(statement).all())
