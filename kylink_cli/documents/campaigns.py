"""Campaigns, for programs."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from typing_extensions import TypedDict

from kylink_cli.overview.campaign import CampaignDetail
from kylink_cli.overview.campaigns import ShownCampaign, as_shown
from kylink_cli.rules.reasons import reason_for_programs


class CampaignDocument(TypedDict):
    """A campaign with its level."""

    campaign_id: str
    user_id: str
    name: str
    status: str
    country: str | None
    available: int
    leased: int
    consumed_24h: int
    watermark: int
    watermark_source: str
    target: int
    low: bool
    runway_minutes: int | None
    expected_24h: float | None
    refused_24h: int
    last_replenished_at: datetime | None
    last_error: str | None


class WholeCampaignDocument(CampaignDocument):
    """All that is known of a campaign."""

    source_url: str | None
    low_watermark: int | None
    target_stock: int | None
    order_limit: int | None
    ordered_24h: int
    watermark_capped: bool
    order: int
    why: str
    created_at: datetime | None
    items: dict[str, int]
    no_stock_24h: int


class CampaignsDocument(TypedDict):
    """Campaigns."""

    campaigns: list[CampaignDocument]


def campaigns_document(shown: Sequence[ShownCampaign]) -> CampaignsDocument:
    """Campaigns."""
    return {"campaigns": list(campaign_rows(shown))}


def campaign_rows(shown: Sequence[ShownCampaign]) -> Iterator[CampaignDocument]:
    """The same, one after the other, for those who don't need all of them at once."""
    return map(_document, shown)


def campaign_document(detail: CampaignDetail) -> WholeCampaignDocument:
    """All that is known of one campaign."""
    level, need = detail.stock.level, detail.need
    return {
        **_document(as_shown(detail.stock, need)),
        "source_url": level.source_url,
        "low_watermark": level.own_watermark,
        "target_stock": level.own_target,
        "order_limit": level.own_order_limit,
        "ordered_24h": detail.ordered_24h,
        "watermark_capped": need.watermark.capped,
        "order": need.order,
        "why": reason_for_programs(need),
        "created_at": level.created_at,
        "items": dict(detail.items),
        "no_stock_24h": detail.no_stock_24h,
    }


def _document(shown: ShownCampaign) -> CampaignDocument:
    stock, level, mark = shown.stock, shown.stock.level, shown.need.watermark
    return {
        "campaign_id": level.campaign_id,
        "user_id": level.user_id,
        "name": level.name,
        "status": shown.status,
        "country": level.country,
        "available": level.available,
        "leased": stock.leased,
        "consumed_24h": level.consumed_24h,
        "watermark": mark.items,
        "watermark_source": mark.source,
        "target": shown.need.target,
        "low": shown.need.low,
        "runway_minutes": shown.runway,
        "expected_24h": shown.expected_24h,
        "refused_24h": shown.refused_24h,
        "last_replenished_at": stock.last_replenished_at,
        "last_error": stock.last_error,
    }
