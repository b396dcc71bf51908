"""What campaigns look like."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from kylink_cli.console import Console
from kylink_cli.console.sparkline import sparkline
from kylink_cli.console.tables import Column, span
from kylink_cli.language import tr
from kylink_cli.rules.demand import MINUTES_AN_HOUR
from kylink_cli.rules.moments import readable
from kylink_cli.rules.reasons import reason, reason_for_programs
from kylink_cli.rules.replenishment import Need, runway_minutes
from kylink_cli.rules.text import natural
from kylink_cli.store.figures.campaign_stock import CampaignStock

MINUTES_A_DAY = 24 * MINUTES_AN_HOUR

_COLUMNS = [
    Column("CAMPAIGN", flexible=True),
    Column("NAME", flexible=True),
    Column("USER", flexible=True),
    Column("STATUS", words=True),
    Column("STOCK", "right"),
    Column("WM", "right"),
    Column("TARGET", "right"),
    Column("RUNWAY", "right"),
]


@dataclass(frozen=True, slots=True)
class Shown:
    """A campaign with its stock, and what the rule says of it."""

    stock: CampaignStock
    need: Need

    @property
    def status(self) -> str:
        """The campaign's status."""
        return "active" if self.stock.level.active else "paused"

    @property
    def runway(self) -> int | None:
        """How long the stock lasts, minutes; None if nobody asks for it."""
        return runway_minutes(self.need)

    @property
    def expected_24h(self) -> float | None:
        """Items that are to be expected to be asked for within 24 hours."""
        is_known = self.need.forecast is not None and self.stock.level.history.hours
        return round(self.need.forecast.items(MINUTES_A_DAY), 1) if is_known and self.need.forecast else None

    @property
    def day_ago(self) -> int:
        """The hour that began 23 to 24 hours ago, counted since 1970."""
        minute = 0 if self.need.forecast is None else self.need.forecast.minute
        return minute // MINUTES_AN_HOUR - 23


def in_order(shown: Sequence[Shown], sort: str) -> list[Shown]:
    """Campaigns sorted by `id`, `runway` (shortest first, unknown last) or `available` (emptiest first)."""

    def key(one: Shown) -> float:
        if sort == "available":
            return one.stock.level.available
        if sort == "runway":
            return math.inf if one.runway is None else one.runway
        return 0

    return sorted(shown, key=lambda one: (key(one), natural(one.stock.level.campaign_id)))


@dataclass(frozen=True, slots=True)
class Details:
    """What is known of a campaign that is looked at alone."""

    items: Mapping[str, int]  # by state
    no_stock_24h: int
    by_hour: Sequence[int]  # consumed in each of the last 24 hours
    ordered_24h: int


def show_list(console: Console, shown: Sequence[Shown]) -> None:
    """Show campaigns, one a row."""
    if not shown:
        console.say(tr("no such campaign: 'kylink campaigns add' and 'kylink campaigns import' add some"))
        return
    console.table(_COLUMNS, [_row(one) for one in shown])


def list_document(shown: Sequence[Shown]) -> dict[str, Any]:
    """Campaigns as JSON (contract, section 3)."""
    return {"campaigns": [_document(one) for one in shown]}


def show_campaign(console: Console, shown: Shown, details: Details) -> None:
    """Show all that is known of one campaign."""
    console.facts(campaign_document(shown, details) | _words(shown, details))


def campaign_document(shown: Shown, details: Details) -> dict[str, Any]:
    """All that is known of one campaign, as JSON."""
    level = shown.stock.level
    return _document(shown) | {
        "source_url": level.source_url,
        "low_watermark": level.own_watermark,
        "target_stock": level.own_target,
        "order_limit": level.own_order_limit,
        "ordered_24h": details.ordered_24h,
        "watermark_capped": shown.need.watermark.capped,
        "order": shown.need.order,
        "why": reason_for_programs(shown.need),
        "created_at": level.created_at,
        "items": dict(details.items),
        "no_stock_24h": details.no_stock_24h,
    }


def _document(shown: Shown) -> dict[str, Any]:
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
        "refused_24h": level.history.since(shown.day_ago).refused,
        "last_replenished_at": stock.last_replenished_at,
        "last_error": stock.last_error,
    }


def _words(shown: Shown, details: Details) -> dict[str, Any]:
    """What is said to people in other words than to programs."""
    moments = {"last_replenished_at": shown.stock.last_replenished_at, "created_at": shown.stock.level.created_at}
    return {
        **{name: moment and readable(moment) for name, moment in moments.items()},
        "consumed_24h": f"{shown.stock.level.consumed_24h}  {sparkline(details.by_hour)}".rstrip(),
        "why": reason(shown.need),
        "low": tr("yes") if shown.need.low else tr("no"),
        "watermark_capped": tr("yes: WATERMARK_MAX binds") if shown.need.watermark.capped else tr("no"),
        "items": ", ".join(f"{number} {tr(state)}" for state, number in details.items.items() if number) or tr("none"),
    }


def _row(shown: Shown) -> list[Any]:
    level, runway = shown.stock.level, shown.runway
    return [
        level.campaign_id,
        level.name,
        level.user_id,
        "low" if shown.need.low else shown.status,
        level.available,
        shown.need.watermark.items,
        shown.need.target,
        None if runway is None else span(timedelta(minutes=runway)),
    ]
