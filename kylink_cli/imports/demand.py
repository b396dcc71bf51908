"""Demand and outages out of CSV files, for a simulation."""

import csv
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from io import StringIO

from kylink_cli.errors import UsageError
from kylink_cli.imports.source import read_text, shown
from kylink_cli.language import tr

# The campaign of a file that names none.
ALL = "all"


def read_demand(source: str) -> list[tuple[str, float, int]]:
    """Campaign, minute and items asked for, of each row.

    A file has the columns `minute,count`, or `timestamp` with a row an item; either may have `campaign_id` too.

    Raises:
        UsageError: it can't be understood; the message names the first bad line.
        KylinkError: it can't be read.
    """
    rows, header = _rows(source)
    if {"minute", "count"} <= set(header):
        return [(row.get("campaign_id") or ALL, _number(row, "minute"), _count(row)) for row in rows]
    if "timestamp" in header:
        return [(row.get("campaign_id") or ALL, _minute_of(row), 1) for row in rows]
    raise _bad(source, 1, tr("has neither the columns minute,count nor timestamp"))


def read_outages(source: str) -> list[tuple[float, float]]:
    """Start and length of each outage, minutes: a file with the columns `start_minute,minutes`.

    Raises:
        UsageError: it can't be understood; the message names the first bad line.
        KylinkError: it can't be read.
    """
    rows, header = _rows(source)
    if not {"start_minute", "minutes"} <= set(header):
        raise _bad(source, 1, tr("lacks the columns start_minute,minutes"))
    return [(_number(row, "start_minute"), _number(row, "minutes")) for row in rows]


class NumberedCells(dict[str, str]):
    """The cells of a line by the names of their columns, with where they are."""

    def __init__(self, cells: dict[str, str], source: str, line: int) -> None:
        super().__init__(cells)
        self.source = source
        self.line = line


def _rows(source: str) -> tuple[Iterator[NumberedCells], Sequence[str]]:
    reader = csv.DictReader(StringIO(read_text(source)), restval="", restkey="")
    header = [name.strip().lower() for name in reader.fieldnames or ()]
    reader.fieldnames = header
    return (
        NumberedCells({key: value for key, value in row.items() if key}, source, reader.line_num) for row in reader
    ), header


def _number(row: NumberedCells, column: str) -> float:
    try:
        number = float(row[column])
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _bad(row.source, row.line, tr("{column} is {text!r}: must be a number", column=column, text=row[column]))
    return number


def _count(row: NumberedCells) -> int:
    number = _number(row, "count")
    if number < 0 or number != int(number):
        raise _bad(row.source, row.line, tr("count is {text!r}: must be 0 or more items", text=row["count"]))
    return int(number)


def _minute_of(row: NumberedCells) -> float:
    text = row["timestamp"]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _bad(
            row.source,
            row.line,
            tr("timestamp is {text!r}: must be as in {example}", text=text, example="2026-02-06T08:00:00Z"),
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() / 60


def _bad(source: str, line: int, what: str) -> UsageError:
    return UsageError(tr("{file}, line {line}: {what}", file=shown(source), line=line, what=what))
