"""Tables in text: CSV with a header, or JSON; either way rows of named cells."""

import csv
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from itertools import islice
from typing import Any

from kylink_cli.language import ntr, tr
from kylink_cli.rules import counted
from kylink_cli.rules.campaign_import import Fault
from kylink_cli.rules.text import bare
from kylink_cli.rules.value_lines import delimiter_of

_DELIMITERS = (",", ";", "\t", "|")
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN_WORDS = re.compile(r"[\s_-]+")
# What a spreadsheet may put before the header: titles, the time of the report.
_TITLE_LINES = 20
# In sheets of advertising many things have a status and a name: a heading that speaks of campaigns goes before.
_MORE_EXACT = {
    "status": {"campaign_status", "campaign_state", "广告系列状态"},
    "name": {"campaign_name", "campaign", "广告系列"},
}


@dataclass(frozen=True, slots=True)
class Record:
    """One row."""

    line: int  # where the row begins
    cells: Mapping[str, str]  # by known column
    first: str = ""  # the first cell, whatever it means


@dataclass(frozen=True, slots=True)
class Records:
    """A table that was read."""

    rows: list[Record] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)  # columns that mean nothing here, as they are written
    notes: list[str] = field(default_factory=list)  # what else was passed over, in words


@dataclass(frozen=True, slots=True)
class Header:
    """Where a table in text begins."""

    line: int  # of the header
    delimiter: str
    names: list[str]  # the headings in snake_case
    titles: int = 0  # lines before it that are none of the table


class _RowError(Exception):
    """A row can't be read; the message says why."""


def column_name(header: str) -> str:
    """A heading in snake_case, whichever way it is written."""
    return _BETWEEN_WORDS.sub("_", _WORD_START.sub("_", bare(header))).lower()


def find_header(text: str, wanted: Collection[str], titles: int = _TITLE_LINES) -> Header | None:
    """The first line that names a column, with its delimiter; None if there is none.

    Args:
        wanted: what the column may be called, in snake_case.
        titles: how many lines may stand before it that are neither blank nor comments.
    """
    lines = StringIO(text).readlines()
    passed, named = 0, None
    for number, line in enumerate(islice(lines, 2 * _TITLE_LINES)):
        if not bare(line):
            continue
        if (separator := delimiter_of(line)) is not None:
            named = separator
            continue
        delimiter = named or _usual_delimiter(line)
        names = [column_name(cell) for cell in _first_row(lines[number:], delimiter)]
        if not set(names).isdisjoint(wanted):
            return Header(number + 1, delimiter, names, passed)
        passed += not line.startswith("#")
        if passed > titles:
            return None
    return None


def _first_row(lines: list[str], delimiter: str) -> list[str]:
    try:
        return next(csv.reader(lines, delimiter=delimiter), [])
    except csv.Error:
        return []


def read_json(text: str, names: Mapping[str, str]) -> Records:
    """Read a JSON document that is a list of objects, or holds one as `items` or `campaigns`; else JSON lines."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return read_json_lines(text, names)
    if isinstance(document, dict):
        document = next((document[key] for key in ("items", "campaigns") if key in document), [document])
    if not isinstance(document, list):
        return Records(faults=[Fault(1, tr("the JSON is not a list of objects"))])
    records, ignored = Records(), dict[str, None]()
    for number, entry in enumerate(document, start=1):
        try:
            _add_object(records, ignored, 1, entry, names)
        except _RowError as error:
            records.faults.append(Fault(1, tr("entry {number}: {error}", number=number, error=error)))
    records.ignored.extend(ignored)
    return records


def read_json_lines(text: str, names: Mapping[str, str]) -> Records:
    """Read JSON lines, one object each; null is an empty cell.

    Args:
        names: what a known column's snake_case heading is called in the records.
    """
    records, ignored = Records(), dict[str, None]()
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            _add_object(records, ignored, number, _json(line), names)
        except _RowError as error:
            records.faults.append(Fault(number, str(error)))
    records.ignored.extend(ignored)
    return records


def read_csv(text: str, names: Mapping[str, str], header: Header | None = None) -> Records:
    """Read CSV with a header.

    Args:
        names: what a known column's snake_case heading is called in the records.
        header: where it is; None for the first line, with the delimiter that this uses most.
    """
    records = Records()
    header = header or Header(1, _usual_delimiter(text.lstrip().partition("\n")[0]), [])
    rows = _csv_rows(text, header, records)
    line, headings = next(rows, (header.line, []))
    try:
        columns = _known(headings, names)
    except _RowError as error:
        return Records(faults=[Fault(line, tr("the header: {error}", error=error))])
    if not records.faults:
        _add_rows(records, rows, headings, columns)
    records.ignored.extend(heading for heading in headings if bare(heading) and heading not in columns)
    if header.titles:
        note = ntr("{n} line before the header was ignored", "{n} lines before the header were ignored", header.titles)
        records.notes.append(note)
    return records


def header_fault(text: str) -> Fault | None:
    """Why the first row can't be read at all; None if it can."""
    records = Records()
    next(_csv_rows(text, Header(1, _usual_delimiter(text.lstrip().partition("\n")[0]), []), records), None)
    return next(iter(records.faults), None)


