"""The rule that decides how much a campaign needs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kylink_cli.rules.demand import NO_HISTORY, Asked, DemandHistory
from kylink_cli.rules.order_limits import Limited
from kylink_cli.rules.replenishment import (
    Demand,
    Level,
    Policy,
    Watermark,
    need,
    result_status,
    runway_minutes,
    settled_hours,
    target,
    urgency,
    watermark,
)
from kylink_cli.rules.vocabulary import LimitSource, WatermarkSource
from tests.support.policies import COVER, FORECAST

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = COVER
OLD = Level(
    campaign_id="42",
    user_id="u1",
    name="Spring",
    country=None,
    source_url=None,
    created_at=NOW - timedelta(days=30),
    own_watermark=None,
    own_target=None,
    available=0,
    consumed_24h=0,
)


@pytest.mark.parametrize(
    ("consumed", "expected"),
    [
        (0, Watermark(3, WatermarkSource.DYNAMIC)),
        (12, Watermark(3, WatermarkSource.DYNAMIC)),
        (36, Watermark(3, WatermarkSource.DYNAMIC)),
        (37, Watermark(4, WatermarkSource.DYNAMIC)),
        (48, Watermark(4, WatermarkSource.DYNAMIC)),
        (120, Watermark(10, WatermarkSource.DYNAMIC)),
        (240, Watermark(20, WatermarkSource.DYNAMIC)),
        (241, Watermark(20, WatermarkSource.DYNAMIC, capped=True)),
        (300, Watermark(20, WatermarkSource.DYNAMIC, capped=True)),
    ],
)
def test_the_watermark_covers_two_hours_of_consumption_within_its_limits(consumed: int, expected: Watermark) -> None:
    assert watermark(replace(OLD, consumed_24h=consumed), POLICY, NOW) == expected


@pytest.mark.parametrize(
    ("age", "consumed", "expected"),
    [
        (timedelta(hours=23, minutes=59), 0, Watermark(5, WatermarkSource.DEFAULT)),
        (timedelta(hours=24), 0, Watermark(3, WatermarkSource.DYNAMIC)),
        (timedelta(hours=1), 1, Watermark(3, WatermarkSource.DYNAMIC)),
        (timedelta(hours=1), 120, Watermark(10, WatermarkSource.DYNAMIC)),
    ],
)
def test_a_new_campaign_without_consumption_gets_the_default(
    age: timedelta, consumed: int, expected: Watermark
) -> None:
    assert watermark(replace(OLD, created_at=NOW - age, consumed_24h=consumed), POLICY, NOW) == expected


@pytest.mark.parametrize("created_at", [NOW, OLD.created_at])
def test_a_campaigns_own_watermark_wins_even_above_the_maximum(created_at: datetime) -> None:
    level = replace(OLD, own_watermark=50, consumed_24h=300, created_at=created_at)
    assert watermark(level, POLICY, NOW) == Watermark(50, WatermarkSource.OWN)


@pytest.mark.parametrize(
    ("own_target", "mark", "expected"),
    [
        (None, 3, 10),
        (None, 5, 10),
        (None, 6, 12),
        (None, 20, 40),
        (7, 3, 7),
        (30, 20, 30),
        (4, 20, 21),
    ],
)
def test_the_target_is_the_campaigns_own_or_a_batch_or_twice_the_watermark(
    own_target: int | None, mark: int, expected: int
) -> None:
    assert target(replace(OLD, own_target=own_target), mark, POLICY) == expected


@pytest.mark.parametrize(
    ("available", "order"),
    [(0, 10), (2, 8), (3, 0), (9, 0), (200, 0)],
)
def test_below_the_watermark_it_is_ordered_up_to_the_target(available: int, order: int) -> None:
    assert need(replace(OLD, available=available), POLICY, NOW).order == order


@pytest.mark.parametrize(
    ("available", "demand", "order"),
    [
        (5, Demand(force=True), 10),
        (200, Demand(force=True), 10),
        (0, Demand(force=True), 10),
        (0, Demand(quantity=3), 3),
        (5, Demand(quantity=3), 0),
        (5, Demand(force=True, quantity=3), 3),
    ],
)
def test_force_ignores_the_watermark_and_quantity_replaces_the_order(
    available: int, demand: Demand, order: int
) -> None:
    assert need(replace(OLD, available=available), POLICY, NOW, demand).order == order


def test_a_large_target_is_reached_even_when_forced() -> None:
    level = replace(OLD, own_target=100, available=20)
    assert need(level, POLICY, NOW, Demand(force=True)).order == 80


@pytest.mark.parametrize("demand", [Demand(), Demand(force=True), Demand(quantity=9)])
def test_a_paused_campaign_is_never_low_and_never_ordered_for(demand: Demand) -> None:
    found = need(replace(OLD, active=False), POLICY, NOW, demand)
    assert (found.low, found.order) == (False, 0)


def asked(items_an_hour: int) -> DemandHistory:
    """The same number of items in every hour of four weeks."""
    hour = int(NOW.timestamp()) // 3600
    return DemandHistory({hour - age: Asked(items_an_hour, 0) for age in range(1, 28 * 24)}, 0, items_an_hour)


@pytest.mark.parametrize(
    ("available", "items_an_hour", "minutes"), [(10, 0, None), (0, 0, 0), (0, 1, 0), (10, 10, 60), (1, 60, 1)]
)
def test_the_runway_is_the_stock_at_the_demand_that_is_expected(
    available: int, items_an_hour: int, minutes: int | None
) -> None:
    history = asked(items_an_hour) if items_an_hour else NO_HISTORY
    found = runway_minutes(need(replace(OLD, available=available, history=history), POLICY, NOW))
    assert found == (minutes and pytest.approx(minutes, rel=0.05))


def test_the_shortest_runway_comes_first_and_of_the_empty_the_one_with_demand() -> None:
    levels = [
        replace(OLD, campaign_id="d", available=2, own_watermark=5),
        replace(OLD, campaign_id="c", available=2, own_watermark=5),
        replace(OLD, campaign_id="slow", available=2, history=asked(1), own_watermark=5),
        replace(OLD, campaign_id="fast", available=20, history=asked(100), own_watermark=30),
        replace(OLD, campaign_id="empty", available=0),
        replace(OLD, campaign_id="starving", available=0, history=asked(1)),
    ]
    ordered = sorted((need(level, POLICY, NOW) for level in levels), key=urgency)
    assert [found.level.campaign_id for found in ordered] == ["starving", "empty", "fast", "slow", "c", "d"]


@pytest.mark.parametrize(
    ("available", "produced", "complete", "stopped", "status"),
    [
        (0, 10, True, False, "succeeded"),
        (0, 3, False, False, "partial"),
        (0, 2, False, False, "failed"),
        (0, 0, False, False, "failed"),
        (5, 0, False, False, "failed"),
        (2, 1, False, False, "partial"),
        (3, 1, False, False, "partial"),
        (1, 1, False, False, "failed"),
        (0, 0, False, True, "not_served"),
        (0, 2, False, True, "not_served"),
        (0, 3, False, True, "partial"),
    ],
)
def test_a_campaign_that_is_short_failed_only_if_it_got_nothing_or_stays_low(
    available: int, produced: int, complete: bool, stopped: bool, status: str
) -> None:
    found = need(replace(OLD, available=available), POLICY, NOW)
    assert result_status(found, produced, complete=complete, stopped=stopped) == status


counts = st.integers(min_value=0, max_value=10**6)
limits = st.integers(min_value=1, max_value=10_000)
policies = st.builds(
    lambda low, high, default, cover, batch: replace(
        COVER,
        watermark_min=min(low, high),
        watermark_max=max(low, high),
        watermark_default=default,
        cover_hours=cover,
        batch_size=batch,
    ),
    limits,
    limits,
    limits,
    st.floats(min_value=0.01, max_value=168),
    limits,
)
levels = st.builds(
    lambda age, mark, upto, available, consumed: replace(
        OLD,
        created_at=NOW - age,
        own_watermark=mark,
        own_target=upto,
        available=available,
        consumed_24h=consumed,
    ),
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)),
    st.none() | limits,
    st.none() | limits,
    counts,
    counts,
)


@given(levels, policies)
def test_the_target_is_always_above_the_watermark(level: Level, policy: Policy) -> None:
    found = need(level, policy, NOW)
    assert found.target > found.watermark.items >= 1


@given(levels, policies)
def test_an_order_brings_the_stock_exactly_to_the_target(level: Level, policy: Policy) -> None:
    found = need(level, policy, NOW)
    assert found.order == (found.target - level.available if found.low else 0)


@given(levels, policies)
def test_only_an_own_watermark_leaves_the_limits_of_the_policy(level: Level, policy: Policy) -> None:
    mark = watermark(level, policy, NOW)
    if mark.source == "dynamic":
        assert policy.watermark_min <= mark.items <= policy.watermark_max


@pytest.mark.parametrize(("available", "low"), [(4, True), (5, False), (6, False)])
def test_a_campaign_is_low_below_its_watermark_and_not_at_it(available: int, low: bool) -> None:
    assert need(replace(OLD, available=available, own_watermark=5), POLICY, NOW).low is low


@pytest.mark.parametrize(
    ("own_watermark", "own_target", "expected"),
    [
        (7, None, (7, WatermarkSource.OWN, 7)),
        (None, 9, (1, WatermarkSource.DYNAMIC, 9)),
        (7, 9, (7, WatermarkSource.OWN, 9)),
    ],
)
def test_a_campaigns_own_levels_win_over_the_forecast(
    own_watermark: int | None, own_target: int | None, expected: tuple[int, WatermarkSource, int]
) -> None:
    found = need(replace(OLD, own_watermark=own_watermark, own_target=own_target), FORECAST, NOW)
    assert (found.watermark.items, found.watermark.source, found.target) == expected


def test_force_orders_one_item_at_least_of_what_is_full() -> None:
    full = replace(OLD, available=50, own_watermark=5, own_target=20)
    assert [need(full, FORECAST, NOW, Demand(force=force)).order for force in (False, True)] == [0, 1]


def test_an_order_shrinks_by_what_a_limit_forbids() -> None:
    whole = need(replace(OLD, own_watermark=5, own_target=20), FORECAST, NOW)
    limited = Limited(items=8, limit=12, by=LimitSource.OWN)
    assert whole.limited_by(None) is whole
    assert (whole.limited_by(limited).order, whole.limited_by(limited).limited) == (12, limited)


def test_the_reorder_point_of_a_quiet_campaign_stays_for_a_day_and_of_others_for_an_hour() -> None:
    quiet, busy, new = OLD, replace(OLD, history=asked(1)), replace(OLD, created_at=NOW)
    hours = [settled_hours(need(level, FORECAST, NOW), NOW) for level in (quiet, busy, new)]
    assert hours == [24, 1, 1]
