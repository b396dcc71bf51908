"""Moments and lengths of time, as programs read them and as people do."""

from datetime import UTC, datetime, timedelta

from kylink_cli.language import marked, tr

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
