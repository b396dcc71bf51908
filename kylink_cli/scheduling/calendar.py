"""When a job is due: every few minutes, written as calendars can say it.

A calendar knows minutes of an hour, hours of a day and days of a week, and begins each of them anew. So a job that is
due every 7 minutes would come too early at the full hour, unless its times are spelt out over the shortest of these
periods that the interval divides; none is longer than a week. An interval that does not divide a week either (as 11
minutes) has one step of another length a week, when Monday begins.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

HOUR = 60
DAY = 24 * HOUR
WEEK = 7 * DAY
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def period(interval: int) -> int:
    """The calendar's period over which a job's times are spelt out, minutes.

    Args:
        interval: how often it is due, minutes.
    """
    return next((length for length in (HOUR, DAY) if length % interval == 0), WEEK)


def systemd_times(interval: int, minute: int, second: int) -> list[str]:
    """The times of a job as `OnCalendar=` takes them (systemd.time(7)), in UTC.

    Args:
        interval: how often it is due, minutes.
        minute: the minute from which its times are counted.
        second: the second of the minute.
    """
    if period(interval) == HOUR:
        return [f"*-*-* *:{_minutes(minute % interval, interval)}:{second:02} UTC"]
    return [
        f"{_weekday(day)}*-*-* {_listed(hours)}:{_minutes(first, interval)}:{second:02} UTC"
        for (day, first), hours in _hours(interval, minute).items()
    ]


def cron_times(interval: int, minute: int) -> list[str]:
    """The times of a job as the first five fields of cron's lines (crontab(5)), in the host's local time.

    Args:
        interval: how often it is due, minutes.
        minute: the minute from which its times are counted.
    """
    if period(interval) == HOUR:
        return [f"{_cron_minutes(minute % interval, interval)} * * * *"]
    return [
        f"{_cron_minutes(first, interval)} {_listed(hours)} * * {'*' if day is None else day + 1}"
        for (day, first), hours in _hours(interval, minute).items()
    ]


def next_time(interval: int, minute: int, after: datetime) -> datetime:
    """When a job is due next by a calendar in the time zone of a moment.

    Args:
        interval: how often it is due, minutes.
        minute: the minute from which its times are counted.
        after: the moment; the next time is later.
    """
    due = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while (due.weekday() * DAY + due.hour * HOUR + due.minute) % period(interval) % interval != minute % interval:
        due += timedelta(minutes=1)
    return due


def _hours(interval: int, minute: int) -> Mapping[tuple[int | None, int], Sequence[int]]:
    """The hours of a day, by the day (None for every one) and the first due minute in them."""
    found: dict[tuple[int | None, int], list[int]] = {}
    for day, hour, first in _firsts(interval, minute):
        found.setdefault((day if period(interval) == WEEK else None, first), []).append(hour)
    return found


def _firsts(interval: int, minute: int) -> Iterator[tuple[int, int, int]]:
    """Day, hour and minute of the first due time in each hour of the period."""
    for due in range(minute % interval, period(interval), interval):
        if due % HOUR < interval:
            yield due // DAY, due % DAY // HOUR, due % HOUR


def _weekday(day: int | None) -> str:
    return "" if day is None else f"{_WEEKDAYS[day]} "


def _minutes(first: int, interval: int) -> str:
    return f"{first:02}/{interval}" if first + interval < HOUR else f"{first:02}"


def _cron_minutes(first: int, interval: int) -> str:
    return f"{first}-59/{interval}" if first + interval < HOUR else str(first)


def _listed(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers))
