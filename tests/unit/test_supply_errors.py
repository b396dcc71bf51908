"""How a supplier's endings are judged: what the table at the top of `supply/errors.py` says is what is so."""

from datetime import UTC, datetime

import pytest

from kylink_cli.supply import errors
from kylink_cli.supply.errors import SupplyError, parse_retry_after

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
MARK = "── "


def _rows() -> list[tuple[str, list[str]]]:
    lines = [line.partition(MARK)[2].split() for line in (errors.__doc__ or "").splitlines() if MARK in line]
    return [(name, marks[:4]) for name, *marks in lines]


@pytest.mark.parametrize(("name", "marks"), _rows(), ids=[name for name, _ in _rows()])
def test_each_row_of_the_table_is_so(name: str, marks: list[str]) -> None:
    kind: type[SupplyError] = getattr(errors, name)
    flags = [kind.retryable, kind.charge_open, kind.service_down, kind.stops_run]
    assert marks == ["yes" if flag else "no" for flag in flags]


def test_the_table_names_every_error() -> None:
    assert {name for name, _ in _rows()} == {kind.__name__ for kind in SupplyError.__subclasses__() if _is_own(kind)}


def _is_own(kind: type[SupplyError]) -> bool:
    return kind.__module__ == errors.__name__


@pytest.mark.parametrize("kind", [kind for kind in SupplyError.__subclasses__() if _is_own(kind)])
def test_what_may_have_been_charged_is_asked_again(kind: type[SupplyError]) -> None:
    assert kind.retryable or not kind.charge_open


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("120", 120),
        ("Sun, 01 Mar 2026 12:01:30 GMT", 90),
        ("Sunday, 01-Mar-26 12:01:30 GMT", 90),
        ("Sun, 01 Mar 2026 13:01:30 +0100", 90),
        ("Sun, 01 Mar 2026 11:59:59 GMT", 0),
        ("Sun, 01 Mar 2026 12:01:30 -0000", None),
        ("Sun, 01 Mar 2026 99999999999999999999:01:30 GMT", None),
        ("Sun, 01 Mar 2026 12:01:30 +9999", None),
        ("1.5", None),
        ("٣", None),
        ("", None),
    ],
)
def test_retry_after_is_counted_from_now(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header, NOW) == seconds
