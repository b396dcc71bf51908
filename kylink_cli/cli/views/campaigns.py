"""What campaigns look like."""

import shlex
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from rich.text import Text

from kylink_cli.console import Console
from kylink_cli.console import campaign_words as words
from kylink_cli.console.tables import Column, span
from kylink_cli.language import marked, tr
from kylink_cli.overview.campaign import CampaignDetail
from kylink_cli.overview.campaigns import ShownCampaign
from kylink_cli.rules import counted
from kylink_cli.rules.text import one_line

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


def show_list(
    console: Console, found: Sequence[ShownCampaign], limit: int | None, *, with_errors: bool = False
) -> None:
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


def _total(found: Sequence[ShownCampaign]) -> str:
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


def _row(shown: ShownCampaign) -> list[Any]:
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


def _lasting(shown: ShownCampaign, minutes: int | None) -> Text | str | None:
    if shown.status == "active" and shown.stock.level.available == 0:
        return Text(tr("empty"), style="bold red")
    return None if minutes is None else span(timedelta(minutes=minutes))
