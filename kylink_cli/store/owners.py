"""Whose campaigns and leases are meant, for those who may touch one user's only."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select

from kylink_cli.store.engine.direct import Direct, Transaction
from kylink_cli.store.tables import Campaign, LeaseRecord, table

_campaigns = table(Campaign)
_leases = table(LeaseRecord)


def campaigns_of(transaction: Transaction, user_id: str, campaign_ids: Sequence[str]) -> set[str]:
    """Those of some campaigns that exist and are a user's."""
    return {campaign_id for (campaign_id,) in _CAMPAIGNS.rows(transaction, *campaign_ids, user_id=user_id)}


def leases_of(transaction: Transaction, user_id: str, tokens: Sequence[str]) -> set[str]:
    """Those of some leases that exist and are on items of a user's campaigns."""
    return {token for (token,) in _LEASES.rows(transaction, *tokens, user_id=user_id)}


_CAMPAIGNS = Direct(
    lambda flavour: select(_campaigns.c.id).where(
        flavour.among(_campaigns.c.id), _campaigns.c.user_id == bindparam("user_id")
    )
)
_LEASES = Direct(
    lambda flavour: (
        select(_leases.c.token)
        .join_from(_leases, _campaigns, _campaigns.c.id == _leases.c.campaign_id)
        .where(flavour.among(_leases.c.token), _campaigns.c.user_id == bindparam("user_id"))
    )
)
