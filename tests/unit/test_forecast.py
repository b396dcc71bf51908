"""The forecast and the reorder point: properties of pure functions, and what they say of well-known campaigns."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kylink_cli.rules.demand import KEPT_HOURS, NO_HISTORY, Asked, DemandHistory
from kylink_cli.rules.forecast import DemandProfile, Forecast, forecast, profile
from kylink_cli.rules.quantiles import EXACT_UP_TO, STEADY, Spread
from kylink_cli.rules.reorder import Aim, Reorder, reorder

# A Monday, at midnight UTC.
HOUR = 490_680
DAY = 24
WEEK = 7 * DAY

rates = st.floats(0.001, 5_000)
unsteady = st.floats(0, 20)
levels = st.floats(0.5, 0.9999)
covers = st.floats(0, 1440)
profiles = st.builds(DemandProfile, rate=rates, burst=unsteady, drift=unsteady)
forecasts = st.builds(
    lambda of, ten, more: forecast(of, DemandHistory({}, ten, ten + more), HOUR * 60),
    profiles,
    st.integers(0, 5_000),
    st.integers(0, 5_000),
)
aims = st.builds(Aim, service_level=levels, cover_minutes=covers, look_minutes=st.floats(0, 60))


def asked(per_hour: Callable[[int], float], hours: int = KEPT_HOURS, until: int = HOUR) -> dict[int, Asked]:
    """So many items in each hour, counted back from the last whole one."""
    found = {until - age: Asked(round(per_hour(age)), 0) for age in range(1, hours + 1)}
    return {hour: items for hour, items in found.items() if items.taken}


def levels_of(hours: dict[int, Asked], aim: Aim | None = None, history: DemandHistory = NO_HISTORY) -> Reorder:
    return reorder(forecast(profile(hours, HOUR, KEPT_HOURS), history, HOUR * 60), aim or Aim())


@given(forecasts, aims)
def test_the_reorder_point_is_never_negative_and_the_level_never_below_it(foreseen: Forecast, aim: Aim) -> None:
    found = reorder(foreseen, aim)
    assert aim.lowest <= found.point <= found.upto


@given(profiles, aims, st.floats(1, 20))
def test_more_demand_never_lowers_them(of: DemandProfile, aim: Aim, factor: float) -> None:
    less = reorder(forecast(of, NO_HISTORY, HOUR * 60), aim)
    more = reorder(forecast(replace(of, rate=of.rate * factor), NO_HISTORY, HOUR * 60), aim)
    assert (less.point, less.upto) <= (more.point, more.upto)
    assert less.point <= more.point
    assert less.upto <= more.upto


@given(forecasts, aims, levels)
def test_a_higher_service_level_never_lowers_them(foreseen: Forecast, aim: Aim, level: float) -> None:
    low, high = sorted((aim.service_level, level))
    less, more = (reorder(foreseen, replace(aim, service_level=one)) for one in (low, high))
    assert less.point <= more.point
    assert less.upto <= more.upto


@given(profiles, aims, covers)
def test_a_longer_cover_never_lowers_them(of: DemandProfile, aim: Aim, cover: float) -> None:
    foreseen = forecast(of, NO_HISTORY, HOUR * 60)
    short, long = sorted((aim.cover_minutes, cover))
    less, more = (reorder(foreseen, replace(aim, cover_minutes=one)) for one in (short, long))
    assert less.point <= more.point
    assert less.upto <= more.upto


@given(rates, unsteady, levels)
def test_a_quantile_is_what_it_says(mean: float, unsteadiness: float, certainty: float) -> None:
    mean = min(mean, 200.0)
    found = Spread(mean, unsteadiness).quantile(certainty)
    reached = _distribution(mean, unsteadiness, found)
    assert reached >= certainty - 1e-9
    assert found == 0 or _distribution(mean, unsteadiness, found - 1) < certainty + 1e-9


@given(st.floats(EXACT_UP_TO, 3_000), st.floats(0, STEADY))
def test_the_formula_for_many_items_is_near_the_distribution(mean: float, unsteadiness: float) -> None:
    of = Spread(mean, unsteadiness)
    assert of.surely(0.9) == pytest.approx(of.quantile(0.1), rel=0.03, abs=1)


def _distribution(mean: float, unsteadiness: float, number: int) -> float:
    """How probable at most so many are."""
    if unsteadiness < 1e-6:
        return sum(math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) for n in range(number + 1))
    size = 1 / unsteadiness
    p = size / (size + mean)
    return sum(
        math.exp(
            math.lgamma(n + size) - math.lgamma(size) - math.lgamma(n + 1) + size * math.log(p) + n * math.log1p(-p)
        )
        for n in range(number + 1)
    )


def test_a_steady_campaign_is_expected_to_go_on() -> None:
    of = profile(asked(lambda _: 12), HOUR, KEPT_HOURS)
    assert of.rate == pytest.approx(12, rel=0.05)
    assert of.burst < 0.1
    assert forecast(of, NO_HISTORY, HOUR * 60).items(DAY * 60) == pytest.approx(288, rel=0.05)


def test_a_campaign_of_which_nobody_has_asked_before_is_stocked_within_minutes_of_its_beginning() -> None:
    begun = levels_of({}, history=DemandHistory({}, 8, 8))
    assert begun.point >= 3
    assert 8 <= begun.upto <= 48
    an_hour_later = levels_of({HOUR - 1: Asked(50, 0)}, history=DemandHistory({}, 8, 50))
    assert an_hour_later.point >= 50


@pytest.mark.parametrize("items", [0, 1])
def test_one_item_is_no_beginning(items: int) -> None:
    assert levels_of({}, history=DemandHistory({}, items, items)).upto == 1


def test_little_is_bought_where_a_beginning_is_all_that_is_known() -> None:
    """Two that come together may be all for a long time."""
    assert levels_of({}, history=DemandHistory({}, 2, 2)).upto <= 2
    assert levels_of({HOUR - 1: Asked(2, 0)}, history=DemandHistory({}, 0, 2)).upto <= 4


@given(st.integers(0, 200), st.integers(0, 200))
def test_a_beginning_that_is_asked_more_of_is_never_stocked_less(ten: int, more: int) -> None:
    less, busier = (levels_of({}, history=DemandHistory({}, ten, ten + n)) for n in (more, more + 1))
    assert less.point <= busier.point


@given(st.integers(2, 50))
def test_twice_the_demand_is_twice_the_forecast(items: int) -> None:
    once, twice = (profile(asked(lambda _, n=n: n), HOUR, KEPT_HOURS) for n in (items, 2 * items))  # type: ignore[misc]
    assert twice.rate == pytest.approx(2 * once.rate, rel=0.05)


@given(st.integers(-50, 50))
def test_weeks_later_the_same_is_expected(weeks: int) -> None:
    def shape(age: int) -> float:
        return 5 + 4 * math.sin(age / DAY * 2 * math.pi)

    later = HOUR + weeks * WEEK
    assert profile(asked(shape, until=later), later, KEPT_HOURS) == profile(asked(shape), HOUR, KEPT_HOURS)


def test_the_hours_of_the_day_are_learnt_as_far_as_they_are_known() -> None:
    def by_day(age: int) -> float:
        return 20 if (HOUR - age) % DAY in range(8, 20) else 2

    learnt = profile(asked(by_day), HOUR, KEPT_HOURS)
    begun = profile(asked(by_day, 2 * DAY), HOUR, 2 * DAY)
    assert learnt.by_hour[12] > begun.by_hour[12] > 1 > begun.by_hour[3] > learnt.by_hour[3]


def test_the_days_of_the_week_are_learnt_after_two_weeks() -> None:
    def at_weekends(age: int) -> float:
        return 2 if ((HOUR - age) // DAY + 3) % 7 < 5 else 20

    assert set(profile(asked(at_weekends, WEEK), HOUR, WEEK).by_weekday) == {1.0}
    learnt = profile(asked(at_weekends), HOUR, KEPT_HOURS).by_weekday
    assert min(learnt[5:]) > 1 > max(learnt[:5])


def test_an_idle_day_does_not_forget_a_busy_week() -> None:
    busy = profile(asked(lambda _: 10), HOUR, KEPT_HOURS).rate
    idle = profile(asked(lambda age: 0 if age <= DAY else 10), HOUR, KEPT_HOURS).rate
    assert busy / 2 < idle < busy


def test_one_burst_does_not_buy_for_a_week() -> None:
    usual = levels_of(asked(lambda _: 2))
    hours = asked(lambda age: 200 if age == 1 else 2)
    after = levels_of(hours)
    assert after.upto < 4 * usual.upto
    assert after.upto < 200 / 4


def test_the_last_minutes_raise_the_reorder_point_at_once_and_are_forgotten_within_hours() -> None:
    hours = asked(lambda age: 5 + 5 * (age % 7 == 0))
    usual, burst = levels_of(hours), levels_of(hours, history=DemandHistory({}, 40, 45))
    assert burst.point > 1.8 * usual.point
    assert levels_of(hours | {HOUR - 1: Asked(45, 0)}).point < 2 * usual.point


def test_one_item_at_a_time_where_one_does_for_two_days() -> None:
    found = levels_of(asked(lambda age: age % 50 == 0))
    assert (found.point, found.upto) == (1, 1)


def test_what_binds_is_told() -> None:
    quiet = levels_of(asked(lambda age: age % 24 == 0), Aim(service_level=0.999, cover_minutes=1440))
    assert quiet.unused > 0
    assert quiet.certain > quiet.point
    busy = levels_of(asked(lambda _: 20))
    assert busy.unused == 0
    assert busy.certain >= busy.to_survive > 0
    assert busy.upto >= busy.point + 20
