"""How all is, in one look, for one who may see everything or one user's campaigns."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from kylink_cli.language import tr
from kylink_cli.overview.situation import LISTED_ALERTS, read_situation
from kylink_cli.report.attention import AttentionCard, left_out, notices
from kylink_cli.report.parts import Tile
from kylink_cli.rules.attention import Kind, attention
from kylink_cli.rules.figures import Period
from kylink_cli.rules.replenishment import runway_minutes
from kylink_cli.rules.situation import CampaignSituation, Situation
from kylink_cli.rules.text import natural
from kylink_cli.rules.verdict import OverallVerdict, verdict
from kylink_cli.rules.vocabulary import AlertState
from kylink_cli.serving.alerts import seen_alerts
from kylink_cli.serving.backend import Backend
from kylink_cli.serving.keyring import Caller
from kylink_cli.serving.pages.rows import ListedCampaign
from kylink_cli.store.alerts import AlertFilter

_PERIOD: Final = timedelta(hours=24)
_LISTED_CAMPAIGNS: Final = 50


@dataclass(frozen=True, slots=True)
class Overview:
    """What the first page shows."""

    verdict: OverallVerdict
    cards: Sequence[tuple[Kind, AttentionCard]]
    more: str
    tiles: Sequence[Tile]
    campaigns: Sequence[ListedCampaign]
    now: datetime


async def look_over(backend: Backend, caller: Caller) -> Overview:
    """How all is for a caller; those who may see the same share a reading for some seconds."""

    async def read() -> Situation:
        return await backend.workers.look(lambda: _read(backend, caller))

    situation = await backend.situations.get(caller.user_id, read)
    # In a worker: with many campaigns, the server would stand still meanwhile.
    return await backend.workers.look(lambda: _summed_up(situation))


def _summed_up(situation: Situation) -> Overview:
    """In the language of the one who looks."""
    now = situation.period.until
    matters = attention(situation)
    first = sorted(situation.campaigns, key=_urgency)[:_LISTED_CAMPAIGNS]
    return Overview(
        verdict=verdict(situation, matters),
        cards=list(zip((matter.kind for matter in matters), notices(matters, now), strict=False)),
        more=left_out(matters),
        tiles=_tiles(situation),
        campaigns=[ListedCampaign(one.need) for one in first],
        now=now,
    )


def _read(backend: Backend, caller: Caller) -> Situation:
    now = backend.now()
    period = Period(now - _PERIOD, now)
    situation = read_situation(backend.database, backend.parts.locks, backend.settings, period, caller.user_id)
    return situation if caller.user_id is None else _as_users_see_it(backend, caller, situation)


def _as_users_see_it(backend: Backend, caller: Caller, situation: Situation) -> Situation:
    """Without what jobs' errors and alerts say of others' campaigns."""
    wanted = AlertFilter(user_id=caller.user_id, limit=LISTED_ALERTS)
    seen = backend.database.read(lambda session: seen_alerts(session, caller, wanted))["alerts"]
    titles = {alert["id"]: alert["title"] for alert in seen}
    return replace(
        situation,
        jobs=[replace(job, error=None) for job in situation.jobs],
        alerts=[replace(one, title=titles[one.alert_id]) for one in situation.alerts if one.alert_id in titles],
    )


def _urgency(one: CampaignSituation) -> tuple[bool, bool, float, object]:
    runway, level = runway_minutes(one.need), one.need.level
    return not level.active, not one.empty, math.inf if runway is None else runway, natural(level.campaign_id)


def _tiles(situation: Situation) -> list[Tile]:
    campaigns = situation.campaigns
    low, empty = sum(one.need.low for one in campaigns), sum(one.empty for one in campaigns)
    open_alerts = sum(one.state != AlertState.RESOLVED for one in situation.alerts)
    refused = situation.asked.refused
    return [
        Tile(
            tr("Campaigns below watermark"),
            f"{low:,}",
            tr("{empty} of them without any stock", empty=empty),
            "bad" if empty else "warning" if low else "good",
        ),
        Tile(tr("Items in stock"), f"{sum(one.need.level.available for one in campaigns):,}"),
        Tile(tr("Consumers turned away"), f"{refused:,}", tr("in 24 hours"), "warning" if refused else "good"),
        Tile(tr("Unresolved alerts"), f"{open_alerts:,}", "", "warning" if open_alerts else "good"),
    ]
