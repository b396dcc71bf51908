"""Reading files of campaigns: CSV or JSON, headings in snake_case or camelCase, or a sheet of Google Ads."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from kylink_cli.countries import read_countries
from kylink_cli.errors import BadFileError
from kylink_cli.imports.records import Record, Records, find_header, header_fault, read_csv, read_json, read_json_lines
from kylink_cli.imports.source import read_text, refuse_faults, shown
from kylink_cli.language import ntr, tr
from kylink_cli.rules.campaign_import import CampaignRow, Fault
from kylink_cli.rules.campaigns import FIELDS, REQUIRED, STATUSES, parse_field
from kylink_cli.rules.damaged_ids import damage, is_total, stands_for_nothing
from kylink_cli.rules.text import bare, one_line

# Sheets name some of the fields in their own way.
COLUMNS: Mapping[str, str] = {
    **{name: name for name in FIELDS},
    "campaign_name": "name",
    "campaign": "name",
    "campaign_status": "status",
    "campaign_state": "status",
    "final_url": "source_url",
    # As Google Ads heads them in Chinese.
    "广告系列_id": "campaign_id",
    "广告系列": "name",
    "广告系列状态": "status",
    "最终到达网址": "source_url",
}
_IDS = {"campaign_id", "user_id"}
# Programs write whole numbers of a column with gaps as 5.0.
_NUMBERS = {"low_watermark", "target_stock"}
# What sheets of Google Ads have, and others don't: only their totals are known to be none of the campaigns.
_OF_GOOGLE = {"campaign", "campaign_status", "campaign_state", "广告系列", "广告系列状态"}
_WHOLE = re.compile(r"([0-9]+)\.00?")
_NOTHING = "--"
_JSON_LINES = {".jsonl", ".ndjson"}
_SHOWN_LENGTH = 60
_LISTED_DOUBTS = 20


@dataclass(frozen=True, slots=True)
class CampaignFile:
    """A file of campaigns that was read."""

    entries: list[CampaignRow]
    faults: list[Fault]
    ignored: list[str]  # columns that mean nothing to kylink
    notes: list[str] = field(default_factory=list)  # what else was ignored, in words
    doubts: list[str] = field(default_factory=list)  # what was read, and may not be what is meant, in words


def read_campaigns(source: str, user: str | None = None) -> CampaignFile:
    """Read a file of campaigns.

    Args:
        source: its path, or `-` for standard input.
        user: the user of campaigns for which the file names none.

    Raises:
        BadFileError: it can't be read, or names no campaigns at all.
    """
    text = read_text(source)
    if not text.strip():
        raise BadFileError(tr("{source} is empty: nothing was changed", source=shown(source)))
    if PurePath(source).suffix.lower() in _JSON_LINES or text.lstrip().startswith(("{", "[")):
        return parse_campaigns(_read_json(source, text), user)
    header = find_header(text, {column for column, name in COLUMNS.items() if name == "campaign_id"})
    if header is None:
        refuse_faults(source, [fault for fault in [header_fault(text)] if fault])
        raise BadFileError(
            tr("{source} has no column campaign_id (or campaignId): its first line must name it", source=shown(source))
        )
    records = read_csv(text, COLUMNS, header)
    if _OF_GOOGLE & set(header.names):
        _drop_totals(records)
    return parse_campaigns(records, user)


def parse_campaigns(records: Records, user: str | None) -> CampaignFile:
    """Check rows of text as campaigns; a campaign may appear once.

    Args:
        user: the user of campaigns for which the rows name none.
    """
    entries: dict[str, CampaignRow] = {}
    faults = list(records.faults)
    notes = list(records.notes)
    rows: Sequence[Record] = records.rows
    if _is_another_status(rows):
        notes.append(
            tr(
                "the column with the status holds none of {words}: it is not the campaigns' status, and was ignored",
                words=", ".join(filter(str.isascii, STATUSES)),
            )
        )
        rows = [replace(row, cells={**row.cells, "status": ""}) for row in rows]
    for record in rows:
        try:
            entry = _entry(record, user, entries)
        except ValueError as error:
            faults.append(Fault(record.line, str(error)))
        else:
            entries[entry.campaign_id] = entry
    return CampaignFile(list(entries.values()), faults, records.ignored, notes, _doubts(rows))


def _read_json(source: str, text: str) -> Records:
    if PurePath(source).suffix.lower() in _JSON_LINES:
        return read_json_lines(text, COLUMNS)
    return read_json(text, COLUMNS)


def _drop_totals(records: Records) -> None:
    """Leave out the lines of totals, which have no campaign's id."""
    totals = [row for row in records.rows if is_total(row.first) and not row.cells["campaign_id"].isdecimal()]
    if totals:
        records.rows[:] = [row for row in records.rows if row not in totals]
        records.notes.append(ntr("{n} line of totals was ignored", "{n} lines of totals were ignored", len(totals)))


def _is_another_status(rows: Sequence[Record]) -> bool:
    """Whether the column says something else, as whether a link was found: no cell is a campaign's status."""
    words = {_cell(row, "status").lower() for row in rows} - {""}
    return bool(words) and not words & set(STATUSES)


def _doubts(rows: Sequence[Record]) -> list[str]:
    """What the countries leave open, each text once."""
    lines = defaultdict[str, list[int]](list)
    for row in rows:
        if text := _cell(row, "country"):
            lines[text].append(row.line)
    doubtful = {text: doubt for text in lines if (doubt := read_countries(text).doubt) is not None}
    listed = [
        ntr(
            "country {country!r} of {n} row (line {line}) {doubt}",
            "country {country!r} of {n} rows (line {line} is the first) {doubt}",
            len(lines[text]),
            country=one_line(text, _SHOWN_LENGTH),
            line=lines[text][0],
            doubt=doubt,
        )
        for text, doubt in list(doubtful.items())[:_LISTED_DOUBTS]
    ]
    if len(doubtful) > _LISTED_DOUBTS:
        listed.append(tr("… and {number} more", number=len(doubtful) - _LISTED_DOUBTS))
    return listed


def _cell(record: Record, name: str) -> str:
    text = bare(record.cells.get(name, ""))
    if name in _IDS:
        return "" if text == _NOTHING and name == "user_id" else text
    if name in _NUMBERS and (whole := _WHOLE.fullmatch(text)):
        return whole[1]
    return "" if stands_for_nothing(text) else text


def _entry(record: Record, user: str | None, earlier: Mapping[str, CampaignRow]) -> CampaignRow:
    entry = CampaignRow(record.line, _fields(record, user))
    first = earlier.get(entry.campaign_id)
    if first is not None:
        raise ValueError(
            tr("campaign {campaign_id} is on line {line} already", campaign_id=entry.campaign_id, line=first.line)
        )
    return entry


def _fields(record: Record, user: str | None) -> dict[str, Any]:
    """The fields that a row sets: an empty cell clears what may be empty, and says nothing of the rest."""
    fields: dict[str, Any] = {} if user is None else {"user_id": user}
    for name in record.cells:
        text = _cell(record, name)
        if name in _IDS and (reason := damage(text)) is not None:
            shown_text = one_line(text, _SHOWN_LENGTH)
            raise ValueError(tr("{field} is {clean!r}: {error}", field=name, clean=shown_text, error=reason))
        if name == "country":
            text = read_countries(text).text
        if text or name not in REQUIRED:
            fields[name] = parse_field(name, text)
    if "campaign_id" not in fields:
        raise ValueError(tr("campaign_id is missing"))
    return fields
