"""Claims: which run may order for a campaign. A guarded update decides; a lost race is a missing row, not an error."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import exists, literal, select, tuple_, update
from sqlalchemy.orm import Session

from kylink_cli.store.engine.database import upsert
from kylink_cli.store.tables import Campaign, CampaignClaim, Run, UtcDateTime, table

_campaigns = table(Campaign)
_claims = table(CampaignClaim)
_runs = table(Run)


def claim(session: Session, run_id: int, campaign_ids: Collection[str], now: datetime) -> dict[str, int]:
    """Claim the campaigns that nobody holds (free -> claimed); one that another is just claiming is passed over.

    Returns:
        The epoch of each campaign that was claimed; one that another run holds, or that was removed, is missing.
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
    return {row.campaign_id: row.epoch for row in session.execute(statement)}


def _add_missing(session: Session, campaign_ids: Collection[str], now: datetime) -> None:
    """Give campaigns that were never claimed a free claim; in order, so that no two who do so wait for each other."""
    new = (
        select(_campaigns.c.id, literal(0), literal(now, UtcDateTime()))
        .where(_campaigns.c.id.in_(campaign_ids), ~exists().where(_claims.c.campaign_id == _campaigns.c.id))
        .order_by(_campaigns.c.id)
    )
    columns = ["campaign_id", "epoch", "claimed_at"]
    session.execute(upsert(session, _claims).from_select(columns, new).on_conflict_do_nothing())


def still_held(session: Session, run_id: int, epochs: Mapping[str, int]) -> set[str]:
    """Which claims still stand; their rows stay locked until the transaction ends.

    Args:
        epochs: the epoch that each campaign was claimed with.
    """
    statement = (
        select(_claims.c.campaign_id)
        .where(
            _claims.c.run_id == run_id,
            tuple_(_claims.c.campaign_id, _claims.c.epoch).in_(list(epochs.items())),
        )
        .order_by(_claims.c.campaign_id)
        .with_for_update()
    )
    return set(session.scalars(statement))


def free(session: Session, run_id: int, campaign_ids: Collection[str]) -> None:
    """Give claims back (claimed -> free), if the run still holds them."""
    session.execute(
        update(_claims).where(_claims.c.run_id == run_id, _claims.c.campaign_id.in_(campaign_ids)).values(run_id=None)
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