def _add_rows(
    records: Records, rows: Iterator[tuple[int, list[str]]], headings: list[str], columns: Mapping[str, str]
) -> None:
    places = {headings.index(heading): name for heading, name in columns.items()}
    header = [*map(bare, headings)]
    comments = repeated = 0
    for line, cells in rows:
        if _is_comment(cells, headings, places):
            comments += 1
        elif bare(cells[0]) == header[0] and [*map(bare, cells)] == header:
            repeated += 1
        elif len(cells) != len(headings):
            had = counted.cells(len(cells))
            message = tr("the row has {cells}, the header {header}", cells=had, header=len(headings))
            records.faults.append(Fault(line, message))
        else:
            named = {name: cells[place] for place, name in places.items()}
            records.rows.append(Record(line, named, bare(cells[0])))
    if comments:
        records.notes.append(ntr("{n} comment was ignored", "{n} comments were ignored", comments))
    if repeated:
        records.notes.append(ntr("{n} more header line was ignored", "{n} more header lines were ignored", repeated))


def _is_comment(cells: list[str], headings: list[str], places: Mapping[int, str]) -> bool:
    """Whether a row is a comment: of campaigns, a name may begin with the sign."""
    if not cells[0].startswith("#"):
        return False
    return places.get(0) == "value" or (len(headings) != len(cells) and len(cells) == 1) or not any(cells[1:])


def _csv_rows(text: str, header: Header, records: Records) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the line it begins on; a fault in the quoting ends them."""
    lines = StringIO(text, newline="").readlines()[header.line - 1 :]
    reader = csv.reader(lines, delimiter=header.delimiter, strict=True)
    line, is_header = header.line, True
    try:
        for row in reader:
            if any(map(bare, row)):
                yield line, row
                is_header = False
            line = reader.line_num + header.line
    except csv.Error as error:
        records.faults.append(Fault(line, _quoting(str(error), is_header=is_header)))


def _quoting(error: str, *, is_header: bool) -> str:
    if "unexpected end" in error:
        error = tr("a quotation mark is not closed")
    if is_header:
        return tr("the header can't be read: {error}", error=error)
    return tr("the row can't be read: {error}; the rest was not read", error=error)


def _usual_delimiter(line: str) -> str:
    return max(_DELIMITERS, key=line.count)


def _known(headings: Collection[str], names: Mapping[str, str]) -> dict[str, str]:
    """The headings that are known, each with its name."""
    found: dict[str, str] = {}
    columns = {column_name(heading) for heading in headings}
    for heading in headings:
        column = column_name(heading)
        name = names.get(column)
        if name is None or _MORE_EXACT.get(column, set()) & columns & set(names):
            continue
        if name in found.values() or heading in found:
            raise _RowError(tr("two columns hold the {name}", name=name))
        found[heading] = name
    return found


def _add_object(records: Records, ignored: dict[str, None], line: int, value: Any, names: Mapping[str, str]) -> None:
    if not isinstance(value, dict):
        raise _RowError(tr("the line is not a JSON object"))
    columns = _known(value, names)
    records.rows.append(Record(line, {name: _json_text(value[key]) for key, name in columns.items()}))
    ignored.update(dict.fromkeys(key for key in value if key not in columns))


def _json(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _json_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise _RowError(tr("a value must be text or a whole number, not {value}", value=json.dumps(value)[:40]))
