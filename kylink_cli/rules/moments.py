"""Moments and lengths of time, as programs read them and as people do."""

import re
from datetime import UTC, datetime, timedelta

from kylink_cli.language import marked, tr

_SPAN = re.compile(r"(\d{1,5})([mhdw])")
_SPAN_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_UNITS = ((marked("{n} d"), 86_400), (marked("{n} h"), 3_600), (marked("{n} min"), 60))


def iso(moment: datetime) -> str:
    """A moment as ISO 8601 in UTC with `Z`, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def json_value(value: object) -> str:
    """What JSON itself has no form for, as documents show it.

    Raises:
        TypeError: it is no moment.
    """
    if isinstance(value, datetime):
        return iso(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def readable(moment: datetime) -> str:
    """A moment in UTC, to the second: for what is kept, or read on other hosts."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def local(moment: datetime) -> str:
    """A moment in the reader's time zone (`TZ`, else the host's), to the second."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S %Z}"


def span(length: timedelta) -> str:
    """A length of time in its largest unit: `45 s`, `12 min`, `3 h`, `5 d`."""
    seconds = max(0, int(length.total_seconds()))
    for length_in, size in _UNITS:
        if seconds >= size * 2:
            return tr(length_in, n=seconds // size)
    return tr("{n} s", n=seconds)


def milliseconds(length: int | None) -> str | None:
    """A duration in milliseconds as people read it: `850 ms`, `12.3 s`, `4 min`."""
    if length is None:
        return None
    if length < 1000:
        return tr("{n} ms", n=length)
    if length < 120_000:
        return tr("{n:.1f} s", n=length / 1000)
    return span(timedelta(milliseconds=length))


def read_span(text: str) -> timedelta | None:
    """A length of time as people type it, `90m`, `8h`, `2d` or `1w`; None if it is none."""
    match = _SPAN.fullmatch(text.strip())
    return None if match is None else int(match[1]) * _SPAN_UNITS[match[2]]


def read_moment(text: str) -> datetime | None:
    """A moment in ISO 8601, which is UTC if it names no zone; None if it is none."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def read_since(text: str, now: datetime) -> datetime:
    """When a part of the past begins: a moment, or how long ago it was.

    Raises:
        ValueError: it is neither.
    """
    length = read_span(text)
    moment = now - length if length is not None else read_moment(text)
    if moment is None:
        raise ValueError(tr("{text!r} must be a moment as in 2026-02-06T08:00Z, or how long ago, as in 8h", text=text))
    return moment
