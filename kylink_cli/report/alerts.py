"""The section on alerts: when they were raised, and what is open."""

from collections.abc import Sequence

from kylink_cli.language import tr
from kylink_cli.report.parts import Cell, Chart, Color, ReportColumn, Section, Series, Table
from kylink_cli.report.timeline import Timeline
from kylink_cli.rules import counted
from kylink_cli.rules.figures import AlertFacts, AlertsOfHour
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import AlertLevel

_LEVEL_COLORS: dict[str, Color] = {AlertLevel.INFO: "sky", AlertLevel.WARNING: "orange", AlertLevel.ERROR: "vermillion"}
_TITLE_LENGTH = 160


def section(alerts: Sequence[AlertsOfHour], last_alerts: Sequence[AlertFacts], timeline: Timeline) -> Section:
    """The section on alerts.

    Args:
        alerts: those that were first seen in the period.
        last_alerts: those that are not resolved, then the last that are.
    """
    return Section("alerts", tr("Alerts"), [_levels(alerts, timeline)], [_table(last_alerts)])


def _levels(alerts: Sequence[AlertsOfHour], timeline: Timeline) -> Chart:
    total = sum(one.number for one in alerts)
    errors = sum(one.number for one in alerts if one.level == AlertLevel.ERROR)
    return Chart(
        key="alert-levels",
        title=tr("New alerts by level"),
        summary=tr("New: {alerts}, of which errors: {errors:,}.", alerts=counted.alerts(total), errors=errors),
        x=timeline.axis,
        y_title=tr("new alerts (number)"),
        series=[
            Series(
                tr(level), color, timeline.totals((one for one in alerts if one.level == level), lambda one: one.number)
            )
            for level, color in _LEVEL_COLORS.items()
        ],
        stacked=True,
    )


def _table(alerts: Sequence[AlertFacts]) -> Table:
    columns = [
        ReportColumn(tr("Alert"), "id"),
        ReportColumn(tr("Level"), "state", filter=True),
        ReportColumn(tr("State"), "state", filter=True),
        ReportColumn(tr("What")),
        ReportColumn(tr("Type")),
        ReportColumn(tr("Seen"), "number"),
        ReportColumn(tr("First seen (UTC)")),
        ReportColumn(tr("Last seen (UTC)")),
    ]
    return Table("last-alerts", tr("Open and last alerts"), columns, [_row(one) for one in alerts])


def _row(alert: AlertFacts) -> list[Cell]:
    return [
        str(alert.alert_id),
        alert.level,
        alert.state,
        one_line(alert.title, _TITLE_LENGTH),
        alert.type,
        alert.count,
        f"{alert.first_seen_at:%Y-%m-%d %H:%M}",
        f"{alert.last_seen_at:%Y-%m-%d %H:%M}",
    ]
