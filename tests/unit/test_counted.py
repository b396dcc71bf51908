"""One of a thing is not several."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import kylink_cli
from kylink_cli.rules import counted

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
