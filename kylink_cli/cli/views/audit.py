"""What the audit trail looks like."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from kylink_cli.console import Console
from kylink_cli.console.tables import Column, ago
from kylink_cli.language import marked, tr
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import Act
from kylink_cli.store.tables import ActRecord

WORDS: Final = {
    Act.CAMPAIGN_ADDED: marked("added the campaign"),
    Act.CAMPAIGN_CHANGED: marked("changed the campaign"),
    Act.CAMPAIGNS_IMPORTED: marked("imported campaigns from"),
    Act.CAMPAIGN_PAUSED: marked("paused the campaign"),
    Act.CAMPAIGN_RESUMED: marked("resumed the campaign"),
    Act.CAMPAIGN_REMOVED: marked("removed the campaign"),
    Act.STOCK_IMPORTED: marked("put items in stock of"),
    Act.STOCK_DISCARDED: marked("discarded the item"),
    Act.JOB_PAUSED: marked("paused the job"),
    Act.JOB_RESUMED: marked("resumed the job"),
    Act.RUN_FORCED: marked("ordered beyond the rule for"),
    Act.RUN_STARTED: marked("started the job"),
    Act.REQUEST_SETTLED: marked("settled the supply request"),
    Act.ALERT_ACKNOWLEDGED: marked("acknowledged the alert"),
    Act.ALERT_RESOLVED: marked("resolved the alert"),
    Act.ALERT_SILENCED: marked("silenced"),
    Act.SILENCE_ENDED: marked("ended the silence"),
    Act.ALERTS_PURGED: marked("deleted alerts"),
    Act.KEY_ADDED: marked("made the key"),
    Act.KEY_ROTATED: marked("replaced the key"),
    Act.KEY_REVOKED: marked("revoked the key"),
    Act.DATABASE_RESTORED: marked("restored the database from"),
}
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
    words = tr(WORDS[Act(act.act)]) if act.act in {*Act} else one_line(act.act)
    return [ago(act.at, now), one_line(act.who), words, one_line(act.subject), one_line(act.detail or "-")]


def _document(act: ActRecord) -> dict[str, object]:
    return {"at": act.at, "who": act.who, "act": act.act, "subject": act.subject, "detail": act.detail}
