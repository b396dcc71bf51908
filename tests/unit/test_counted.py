"""One of a thing is not several."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

import kylink_cli
from kylink_cli.rules import counted
from kylink_cli.rules.reasons import reason
from kylink_cli.rules.reorder import Reorder
from kylink_cli.rules.replenishment import Level, Need, Watermark
from kylink_cli.rules.vocabulary import WatermarkSource

ROOT = Path(kylink_cli.__file__).parent
THINGS = [function for name, function in vars(counted).items() if callable(function) and name != "ntr"]
# A number before a plural, said by what knows no number; limits and what was short of them are more than one.
UNCOUNTED = re.compile(
    r"\btr\(\s*\"[^\"]*\{(?!job\b|limit\b|wanted\b|value\b|expected\b)[a-z_:,]+\} (?:[a-z]+ )?"
    r"(?:alert|call|campaign|item|lease|row|run|time)s\b"
)


@pytest.mark.parametrize("count", THINGS, ids=lambda function: function.__name__)
def test_a_single_thing_is_told_as_such(count: Callable[[int], str]) -> None:
    one, many = count(1).removeprefix("1 "), count(2).removeprefix("2 ")
    assert many == f"{one}s"
    assert count(0) == f"0 {many}"
    assert count(12_345) == f"12,345 {many}"


def test_no_text_counts_without_its_number() -> None:
    modules = sorted(ROOT.rglob("*.py"))
    assert modules
    assert [(str(path), text) for path in modules for text in UNCOUNTED.findall(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    ("expected", "minutes", "words"),
    [
        (
            1,
            1,
            "expects 1 item in the next 1 minute, 2 with 90 % certainty; 1 of them to survive an outage of 1 minute",
        ),
        (
            0.5,
            90,
            "expects 0.5 items in the next 90 minutes, 2 with 90 % certainty; 1 of them to survive an outage of 90",
        ),
    ],
)
def test_why_something_is_ordered_counts_as_people_do(expected: float, minutes: float, words: str) -> None:
    level = Level("1", "u", "1", None, None, datetime(2026, 3, 1, tzinfo=UTC), None, None, 0, 0)
    found = Reorder(2, 5, 0.9, minutes, minutes, expected, 2, 1, 0)
    assert reason(Need(level, Watermark(2, WatermarkSource.DYNAMIC), 5, 5, reorder=found)).startswith(words)
