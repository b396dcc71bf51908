"""Tables in text: CSV with a header, or JSON lines; either way rows of named cells."""

import csv
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from kylink_cli.language import tr
from kylink_cli.rules import counted
from kylink_cli.rules.campaign_import import Fault

_DELIMITERS = (",", ";", "\t")
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Record:
    """One row."""

    line: int  # where the row begins
    cells: Mapping[str, str]  # by known column


@dataclass(frozen=True, slots=True)
class Records:
    """A table that was read."""

    rows: list[Record] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)  # columns that mean nothing here, as they are written


class _RowError(Exception):
    """A row can't be read; the message says why."""


def column_name(header: str) -> str:
    """A heading in snake_case, whichever way it is written."""
    return _WORD_START.sub("_", header.strip()).replace(" ", "_").replace("-", "_").lower()


def read_json_lines(text: str, names: Mapping[str, str]) -> Records:
    """Read JSON lines, one object each; null is an empty cell.

    Args:
        names: what a known column's snake_case heading is called in the records.
    """
    records = Records()
    ignored: dict[str, None] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            headings = _json_object(line)
            columns = _known(headings, names)
            records.rows.append(Record(number, {name: _json_text(headings[key]) for key, name in columns.items()}))
        except _RowError as error:
            records.faults.append(Fault(number, str(error)))
            continue
        ignored.update(dict.fromkeys(key for key in headings if key not in columns))
    records.ignored.extend(ignored)
    return records


def read_csv(text: str, names: Mapping[str, str]) -> Records:
    """Read CSV with a header; the delimiter is the one of comma, semicolon and tab that the header uses most.

    Args:
        names: what a known column's snake_case heading is called in the records.
    """
    records = Records()
    rows = _csv_rows(text, records)
    line, header = next(rows, (1, []))
    try:
        columns = _known(header, names)
    except _RowError as error:
        return Records(faults=[Fault(line, str(error))])
    places = {header.index(heading): name for heading, name in columns.items()}
    for line, cells in rows:
        if len(cells) != len(header):
            records.faults.append(
                Fault(
                    line,
                    tr("the row has {cells}, the header {header}", cells=counted.cells(len(cells)), header=len(header)),
                )
            )
        else:
            records.rows.append(Record(line, {name: cells[place] for place, name in places.items()}))
    records.ignored.extend(heading for heading in header if heading and heading not in columns)
    return records


def csv_header(text: str) -> list[str]:
    """The headings of CSV in snake_case, as they would be if its first row was a header."""
    _, header = next(_csv_rows(text, Records()), (1, []))
    return [column_name(heading) for heading in header]


def _csv_rows(text: str, records: Records) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the line it begins on; a fault in the quoting ends them."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    line = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        records.faults.append(
            Fault(line, tr("the row can't be read: {error}; the rest was not looked at", error=error))
        )


def _delimiter(text: str) -> str:
    header = text.lstrip().partition("\n")[0]
    return max(_DELIMITERS, key=header.count)


def _known(headings: Collection[str], names: Mapping[str, str]) -> dict[str, str]:
    """The headings that are known, each with its name."""
    found: dict[str, str] = {}
    for heading in headings:
        name = names.get(column_name(heading))
        if name is None:
            continue
        if name in found.values():
            raise _RowError(tr("two columns hold the {name}", name=name))
        found[heading] = name
    return found


def _json_object(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _RowError(tr("the line is not a JSON object"))
    return value


def _json_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise _RowError(tr("a value must be text or a whole number, not {value}", value=json.dumps(value)[:40]))
