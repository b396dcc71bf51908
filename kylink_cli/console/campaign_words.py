"""What is said of one campaign, in sentences: for `kylink campaigns show` and the live view."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from rich.text import Text

from kylink_cli.console.sparkline import BLOCKS, Glyphs, sparkline, stock_bar
from kylink_cli.console.tables import ago, span
from kylink_cli.language import tr
from kylink_cli.overview.campaign import CampaignDetail
from kylink_cli.rules import counted
from kylink_cli.rules.moments import local
from kylink_cli.rules.reasons import reason
from kylink_cli.rules.replenishment import Need, runway_minutes
from kylink_cli.rules.text import isolated, one_line
from kylink_cli.rules.vocabulary import ItemState

BAR_WIDTH = 24
_MINUTES_A_DAY = 24 * 60


def headline(need: Need) -> Text:
    """What matters most: whether consumers get what they ask for."""
    level, items = need.level, counted.items(need.level.available)
    name = isolated(one_line(level.name))
    if not level.active:
        return Text(tr("{name} is paused: nothing is ordered for it, {items} left", name=name, items=items), "yellow")
    if level.available == 0:
        return Text(tr("{name} is empty: whoever asks is turned away", name=name), "bold red")
    if need.low:
        return Text(tr("{name} is low: {items} left{lasting}", name=name, items=items, lasting=_lasting(need)), "red")
    return Text(tr("{name} is in stock: {items}{lasting}", name=name, items=items, lasting=_lasting(need)), "green")


def _lasting(need: Need) -> str:
    runway = runway_minutes(need)
    return "" if runway is None else tr(", for about {span}", span=span(timedelta(minutes=runway)))


def stock_line(detail: CampaignDetail, glyphs: Glyphs = BLOCKS) -> Text:
    """The stock between nothing and its target, as a bar and in numbers."""
    need = detail.need
    level, mark = need.level, need.watermark.items
    said = tr(
        "{available} of {target}, replenished below {mark}", available=level.available, target=need.target, mark=mark
    )
    if detail.stock.leased:
        said += tr("; {number} leased", number=detail.stock.leased)
    return Text.assemble(stock_bar(level.available, mark, need.target, BAR_WIDTH, glyphs), "  ", said)


def demand_line(detail: CampaignDetail, glyphs: Glyphs = BLOCKS) -> Text | None:
    """What was consumed, hour by hour; None if nothing was."""
    if not any(detail.consumed_by_hour):
        return None
    course = Text(sparkline(detail.consumed_by_hour, glyphs), style="cyan")
    return Text.assemble(course, "  ", tr("consumed by the hour, the last 24"))


def demand(detail: CampaignDetail) -> str:
    """What consumers asked for, what they got, and what is to be expected."""
    asked, need = detail.asked_24h, detail.need
    if asked.items == 0:
        said = tr("Nobody has asked for anything in 24 hours.")
    elif asked.refused:
        said = tr(
            "In 24 hours consumers asked for {items}: {served} served, {refused} refused ({percent} %).",
            items=counted.items(asked.items),
            served=f"{asked.taken:,}",
            refused=f"{asked.refused:,}",
            percent=f"{100 * asked.refused / asked.items:.0f}",
        )
    else:
        said = tr("In 24 hours consumers asked for {items} and got all of them.", items=counted.items(asked.items))
    if need.forecast is None or not need.level.history.hours:
        return said
    expected = counted.items(round(need.forecast.items(_MINUTES_A_DAY)))
    return tr("{said} About {expected} are expected in the next 24.", said=said, expected=expected)


def rule(need: Need) -> str:
    """Why it is replenished when it is."""
    if not need.level.active:
        return tr("The rule, once it is resumed: {reason}.", reason=reason(need))
    if need.order:
        return tr("The next run orders {items}: {reason}.", items=counted.items(need.order), reason=reason(need))
    return tr("The rule: {reason}.", reason=reason(need))


def orders(detail: CampaignDetail) -> str | None:
    """What is left of the campaign's own limit on orders; None if it has none."""
    limit = detail.need.level.own_order_limit
    if not limit:
        return None
    return tr(
        "At most {items} are ordered for it in 24 hours; {ordered} were.",
        items=counted.items(limit),
        ordered=f"{detail.ordered_24h:,}",
    )


def past(detail: CampaignDetail) -> str:
    """When it was filled last, and what has become of its items."""
    filled = detail.stock.last_replenished_at
    said = (
        tr("It was never filled.")
        if filled is None
        else tr("It was last filled {when}.", when=when(filled, detail.now))
    )
    spent = [
        f"{detail.items[state]:,} {tr(state)}"
        for state in (ItemState.CONSUMED, ItemState.EXPIRED, ItemState.DISCARDED)
        if detail.items.get(state)
    ]
    return tr("{said} Of its items: {spent}.", said=said, spent=", ".join(spent)) if spent else said


def origin(need: Need) -> Iterator[str]:
    """Whose campaign it is, and what the supply service is told of it."""
    level = need.level
    yield tr("Campaign {campaign_id} of {user}.", campaign_id=one_line(level.campaign_id), user=one_line(level.user_id))
    yield tr("Added {moment}.", moment=local(level.created_at))
    if level.country:
        yield tr("Country {country}.", country=one_line(level.country))
    if level.source_url:
        yield tr("Source {url}", url=one_line(level.source_url))


def when(moment: datetime, now: datetime) -> str:
    """A moment, and how long ago that was."""
    return tr("{ago} ({moment})", ago=ago(moment, now), moment=local(moment))
