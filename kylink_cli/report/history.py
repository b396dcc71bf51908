"""The section on what happened: stock, demand and supply over time, with bands where something was broken."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from kylink_cli.language import ntr, tr
from kylink_cli.report.parts import Band, Chart, Section, Series
from kylink_cli.report.supply import results
from kylink_cli.report.timeline import Timeline
from kylink_cli.rules.demand import KEPT_HOURS, Asked
from kylink_cli.rules.figures import DemandOfHour, Figures, History
from kylink_cli.rules.replenishment import Need
from kylink_cli.rules.verdict import share_refused

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A crash takes no time, and is to be seen all the same: as wide as a hundredth of the period.
_NARROWEST = 1 / 100


def section(figures: Figures, history: History, timeline: Timeline) -> Section:
    """The section on what happened."""
    bands = _bands(figures, history)
    charts = [
        _demand(demand_by_hour(figures.campaigns, figures.period.since), timeline, bands, figures.period.until),
        _stock(figures, history, timeline, bands),
        results(figures.requests, timeline, bands),
    ]
    return Section("history", tr("Over time"), charts)


def demand_by_hour(needs: Sequence[Need], since: datetime) -> list[DemandOfHour]:
    """What consumers asked of all campaigns, by the hour, from the hour of a moment on."""
    first = int(since.timestamp()) // 3600
    hours: dict[int, Asked] = defaultdict(lambda: Asked(0, 0))
    for need in needs:
        for hour, asked in need.level.history.hours.items():
            if hour >= first:
                before = hours[hour]
                hours[hour] = Asked(before.taken + asked.taken, before.refused + asked.refused)
    return [DemandOfHour(_EPOCH + timedelta(hours=hour), *hours[hour]) for hour in sorted(hours)]


def _demand(demand: Sequence[DemandOfHour], timeline: Timeline, bands: Sequence[Band], now: datetime) -> Chart:
    asked = Asked(sum(one.taken for one in demand), sum(one.refused for one in demand))
    kept_since = now.timestamp() - KEPT_HOURS * 3600
    is_kept = [start >= kept_since for start in timeline.starts]
    summary = ntr(
        "{n:,} item asked for, {refused:,} refused ({share}).",
        "{n:,} items asked for, {refused:,} refused ({share}).",
        asked.items,
        refused=asked.refused,
        share=share_refused(asked),
    )
    taken, refused = (
        timeline.totals(demand, lambda one: one.taken),
        timeline.totals(demand, lambda one: one.refused),
    )
    return Chart(
        key="demand",
        title=tr("Demand served and refused"),
        summary=summary,
        x=timeline.axis,
        y_title=tr("asked for (items)"),
        series=[
            Series(tr("served"), "blue", [n if kept else None for n, kept in zip(taken, is_kept, strict=True)]),
            Series(
                tr("refused"), "vermillion", [n if kept else None for n, kept in zip(refused, is_kept, strict=True)]
            ),
        ],
        stacked=True,
        bands=bands,
    )


def _stock(figures: Figures, history: History, timeline: Timeline, bands: Sequence[Band]) -> Chart:
    levels = stock_levels(figures, history, timeline)
    return Chart(
        key="stock-history",
        title=tr("Items in stock"),
        summary=ntr(
            "{n:,} item now; at the least {least:,}. Discarded and leased items are left out.",
            "{n:,} items now; at the least {least:,}. Discarded and leased items are left out.",
            levels[-1],
            least=min(levels),
        ),
        x=timeline.axis,
        y_title=tr("stock (items)"),
        series=[Series(tr("available"), "sky", levels, "line")],
        bands=bands,
    )


def stock_levels(figures: Figures, history: History, timeline: Timeline) -> list[int]:
    """The stock at the end of each step: what there is now, and back from there by what came and went."""
    level = sum(one.level.available for one in figures.campaigns)
    levels: list[int] = []
    for group in reversed(timeline.grouped(history.stock)):
        levels.append(max(0, level))
        level -= sum(one.arrived - one.consumed - one.expired for one in group)
    return levels[::-1]


def _bands(figures: Figures, history: History) -> list[Band]:
    period = figures.period
    least = (period.until - period.since).total_seconds() * _NARROWEST
    outages = [
        Band(
            tr("outage"), "vermillion", one.since.timestamp(), max(one.until.timestamp(), one.since.timestamp() + least)
        )
        for one in history.outages
    ]
    crashes = [
        Band(tr("crash"), "purple", one.since.timestamp(), one.since.timestamp() + least) for one in history.crashes
    ]
    return [*outages, *crashes]
