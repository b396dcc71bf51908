"""Tables where no terminal shows them: whole, aligned, and cheap however long."""

import sys
from typing import Any

from kylink_cli.console.drawn_tables import plain_lines
from kylink_cli.console.tables import Column

COLUMNS = [Column("CAMPAIGN", flexible=True), Column("STOCK", align="right"), Column("STATE", words=True)]


def test_columns_are_aligned_by_the_width_of_what_is_seen() -> None:
    assert list(plain_lines(COLUMNS, [["42", 5, "active"], ["日本語", 12, None], ["a\x1bb", None, ""]])) == [
        "CAMPAIGN  STOCK  STATE",
        "42            5  active",
        "日本語       12  -",
        "a b           -  -",
    ]


def test_nothing_is_cut() -> None:
    assert list(plain_lines([Column("X", flexible=True)], [["x" * 5000]])) == ["X", "x" * 5000]


def calls_of(rows: int) -> int:
    calls = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event == "call"

    table = [[str(number), number, "active"] for number in range(rows)]
    sys.setprofile(count)
    try:
        list(plain_lines(COLUMNS, table))
    finally:
        sys.setprofile(None)
    return calls


def test_a_row_costs_a_few_calls() -> None:
    assert (calls_of(2000) - calls_of(1000)) / 1000 < 100
