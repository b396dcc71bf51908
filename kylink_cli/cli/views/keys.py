"""What keys of the HTTP face look like."""

from collections.abc import Sequence
from datetime import datetime

from kylink_cli.console import Console
from kylink_cli.console.tables import Column, ago
from kylink_cli.language import tr
from kylink_cli.rules.keys import GivenKey
from kylink_cli.rules.text import one_line
from kylink_cli.store.tables import HttpKey

_COLUMNS = [
    Column("NAME", flexible=True),
    Column("USER", flexible=True),
    Column("CAN"),
    Column("MADE"),
    Column("LAST USED"),
]


def show_given(console: Console, name: str, given: GivenKey) -> None:
    """Show a new key to whoever made it."""
    if console.json:
        console.document({"name": name, "key": str(given)})
        return
    console.say(str(given))
    console.info(tr("keep it now: it is not shown again"))


def show_keys(console: Console, keys: Sequence[HttpKey], now: datetime) -> None:
    """Show keys, one a row."""
    if console.json:
        console.document(
            {
                "keys": [
                    {
                        "name": key.name,
                        "user_id": key.user_id,
                        "can": key.abilities.split(","),
                        "created_at": key.created_at,
                        "rotated_at": key.rotated_at,
                        "last_used_at": key.last_used_at,
                    }
                    for key in keys
                ]
            }
        )
    elif not keys:
        console.say(tr("no key: 'kylink keys add' makes one"))
    else:
        rows = [
            [
                key.name,
                tr("everybody's") if key.user_id is None else one_line(key.user_id),
                key.abilities,
                ago(key.rotated_at or key.created_at, now),
                tr("never") if key.last_used_at is None else ago(key.last_used_at, now),
            ]
            for key in keys
        ]
        console.table(_COLUMNS, rows)
