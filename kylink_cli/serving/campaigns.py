"""Campaigns and their levels over HTTP."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from kylink_cli.documents.campaigns import (
    CampaignsDocument,
    WholeCampaignDocument,
    campaign_document,
    campaigns_document,
)
from kylink_cli.errors import UnknownCampaignError
from kylink_cli.jobs.order_limits import planned
from kylink_cli.overview.campaign import CampaignDetail, look_at_campaign
from kylink_cli.overview.campaigns import in_order, read_campaigns
from kylink_cli.rules.vocabulary import CampaignStatus
from kylink_cli.serving.answers import Reply
from kylink_cli.serving.authentication import Reader
from kylink_cli.serving.backend import Backend, Served
from kylink_cli.serving.keyring import Caller
from kylink_cli.serving.texts import PlainText
from kylink_cli.store.levels import Scope

router = APIRouter(prefix="/campaigns", tags=["campaigns"])


@router.get("", response_model=CampaignsDocument)
async def list_campaigns(
    caller: Reader,
    backend: Served,
    status: Annotated[CampaignStatus | None, Query()] = None,
    low: Annotated[bool, Query(description="Only those below their watermark.")] = False,  # noqa: FBT002  (a query's)
) -> Response:
    """Campaigns with their levels."""
    policy = backend.settings.policy

    def look() -> CampaignsDocument:
        now = backend.now()
        scope = Scope(user_id=caller.user_id)
        found = backend.database.read(lambda session: read_campaigns(session, policy, now, scope))
        shown = [one for one in found if status in {None, one.status} and (one.need.low or not low)]
        return campaigns_document(in_order(shown, "id"))

    return Reply(await backend.workers.look(look))


@router.get("/{campaign_id}", response_model=WholeCampaignDocument)
async def show(campaign_id: Annotated[PlainText, Path()], caller: Reader, backend: Served) -> Response:
    """All that is known of one campaign."""
    return Reply(await backend.workers.look(lambda: campaign_document(seen_campaign(backend, caller, campaign_id))))


def seen_campaign(backend: Backend, caller: Caller, campaign_id: str) -> CampaignDetail:
    """A campaign that exists for a caller.

    Raises:
        UnknownCampaignError: there is none.
    """
    database, settings = backend.database, backend.settings
    detail = look_at_campaign(database, settings.policy, campaign_id)
    if detail is None or caller.user_id not in {None, detail.stock.level.user_id}:
        raise UnknownCampaignError(campaign_id)
    found, now = detail.need, detail.now
    [allowed] = database.read(lambda session: planned(session, settings.order_limits, [found], now))
    return replace(detail, need=allowed)
