"""A campaign in a list keeps what is shown of it, and not the four weeks of demand that decided it."""

from datetime import UTC, datetime, timedelta

import pytest

from kylink_cli.overview.campaigns import as_shown
from kylink_cli.rules.demand import NO_HISTORY, Asked, DemandHistory
from kylink_cli.rules.replenishment import Level, need, runway_minutes
from kylink_cli.settings.fields import Settings
from kylink_cli.store.figures.campaign_stock import CampaignStock

NOW = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
HOUR = int(NOW.timestamp()) // 3600
# An item an hour for a week; refusals in the last day's first hour, in the hour before, and now.
HOURS = {HOUR - ago: Asked(1, 0) for ago in range(168)} | {
    HOUR - 24: Asked(1, 16),
    HOUR - 23: Asked(1, 4),
    HOUR: Asked(1, 2),
}


def level(history: DemandHistory = NO_HISTORY, available: int = 30) -> Level:
    old = NOW - timedelta(days=60)
    return Level("c1", "u1", "Campaign 1", "US", None, old, None, None, available, 0, history=history)


def test_what_is_shown_is_what_was_decided() -> None:
    decided = need(level(DemandHistory(HOURS)), Settings().policy, NOW)
    shown = as_shown(CampaignStock(decided.level, 3, NOW, "refused"), decided)
    assert decided.forecast is not None
    assert shown.runway == runway_minutes(decided)
    assert shown.expected_24h == pytest.approx(decided.forecast.items(24 * 60), abs=0.06)
    assert shown.refused_24h == 6
    assert (shown.need.watermark, shown.need.target, shown.need.order) == (
        decided.watermark,
        decided.target,
        decided.order,
    )
    assert shown.need.low == decided.low
    assert (shown.stock.leased, shown.stock.last_replenished_at, shown.stock.last_error) == (3, NOW, "refused")


def test_what_decided_it_is_let_go() -> None:
    decided = need(level(DemandHistory(HOURS)), Settings().policy, NOW)
    shown = as_shown(CampaignStock(decided.level, 0, None, None), decided)
    assert (shown.need.forecast, shown.need.reorder) == (None, None)
    assert shown.need.level.history is NO_HISTORY
    assert shown.stock.level is shown.need.level


@pytest.mark.parametrize(("available", "runway"), [(0, 0), (5, None)])
def test_of_what_nobody_asks_for_nothing_is_expected(available: int, runway: int | None) -> None:
    decided = need(level(available=available), Settings().policy, NOW)
    shown = as_shown(CampaignStock(decided.level, 0, None, None), decided)
    assert (shown.runway, shown.expected_24h, shown.refused_24h) == (runway, None, 0)
