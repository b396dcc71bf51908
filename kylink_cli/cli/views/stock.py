"""What stock items look like, on the screen and in an export."""

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import IO, Any

from kylink_cli.console import Console
from kylink_cli.console.output import iso
from kylink_cli.console.tables import Column, ago, span
from kylink_cli.language import tr
from kylink_cli.store.stock import Item

_COLUMNS = [
    Column("ID", "right"),
    Column("CAMPAIGN"),
    Column("STATE", words=True, spare=1),
    Column("CAME", spare=3),
    Column("ENDS", spare=2),
    Column("VALUE", flexible=True),
]


def item_document(item: Item) -> dict[str, Any]:
    """An item as JSON."""
    return asdict(item) | {"created_at": iso(item.created_at), "expires_at": iso(item.expires_at)}


def show_items(console: Console, items: Sequence[Item], now: datetime, limit: int) -> None:
    """Show items, one a row."""
    if not items:
        console.say(tr("no such item"))
        return
    console.table(_COLUMNS, [_row(item, now) for item in items[:limit]])
    if len(items) > limit:
        console.say(tr("there are more than {limit}: --limit shows more, 'kylink stock export' all", limit=limit))


def write_csv(items: Iterable[Item], out: IO[str]) -> int:
    """Write items as CSV, one by one.

    Values are written as they are, also those that a spreadsheet would take for a formula: a value that was changed
    could no longer be used.

    Returns:
        How many there were.
    """
    number = 0
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(field.name for field in fields(Item))
    for item in items:
        writer.writerow(item_document(item).values())
        number += 1
    return number


def write_json(items: Iterable[Item], out: IO[str]) -> int:
    """Write items as one JSON document, one by one.

    Returns:
        How many there were.
    """
    number = 0
    out.write('{"items": [')
    for item in items:
        out.write((",\n" if number else "\n") + json.dumps(item_document(item), ensure_ascii=False))
        number += 1
    out.write("\n]}\n")
    return number


def _row(item: Item, now: datetime) -> list[Any]:
    left = item.expires_at - now
    ends = tr("in {span}", span=span(left)) if left > timedelta() else ago(item.expires_at, now)
    return [item.id, item.campaign_id, item.state, ago(item.created_at, now), ends, item.value]
