"""Claims: which run may order for a campaign. A guarded upsert decides; a lost race is a missing row, not an error."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from kylink_cli.store.database import upsert
from kylink_cli.store.tables import CampaignClaim, Run, table

_claims = table(CampaignClaim)
_runs = table(Run)


def claim(session: Session, run_id: int, campaign_ids: Collection[str], now: datetime) -> dict[str, int]:
    """Claim the campaigns that nobody holds (free -> claimed).

    Args:
        session: a writing transaction.
        run_id: the run that claims.
        campaign_ids: the campaigns wanted.
        now: when they are claimed.

    Returns:
        The epoch of each campaign that was claimed; one that another run holds is missing.
    """
    insert = upsert(session, _claims)
    rows = [{"campaign_id": key, "run_id": run_id, "epoch": 1, "claimed_at": now} for key in campaign_ids]
    statement = insert.on_conflict_do_update(
        index_elements=["campaign_id"],
        set_={"run_id": run_id, "epoch": _claims.c.epoch + 1, "claimed_at": now},
        where=_claims.c.run_id.is_(None),
    ).returning(_claims.c.campaign_id, _claims.c.epoch)
    return {row.campaign_id: row.epoch for row in session.execute(statement, rows)} if rows else {}


def still_held(session: Session, run_id: int, epochs: Mapping[str, int]) -> set[str]:
    """Which claims still stand; their rows stay locked until the transaction ends.

    Args:
        session: a writing transaction.
        run_id: the run that claimed.
        epochs: the epoch that each campaign was claimed with.
    """
    statement = (
        select(_claims.c.campaign_id)
        .where(
            _claims.c.run_id == run_id,
            tuple_(_claims.c.campaign_id, _claims.c.epoch).in_(list(epochs.items())),
        )
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
