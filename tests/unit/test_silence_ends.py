"""How the end of a silence is read."""

from datetime import UTC, datetime, timedelta

import pytest

from kylink_cli.rules.silences import parse_end

NOW = datetime(2026, 2, 6, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90m", timedelta(minutes=90)),
        ("8h", timedelta(hours=8)),
        ("2d", timedelta(days=2)),
        ("1w", timedelta(weeks=1)),
        ("366d", timedelta(days=366)),
    ],
)
def test_a_length_is_a_number_with_a_unit(text: str, length: timedelta) -> None:
    assert parse_end(text, None, NOW) == NOW + length


@pytest.mark.parametrize("text", ["2026-02-06T09:30", "2026-02-06T09:30Z", "2026-02-06T10:30+01:00"])
def test_a_moment_without_a_zone_is_utc(text: str) -> None:
    assert parse_end(None, text, NOW) == NOW + timedelta(minutes=90)


@pytest.mark.parametrize(
    ("duration", "until", "message"),
    [
        (None, None, "by --for or --until"),
        ("1h", "2026-02-07", "by --for or --until"),
        ("1 hour", None, "as in 90m or 8h, not '1 hour'"),
        ("0m", None, "within a year"),
        ("367d", None, "within a year"),
        ("99999w", None, "within a year"),
        (None, "2026-02-06T08:00Z", "within a year"),
        (None, "tomorrow", "not 'tomorrow'"),
    ],
)
def test_what_is_no_end_says_what_is_allowed(duration: str | None, until: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_end(duration, until, NOW)
