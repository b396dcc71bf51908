"""The section on stock: every campaign against its watermark and target, most at risk first."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

from kylink_cli.language import ntr, tr
from kylink_cli.report.parts import Axis, Cell, Chart, ReportColumn, Section, Series, Table
from kylink_cli.rules import counted
from kylink_cli.rules.moments import span
from kylink_cli.rules.replenishment import Need, runway_minutes
from kylink_cli.rules.situation import CampaignSituation
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import CampaignStatus

TABLE = "campaigns"
LISTED_CAMPAIGNS = 10_000
# Two thousand kilobytes are not to be filled by names.
_NAME_LENGTH = 60
_ERROR_LENGTH = 90
_HOUR = 60
_DAY = 24 * _HOUR


def section(needs: Sequence[Need], fared: Mapping[str, CampaignSituation]) -> Section:
    """The section on stock.

    Args:
        needs: every campaign and what it needs, most at risk first.
        fared: how their consumers fared, by campaign.
    """
    listed = needs[:LISTED_CAMPAIGNS]
    rows = [_row(one, fared.get(one.level.campaign_id)) for one in listed]
    return Section("stock", tr("Stock"), [_levels(listed), _runway(needs)], [_table(rows, len(needs))])


def _levels(needs: Sequence[Need]) -> Chart:
    low = sum(one.low for one in needs)
    empty = sum(one.level.active and not one.level.available for one in needs)
    return Chart(
        key="levels",
        title=tr("Stock of every campaign against watermark and target"),
        summary=tr(
            "Below the watermark: {low:,} of {campaigns}, {empty:,} of them empty.",
            low=low,
            campaigns=counted.campaigns(len(needs)),
            empty=empty,
        ),
        x=Axis(tr("campaigns, most at risk first (rank)"), "rank", range(1, len(needs) + 1)),
        y_title=tr("stock (items)"),
        series=[
            Series(tr("available"), "sky", [one.level.available for one in needs]),
            Series(tr("target"), "grey", [one.target for one in needs], "step", dash=5),
            Series(tr("watermark"), "vermillion", [one.watermark.items for one in needs], "step"),
        ],
        table=TABLE,
    )


def _runway(needs: Sequence[Need]) -> Chart:
    active = [one for one in needs if one.level.active]
    names = [tr("empty"), tr("< 1 h"), tr("1-6 h"), tr("6-24 h"), tr("1-3 d"), tr("> 3 d"), tr("idle")]
    numbers = Counter(_runway_class(one) for one in active)
    soon = sum(numbers[index] for index in range(2))
    return Chart(
        key="runway",
        title=tr("How long stocks last"),
        summary=tr(
            "Empty now or within an hour: {soon:,} of {campaigns} that are active.",
            soon=soon,
            campaigns=counted.campaigns(len(active)),
        ),
        x=Axis(tr("runway (at the demand that is expected)"), "category", range(len(names)), names),
        y_title=tr("campaigns (number)"),
        series=[Series(tr("campaigns"), "blue", [numbers[index] for index in range(len(names))])],
    )


def _runway_class(one: Need) -> int:
    minutes = runway_minutes(one)
    if one.level.available == 0:
        return 0
    if minutes is None:
        return 6
    return 1 + sum(minutes >= bound for bound in (_HOUR, 6 * _HOUR, _DAY, 3 * _DAY))


def _table(rows: Sequence[Sequence[Cell]], number: int) -> Table:
    columns = [
        ReportColumn(tr("Campaign"), "id"),
        ReportColumn(tr("Name")),
        ReportColumn(tr("State"), "state", filter=True),
        ReportColumn(tr("Stock"), "stock"),
        ReportColumn(tr("Available"), "number"),
        ReportColumn(tr("Runway"), "number"),
        ReportColumn(tr("Used in 24 h"), "number"),
        ReportColumn(tr("Turned away"), "number"),
        ReportColumn(tr("User"), filter=True),
        ReportColumn(tr("Last error")),
    ]
    left_out = number - len(rows)
    note = tr("The bar shows the stock; the mark in it is the watermark, its full length the target.")
    if left_out:
        note += " " + ntr(
            "{n} campaign with more cover is left out.", "{n} campaigns with more cover are left out.", left_out
        )
    return Table(TABLE, tr("Campaigns"), columns, rows, note)


def _row(one: Need, fared: CampaignSituation | None) -> list[Cell]:
    level, minutes = one.level, runway_minutes(one)
    return [
        one_line(level.campaign_id),
        one_line(level.name, _NAME_LENGTH),
        _state(one),
        (level.available, one.watermark.items, one.target),
        level.available,
        None if minutes is None else (minutes, span(timedelta(minutes=minutes)) if minutes else tr("empty")),
        level.consumed_24h,
        0 if fared is None else fared.asked.refused,
        one_line(level.user_id, _NAME_LENGTH),
        one_line((fared and fared.error) or "", _ERROR_LENGTH),
    ]


def _state(one: Need) -> str:
    if not one.level.active:
        return CampaignStatus.PAUSED
    if not one.level.available:
        return "empty"
    return "low" if one.low else CampaignStatus.ACTIVE
