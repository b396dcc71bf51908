"""What people and keys have done, in words."""

from typing import Final

from kylink_cli.language import marked, tr
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import Act

_WORDS: Final = {
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


def act_words(act: str) -> str:
    """An act in words; one of a later version's as it is."""
    return tr(_WORDS[Act(act)]) if act in {*Act} else one_line(act)
