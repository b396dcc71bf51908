"""Reading files of values: one a line, CSV with the columns value and expires_at, or JSON lines with these keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kylink_cli.errors import BadFileError
from kylink_cli.imports.records import Record, Records, csv_header, read_csv, read_json_lines
from kylink_cli.imports.source import read_text, shown
from kylink_cli.language import tr
from kylink_cli.rules.campaign_import import Fault
from kylink_cli.rules.text import one_line
from kylink_cli.rules.values import value_fault

_COLUMNS = {"value": "value", "expires_at": "expires_at"}
# What a run rescued from a database that was taken away: an order that is still open has no value.
_RESCUED = _COLUMNS | {"campaign_id": "campaign_id", "key": "key"}
_SHOWN_LENGTH = 40


@dataclass(slots=True)
class ValueFile:
    """A file of values that was read."""

    # by value, the end of its life if the file names one
    ends: dict[str, datetime | None] = field(default_factory=dict)
    duplicates: int = 0
    left_out: int = 0  # lines about other campaigns, and orders without a value
    faults: list[Fault] = field(default_factory=list)


def read_values(source: str, now: datetime, campaign_id: str | None = None) -> ValueFile:
    """Read a file of values; it is CSV if its first line is a header with the column value, or JSON lines.

    Args:
        source: its path, or `-` for standard input.
        now: a value whose life ended before this moment can't be used.
        campaign_id: whose values are wanted, where the file says whose they are.

    Raises:
        BadFileError: it can't be read, or holds no values at all.
    """
    found = parse_values(read_text(source), now, campaign_id)
    if not found.ends and not found.faults:
        raise BadFileError(tr("{source} holds no values: nothing was changed", source=shown(source)))
    return found


def parse_values(text: str, now: datetime, campaign_id: str | None = None) -> ValueFile:
    """Read values from text.

    Args:
        now: a value whose life ended before this moment can't be used.
        campaign_id: whose values are wanted, where the text says whose they are.
    """
    records = _read_records(text)
    found = ValueFile(faults=list(records.faults))
    for record in records.rows:
        if _is_left_out(record.cells, campaign_id):
            found.left_out += 1
            continue
        try:
            value, end = _value(record), _end(record.cells, now)
        except ValueError as error:
            found.faults.append(Fault(record.line, str(error)))
            continue
        found.duplicates += value in found.ends
        found.ends.setdefault(value, end)
    return found


def _read_records(text: str) -> Records:
    if text.startswith('{"'):
        return read_json_lines(text, _RESCUED)
    return read_csv(text, _COLUMNS) if "value" in csv_header(text) else _read_lines(text)


def _is_left_out(cells: Mapping[str, str], campaign_id: str | None) -> bool:
    if "campaign_id" not in cells:
        return False
    return not cells.get("value") or cells["campaign_id"] != (campaign_id or cells["campaign_id"])


def _read_lines(text: str) -> Records:
    lines = enumerate(text.split("\n"), start=1)
    return Records([Record(number, {"value": line.removesuffix("\r")}) for number, line in lines if line.strip()])


def _value(record: Record) -> str:
    value = record.cells["value"]
    if (fault := value_fault(value)) is not None:
        raise ValueError(fault)
    return value


def _end(cells: Mapping[str, str], now: datetime) -> datetime | None:
    text = cells.get("expires_at", "").strip()
    if not text:
        return None
    try:
        end = datetime.fromisoformat(text)
    except ValueError:
        end = None
    if end is None or end.tzinfo is None:
        raise ValueError(
            tr("expires_at is {text!r}: write it as 2026-02-06T08:00:00Z", text=one_line(text, _SHOWN_LENGTH))
        )
    if end <= now:
        raise ValueError(
            tr("expires_at is {text!r}: the value can no longer be used", text=one_line(text, _SHOWN_LENGTH))
        )
    return end
