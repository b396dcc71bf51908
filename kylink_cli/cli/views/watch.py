"""What `kylink watch --once` prints: the live view as plain tables, for pipes and for those without a terminal."""

from datetime import timedelta
from typing import Any

from kylink_cli.cli.views.jobs import show_status
from kylink_cli.console import Console
from kylink_cli.console.tables import Column, ago, span
from kylink_cli.language import tr
from kylink_cli.overview.watching import OpenAlert, Scene, Seen
from kylink_cli.rules import counted
from kylink_cli.rules.replenishment import Need, runway_minutes
from kylink_cli.rules.watching import Selection, chosen

_LISTED = 20
_CAMPAIGN_COLUMNS = [
    Column("CAMPAIGN"),
    Column("NAME", flexible=True, spare=2),
    Column("STOCK", "right"),
    Column("WM", "right", spare=3),
    Column("RUNWAY", "right"),
    Column("ERROR", flexible=True, spare=1),
]
_ALERT_COLUMNS = [
    Column("ALERT", "right"),
    Column("LEVEL", words=True),
    Column("STATE", words=True, spare=1),
    Column("LAST SEEN", spare=2),
    Column("WHAT", wraps=True),
]


def show_scene(console: Console, scene: Scene) -> None:
    """Show jobs, the campaigns with the least stock left, and the alerts that go on."""
    console.prose(tr("{campaigns}, {low} low", campaigns=counted.campaigns(len(scene.campaigns)), low=scene.low))
    console.say()
    show_status(console, scene.jobs, scene.now, auto_cron=scene.auto_cron)
    if scene.campaigns:
        console.say()
        shown = chosen(scene.campaigns, Selection(), _need)[:_LISTED]
        console.table(_CAMPAIGN_COLUMNS, [_campaign(one) for one in shown])
    console.say()
    if scene.alerts:
        console.table(_ALERT_COLUMNS, [_alert(alert, scene) for alert in scene.alerts])
    else:
        console.say(tr("no alerts"))


def _need(one: Seen) -> Need:
    return one.need


def _campaign(one: Seen) -> list[Any]:
    level, runway = one.need.level, runway_minutes(one.need)
    lasting = tr("paused") if not level.active else tr("empty") if level.available == 0 else runway
    return [
        level.campaign_id,
        level.name,
        f"{level.available}/{one.need.target}",
        one.need.watermark.items,
        span(timedelta(minutes=lasting)) if isinstance(lasting, int) else lasting,
        one.last_error,
    ]


def _alert(alert: OpenAlert, scene: Scene) -> list[Any]:
    return [alert.id, alert.level, alert.state, ago(alert.last_seen_at, scene.now), alert.title]
