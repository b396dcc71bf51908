"""The section on consumption: at which hours of the day and on which days of the week items are used."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, timedelta
from math import ceil

from kylink_cli.language import tr
from kylink_cli.report.parts import Axis, Chart, HeatMap, Section, Series
from kylink_cli.rules.figures import ConsumptionOfHour, Period

_HOURS = range(24)
_DAYS = range(7)
_LEVELS = 5


def section(consumption: Sequence[ConsumptionOfHour], period: Period) -> Section:
    """The section on consumption.

    Args:
        consumption: the items that were consumed in the period.
    """
    used = Counter[tuple[int, int]]()
    for one in consumption:
        used[one.hour.weekday(), one.hour.hour] += one.items
    passed = _hours_passed(period)
    charts = [_by_hour(used, passed), _by_weekday(used, passed)]
    return Section("consumption", tr("Consumption"), charts, heat=_heat_map(used, passed))


def _hours_passed(period: Period) -> Counter[tuple[int, int]]:
    """How often each hour of the week has come in the period."""
    hours = ceil((period.until - period.since).total_seconds() / 3600)
    moments = (period.until.astimezone(UTC) - timedelta(hours=back) for back in range(hours))
    return Counter((moment.weekday(), moment.hour) for moment in moments)


def _by_hour(used: Counter[tuple[int, int]], passed: Counter[tuple[int, int]]) -> Chart:
    rates = [_rate([(day, hour) for day in _DAYS], used, passed) for hour in _HOURS]
    return Chart(
        key="hours",
        title=tr("Consumption by hour of the day"),
        summary=_most(tr("Most is consumed from {name} on."), [f"{hour:02}:00" for hour in _HOURS], rates),
        x=Axis(tr("hour of the day (UTC)"), "category", _HOURS, [f"{hour:02}" for hour in _HOURS]),
        y_title=tr("used (items an hour)"),
        series=[Series(tr("items an hour"), "blue", rates)],
    )


def _by_weekday(used: Counter[tuple[int, int]], passed: Counter[tuple[int, int]]) -> Chart:
    # A day of which hours have not come yet is not extrapolated from the others.
    whole = [all(passed[day, hour] for hour in _HOURS) for day in _DAYS]
    rates = [_rate([(day, hour) for hour in _HOURS], used, passed, 24) if whole[day] else None for day in _DAYS]
    names = _weekdays()
    return Chart(
        key="weekdays",
        title=tr("Consumption by day of the week"),
        summary=_most(tr("Most is consumed on {name}."), names, rates),
        x=Axis(tr("day of the week (UTC)"), "category", _DAYS, names),
        y_title=tr("used (items a day)"),
        series=[Series(tr("items a day"), "green", rates)],
    )


def _heat_map(used: Counter[tuple[int, int]], passed: Counter[tuple[int, int]]) -> HeatMap:
    rates = {(day, hour): _rate([(day, hour)], used, passed) for day in _DAYS for hour in _HOURS}
    most = max((rate or 0 for rate in rates.values()), default=0)
    rows = [(f"{hour:02}:00", [_heat(rates[day, hour], most) for day in _DAYS]) for hour in _HOURS]
    return HeatMap(tr("Items an hour, by hour (UTC) and day of the week"), tr("Hour"), _weekdays(), rows)


def _heat(rate: float | None, most: float) -> tuple[str, int]:
    if rate is None:
        return "-", 0
    return f"{rate:.3g}", ceil(_LEVELS * rate / most) if most else 0


def _rate(
    slots: Sequence[tuple[int, int]],
    used: Counter[tuple[int, int]],
    passed: Counter[tuple[int, int]],
    length_hours: int = 1,
) -> float | None:
    """Items in so many of some hours of the week; None if none of these has come."""
    hours = sum(passed[slot] for slot in slots)
    return round(length_hours * sum(used[slot] for slot in slots) / hours, 2) if hours else None


def _most(text: str, names: Sequence[str], rates: Sequence[float | None]) -> str:
    highest = max(range(len(rates)), key=lambda index: rates[index] or 0)
    return text.format(name=names[highest]) if rates[highest] else tr("Nothing was consumed.")


def _weekdays() -> list[str]:
    return [tr("Mon"), tr("Tue"), tr("Wed"), tr("Thu"), tr("Fri"), tr("Sat"), tr("Sun")]


def total(consumption: Sequence[ConsumptionOfHour]) -> int:
    """How many items were consumed."""
    return sum(one.items for one in consumption)
