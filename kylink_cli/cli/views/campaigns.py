"""What campaigns look like."""

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rich.text import Text

from kylink_cli.console import Console
from kylink_cli.console import campaign_words as words
from kylink_cli.console.tables import Column, span
from kylink_cli.language import marked, tr
from kylink_cli.overview.campaign import CampaignDetail
from kylink_cli.rules import counted
from kylink_cli.rules.demand import MINUTES_AN_HOUR
from kylink_cli.rules.reasons import reason_for_programs
from kylink_cli.rules.replenishment import Need, runway_minutes
from kylink_cli.rules.text import natural, one_line
from kylink_cli.store.figures.campaign_stock import CampaignStock

MINUTES_A_DAY = 24 * MINUTES_AN_HOUR

_COLUMNS = [
    Column("CAMPAIGN"),
    Column("NAME", flexible=True, spare=2),
    Column("USER", flexible=True, spare=3),
    Column("STATUS", words=True),
    Column("STOCK", "right"),
    Column("WM", "right", spare=5),
    Column("TARGET", "right", spare=4),
    Column("RUNWAY", "right"),
]
_ERROR_COLUMN = Column("ERROR", flexible=True, spare=1)


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
    def failing(self) -> bool:
        """Whether its last run went wrong."""
        return self.stock.level.active and self.stock.last_error is not None

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
    """Campaigns sorted by `id`, `runway` or `available`; those of equal rank by id.

    Args:
        sort: `runway` is the shortest first, then what is not known, then what is paused; `available` the emptiest.
    """

    def rank(one: Shown) -> tuple[bool, float]:
        if sort == "available":
            return False, one.stock.level.available
        if sort == "runway":
            return not one.stock.level.active, math.inf if one.runway is None else one.runway
        return False, 0

    return sorted(shown, key=lambda one: (rank(one), natural(one.stock.level.campaign_id)))


def show_list(console: Console, found: Sequence[Shown], limit: int | None, *, with_errors: bool = False) -> None:
    """Show campaigns, one a row, and below them how many there are.

    Args:
        found: all that were asked for, in their order.
        limit: so many are shown; None for all.
        with_errors: whether to show what went wrong last.
    """
    if not found:
        console.say(tr("no such campaign: 'kylink campaigns add' and 'kylink campaigns import' add some"))
        return
    listed = found[:limit]
    columns = [*_COLUMNS, _ERROR_COLUMN] if with_errors else _COLUMNS
    console.table(columns, [[*_row(one), one.stock.last_error][: len(columns)] for one in listed])
    console.say()
    console.prose(_total(found))
    if len(listed) < len(found):
        first = tr("These are the first {number}: --limit N shows more.", number=f"{len(listed):,}")
        console.prose(first)


def _total(found: Sequence[Shown]) -> str:
    """How many campaigns there are, and how many of them a person should look at."""
    counts = {
        marked("{n:,} empty"): sum(one.status == "active" and one.stock.level.available == 0 for one in found),
        marked("{n:,} low"): sum(one.need.low for one in found),
        marked("{n:,} failing"): sum(one.failing for one in found),
        marked("{n:,} paused"): sum(one.status == "paused" for one in found),
    }
    said = ", ".join(tr(words, n=number) for words, number in counts.items() if number)
    total = counted.campaigns(len(found))
    return tr("{campaigns}: {said}", campaigns=total, said=said) if said else total


def list_document(shown: Sequence[Shown]) -> dict[str, Any]:
    """Campaigns as JSON (contract, section 3)."""
    return {"campaigns": [_document(one) for one in shown]}


def show_campaign(console: Console, detail: CampaignDetail) -> None:
    """Say all that is known of one campaign, the most important first."""
    need, error = detail.need, detail.stock.last_error
    console.prose(words.headline(need).plain, style=str(words.headline(need).style))
    console.show(words.stock_line(detail))
    console.say()
    console.prose(words.demand(detail))
    if (line := words.demand_line(detail)) is not None:
        console.show(line)
    console.prose(words.rule(need))
    if (limit := words.orders(detail)) is not None:
        console.prose(limit)
    console.prose(words.past(detail))
    if error is not None:
        console.prose(tr("The last run failed for it: {error}", error=one_line(error)), style="red")
    console.say()
    console.prose(" ".join(words.origin(need)))
    if need.low:
        campaign_id = shlex.quote(one_line(need.level.campaign_id))
        console.say(tr("Fill it now: {command}", command=f"kylink replenish --campaign {campaign_id}"))


def campaign_document(detail: CampaignDetail) -> dict[str, Any]:
    """All that is known of one campaign, as JSON."""
    shown = Shown(detail.stock, detail.need)
    level = shown.stock.level
    return _document(shown) | {
        "source_url": level.source_url,
        "low_watermark": level.own_watermark,
        "target_stock": level.own_target,
        "order_limit": level.own_order_limit,
        "ordered_24h": detail.ordered_24h,
        "watermark_capped": shown.need.watermark.capped,
        "order": shown.need.order,
        "why": reason_for_programs(shown.need),
        "created_at": level.created_at,
        "items": dict(detail.items),
        "no_stock_24h": detail.no_stock_24h,
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
        _lasting(shown, runway),
    ]


def _lasting(shown: Shown, minutes: int | None) -> Text | str | None:
    if shown.status == "active" and shown.stock.level.available == 0:
        return Text(tr("empty"), style="bold red")
    return None if minutes is None else span(timedelta(minutes=minutes))
