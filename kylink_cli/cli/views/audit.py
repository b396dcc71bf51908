"""What the audit trail looks like."""

from collections.abc import Sequence
from datetime import datetime

from kylink_cli.console import Console
from kylink_cli.console.tables import Column, ago
from kylink_cli.language import tr
from kylink_cli.rules.acts import act_words
from kylink_cli.rules.text import one_line
from kylink_cli.store.tables import ActRecord

_COLUMNS = [
    Column("WHEN"),
    Column("WHO", flexible=True, spare=1),
    Column("DID"),
    Column("TO"),
    Column("DETAIL", flexible=True, spare=2),
]


def show_acts(console: Console, acts: Sequence[ActRecord], now: datetime) -> None:
    """Show acts, one a row."""
    if console.json:
        console.document({"acts": [_document(act) for act in acts]})
    elif not acts:
        console.say(tr("nothing was done by hand or over HTTP in this time"))
    else:
        console.table(_COLUMNS, [_row(act, now) for act in acts])


def _row(act: ActRecord, now: datetime) -> list[str]:
    return [ago(act.at, now), one_line(act.who), act_words(act.act), one_line(act.subject), one_line(act.detail or "-")]


def _document(act: ActRecord) -> dict[str, object]:
    return {"at": act.at, "who": act.who, "act": act.act, "subject": act.subject, "detail": act.detail}
