"""Claims: which run may order for a campaign. A guarded update decides; a lost race is a missing row, not an error."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, literal, select, tuple_, update
from sqlalchemy.orm import Session

from kylink_cli.store.engine.database import upsert
from kylink_cli.store.tables import Campaign, CampaignClaim, Run, UtcDateTime, table

_campaigns = table(Campaign)
_claims = table(CampaignClaim)
_runs = table(Run)


@dataclass(frozen=True, slots=True)
class Claim:
    """A run's right to order for a campaign, until another run's claim has a higher epoch."""

    campaign_id: str
    run_id: int
    epoch: int


def claim(session: Session, run_id: int, campaign_ids: Collection[str], now: datetime) -> dict[str, Claim]:
    """Claim the campaigns that nobody holds (free -> claimed); one that another is just claiming is passed over.

    Returns:
        The claim on each campaign that was claimed; one that another run holds, or that was removed, is missing.
    """
    if not campaign_ids:
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


def free(session: Session, holders: Mapping[str, int]) -> None:
    """Give claims back (claimed -> free), if the runs still hold them.

    Args:
        holders: the run that held each campaign.
    """
    c = _claims.c
    session.execute(
        update(_claims).where(tuple_(c.campaign_id, c.run_id).in_(list(holders.items()))).values(run_id=None)
    )


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
