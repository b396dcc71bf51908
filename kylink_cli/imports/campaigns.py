"""Reading files of campaigns: CSV or JSON lines, headings in snake_case or camelCase."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from kylink_cli.errors import BadFileError
from kylink_cli.imports.records import Record, Records, csv_header, read_csv, read_json_lines
from kylink_cli.imports.source import read_text, shown
from kylink_cli.language import tr
from kylink_cli.rules.campaign_import import CampaignRow, Fault
from kylink_cli.rules.campaigns import FIELDS, REQUIRED, parse_field

# A sheet export names two of the fields in its own way.
COLUMNS: Mapping[str, str] = {**{field: field for field in FIELDS}, "campaign_name": "name", "final_url": "source_url"}
_JSON_SUFFIXES = {".jsonl", ".ndjson"}


@dataclass(frozen=True, slots=True)
class CampaignFile:
    """A file of campaigns that was read."""

    entries: list[CampaignRow]
    faults: list[Fault]
    ignored: list[str]  # columns that mean nothing to kylink


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
    if PurePath(source).suffix.lower() in _JSON_SUFFIXES or text.lstrip().startswith("{"):
        return parse_campaigns(read_json_lines(text, COLUMNS), user)
    if "campaign_id" not in csv_header(text):
        raise BadFileError(
            tr("{source} has no column campaign_id (or campaignId): its first line must name it", source=shown(source))
        )
    return parse_campaigns(read_csv(text, COLUMNS), user)


def parse_campaigns(records: Records, user: str | None) -> CampaignFile:
    """Check rows of text as campaigns; a campaign may appear once.

    Args:
        user: the user of campaigns for which the rows name none.
    """
    entries: dict[str, CampaignRow] = {}
    faults = list(records.faults)
    for record in records.rows:
        try:
            entry = _entry(record, user, entries)
        except ValueError as error:
            faults.append(Fault(record.line, str(error)))
        else:
            entries[entry.campaign_id] = entry
    return CampaignFile(list(entries.values()), faults, records.ignored)


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
    for field, text in record.cells.items():
        if text.strip() or field not in REQUIRED:
            fields[field] = parse_field(field, text)
    if "campaign_id" not in fields:
        raise ValueError(tr("campaign_id is missing"))
    return fields
