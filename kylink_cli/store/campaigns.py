"""Campaigns: what is kept in stock."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from kylink_cli.rules.campaigns import CampaignFacts
from kylink_cli.rules.text import natural
from kylink_cli.rules.vocabulary import CampaignStatus
from kylink_cli.store.engine.database import upsert
from kylink_cli.store.figures import totals
from kylink_cli.store.tables import Campaign, table

_campaigns = table(Campaign)

# The columns that an operator sets, in the order of `CampaignFacts`.
_FACTS = (
    _campaigns.c.id,
    _campaigns.c.user_id,
    _campaigns.c.name,
    _campaigns.c.status,
    _campaigns.c.country,
    _campaigns.c.source_url,
    _campaigns.c.low_watermark,
    _campaigns.c.target_stock,
    _campaigns.c.order_limit,
)
# SQLite takes 32,766 parameters a statement, PostgreSQL 65,535.
_IDS_PER_STATEMENT = 10_000


def facts(session: Session, campaign_ids: Collection[str]) -> dict[str, CampaignFacts]:
    """What operators have said of these campaigns, by id; one that does not exist is missing."""
    found = {}
    for ids in _parts(list(campaign_ids)):
        for row in session.execute(select(*_FACTS).where(_campaigns.c.id.in_(ids))):
            found[row.id] = CampaignFacts(*row)
    return found


def facts_of_users(session: Session, users: Collection[str]) -> dict[str, CampaignFacts]:
    """What operators have said of these users' campaigns, by id."""
    found = {}
    for part in _parts(list(users)):
        for row in session.execute(select(*_FACTS).where(_campaigns.c.user_id.in_(part))):
            found[row.id] = CampaignFacts(*row)
    return found


def save(session: Session, campaigns: Sequence[CampaignFacts], now: datetime) -> None:
    """Add campaigns, or overwrite what an operator has said of those that exist.

    Args:
        campaigns: each at most once.
    """
    if not campaigns:
        return
    insert = upsert(session, _campaigns)
    names = [column.name for column in _FACTS]
    statement = insert.on_conflict_do_update(
        index_elements=["id"], set_={name: insert.excluded[name] for name in names[1:]}
    )
    rows = [dict(zip(names, _values(campaign), strict=True), created_at=now) for campaign in campaigns]
    session.connection().execute(statement, rows)


def paused(session: Session, campaign_ids: Collection[str]) -> set[str]:
    """Those of these campaigns that are paused."""
    c = _campaigns.c
    return set(session.scalars(select(c.id).where(c.id.in_(campaign_ids), c.status == CampaignStatus.PAUSED)))


def set_status(session: Session, campaign_ids: Collection[str], status: str) -> list[str]:
    """Pause or resume campaigns (active -> paused, paused -> active).

    Returns:
        Those whose status was another, by id.
    """
    statement = (
        update(_campaigns)
        .where(_campaigns.c.id.in_(campaign_ids), _campaigns.c.status != status)
        .values(status=status)
        .returning(_campaigns.c.id)
    )
    return sorted(session.scalars(statement), key=natural)


def remove(session: Session, campaign_ids: Collection[str], now: datetime) -> list[str]:
    """Delete campaigns with all that belongs to them: items, supply requests, results and claims.

    What has happened with them goes on counting.

    Returns:
        Those that existed, by id.
    """
    for campaign_id in campaign_ids:
        totals.keep(session, campaign_id, now)
    statement = delete(_campaigns).where(_campaigns.c.id.in_(campaign_ids)).returning(_campaigns.c.id)
    return sorted(session.scalars(statement), key=natural)


def _values(campaign: CampaignFacts) -> tuple[str | int | None, ...]:
    return (
        campaign.campaign_id,
        campaign.user_id,
        campaign.name,
        campaign.status,
        campaign.country,
        campaign.source_url,
        campaign.low_watermark,
        campaign.target_stock,
        campaign.order_limit,
    )


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _IDS_PER_STATEMENT):
        yield ids[start : start + _IDS_PER_STATEMENT]
