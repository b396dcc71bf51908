"""Reading files of values: one a line, or a sheet or JSON with the columns value, expires_at and state."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kylink_cli.errors import BadFileError
from kylink_cli.imports.records import Record, Records, column_name, find_header, header_fault, read_csv, read_json
from kylink_cli.imports.source import read_text, shown
from kylink_cli.language import ntr, tr
from kylink_cli.rules.campaign_import import Fault
from kylink_cli.rules.damaged_ids import value_damage
from kylink_cli.rules.text import bare, one_line, value_fault
from kylink_cli.rules.value_lines import is_sheet, value_of
from kylink_cli.rules.vocabulary import ItemState

_COLUMNS = {"expires_at": "expires_at", "state": "state"}
# What a run rescued from a database that was taken away: an order that is still open has no value.
_RESCUED = {"campaign_id": "campaign_id", "key": "key"}
_JSON = re.compile(r"[\[{]\s*([\"{\[\]}]|$)", re.MULTILINE)
_SHOWN_LENGTH = 40


@dataclass(slots=True)
class ValueFile:
    """A file of values that was read."""

    # by value, the end of its life if the file names one
    ends: dict[str, datetime | None] = field(default_factory=dict)
    duplicates: int = 0
    left_out: int = 0  # lines about other campaigns, and orders without a value
    in_other_states: int = 0  # of an export: items that are not available
    faults: list[Fault] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)  # columns that mean nothing to kylink
    notes: list[str] = field(default_factory=list)  # what else was ignored, in words


def read_values(
    source: str, now: datetime, campaign_id: str | None = None, column: str | None = None, key: str | None = None
) -> ValueFile:
    """Read a file of values: one a line, a sheet whose header names their column, or JSON.

    Args:
        source: its path, or `-` for standard input.
        now: a value whose life ended before this moment can't be used.
        campaign_id: whose values are wanted, where the file says whose they are.
        column: the heading of the values; None for `value`.
        key: the supply request whose values are wanted, where the file says which brought them.

    Raises:
        BadFileError: it can't be read, is no file of values, or holds none at all.
    """
    found = parse_values(read_text(source), now, campaign_id, column, key)
    if not found.ends and not found.faults:
        left_out = [*found.notes, *_state_note(found)]
        raise BadFileError(tr("{source} holds no values: nothing was changed", source=shown(source)), left_out)
    found.notes.extend(_state_note(found))
    return found


def parse_values(
    text: str, now: datetime, campaign_id: str | None = None, column: str | None = None, key: str | None = None
) -> ValueFile:
    """Read values from text.

    Args:
        now: a value whose life ended before this moment can't be used.
        campaign_id: whose values are wanted, where the text says whose they are.
        column: the heading of the values; None for `value`.
        key: the supply request whose values are wanted, where the text says which brought them.
    """
    records = _read_records(text, column)
    found = ValueFile(faults=list(records.faults), ignored=records.ignored, notes=records.notes)
    for record in records.rows:
        if _is_left_out(record.cells, campaign_id, key):
            found.left_out += 1
            continue
        try:
            if not _is_available(record.cells):
                found.in_other_states += 1
                continue
            value, end = _value(record), _end(record.cells, now)
        except ValueError as error:
            found.faults.append(Fault(record.line, str(error)))
            continue
        found.duplicates += value in found.ends
        found.ends.setdefault(value, end)
    return found


def _read_records(text: str, column: str | None) -> Records:
    wanted = column_name(column or "value")
    names = _COLUMNS | {wanted: "value"}
    if _JSON.match(text.lstrip()):
        return read_json(text, names | _RESCUED)
    header = find_header(text, {wanted}, titles=0)
    if header is not None:
        return read_csv(text, names, header)
    if column is None and not is_sheet(text.split("\n")):
        return _read_lines(text)
    if (fault := header_fault(text)) is not None:
        return Records(faults=[fault])
    if column is None:
        message = tr(
            "the header: no column is named value: --column says which holds the values; if the line is a value "
            "itself, put a line 'value' before it"
        )
    else:
        message = tr("the header: no column is named {column}", column=one_line(column, _SHOWN_LENGTH))
    return Records(faults=[Fault(1, message)])


def _is_left_out(cells: Mapping[str, str], campaign_id: str | None, key: str | None) -> bool:
    """Whether what was rescued is an order without a value, another campaign's, or another order's."""
    if "key" not in cells or "campaign_id" not in cells:
        return False
    is_another = cells["campaign_id"] != (campaign_id or cells["campaign_id"]) or cells["key"] != (key or cells["key"])
    return is_another or not cells.get("value")


def _is_available(cells: Mapping[str, str]) -> bool:
    """Whether an export says that an item could still be used; without a state, it can.

    Raises:
        ValueError: the state is none of an item's.
    """
    state = bare(cells.get("state", "")).lower()
    if state and state not in set(ItemState):
        raise ValueError(
            tr(
                "state is {text!r}: must be one of {states}",
                text=one_line(state, _SHOWN_LENGTH),
                states=", ".join(ItemState),
            )
        )
    return not state or state == ItemState.AVAILABLE


def _state_note(found: ValueFile) -> list[str]:
    if not found.in_other_states:
        return []
    return [
        ntr(
            "{n} item that is not available was left out",
            "{n} items that are not available were left out",
            found.in_other_states,
        )
    ]


def _read_lines(text: str) -> Records:
    records, passed = Records(), 0
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            value = value_of(line)
        except ValueError as error:
            records.faults.append(Fault(number, str(error)))
            continue
        if value is not None:
            records.rows.append(Record(number, {"value": value}))
        passed += value is None and bool(bare(line))
    if passed:
        records.notes.append(
            ntr("{n} line without a value was ignored", "{n} lines without a value were ignored", passed)
        )
    return records


def _value(record: Record) -> str:
    if "value" not in record.cells:
        raise ValueError(tr("there is no value: --column says which column holds it"))
    value = bare(record.cells["value"])
    if (fault := value_fault(value)) is not None:
        raise ValueError(fault)
    if (reason := value_damage(value)) is not None:
        raise ValueError(
            tr("{field} is {clean!r}: {error}", field="value", clean=one_line(value, _SHOWN_LENGTH), error=reason)
        )
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
