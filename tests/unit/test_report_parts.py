"""How the report cuts time into steps, and what it makes of consumption."""

from datetime import UTC, datetime, timedelta

import pytest

from kylink_cli.report import consumption
from kylink_cli.report.page import _harmless_json
from kylink_cli.report.timeline import Timeline
from kylink_cli.rules.figures import AlertsOfHour, ConsumptionOfHour, Period

NOW = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)  # a Wednesday
HOUR = timedelta(hours=1)


def period(days: float) -> Period:
    return Period(NOW - timedelta(days=days), NOW)


@pytest.mark.parametrize(
    ("days", "step_hours", "steps"), [(1, 1, 25), (2, 1, 49), (7, 3, 57), (30, 12, 61), (90, 24, 91), (365, 24, 366)]
)
def test_a_period_is_cut_into_steps_that_can_be_told_apart(days: int, step_hours: int, steps: int) -> None:
    timeline = Timeline.of(period(days))
    assert (timeline.step_hours, len(timeline.starts)) == (step_hours, steps)
    assert all(start % (step_hours * 3600) == 0 for start in timeline.starts)
    assert timeline.starts[0] <= period(days).since.timestamp() < timeline.starts[1]
    assert timeline.starts[-1] <= NOW.timestamp() < timeline.starts[-1] + step_hours * 3600


def test_every_hour_of_the_period_has_its_step() -> None:
    this_hour = NOW.replace(minute=0)
    hours = [AlertsOfHour(this_hour - HOUR * back, "ERROR", 1) for back in range(7 * 24 + 1)]
    totals = Timeline.of(period(7)).totals(hours, lambda one: one.number)
    assert sum(totals) == len(hours)
    assert set(totals[1:-1]) == {3}


def test_consumption_is_told_by_the_hour_and_day_that_have_passed() -> None:
    noon = NOW.replace(minute=0)
    used = [ConsumptionOfHour(noon, 6), ConsumptionOfHour(noon - timedelta(days=1), 2)]
    section = consumption.section(used, period(2))
    by_hour, by_weekday = (list(chart.series[0].values) for chart in section.charts)
    assert (by_hour[12], by_hour[13]) == (4.0, 0.0)
    # Of the days only Tuesday was a whole one: Monday is not extrapolated from its afternoon.
    assert by_weekday == [None, 2.0, None, None, None, None, None]
    assert section.charts[0].summary == "Most is consumed from 12:00 on."
    assert section.heat is not None
    assert dict(section.heat.rows)["12:00"][2] == ("6", 5)
    assert dict(section.heat.rows)["12:00"][5] == ("-", 0)


def test_nothing_consumed_is_nothing_at_all() -> None:
    section = consumption.section([], period(7))
    assert {chart.summary for chart in section.charts} == {"Nothing was consumed."}


def test_no_text_ends_the_element_that_holds_the_data() -> None:
    assert _harmless_json(["</script>", "<!--", "a&b"]) == '["\\u003c/script\\u003e","\\u003c!--","a\\u0026b"]'
