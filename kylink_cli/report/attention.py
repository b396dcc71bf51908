"""What stands first on the page: what needs attention, each with what to type."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kylink_cli.language import ntr, tr
from kylink_cli.rules.attention import Matter
from kylink_cli.rules.moments import span
from kylink_cli.rules.text import ERROR_LENGTH, one_line

# More than a person takes up at once; the tables below hold all of them.
LISTED_MATTERS = 12
_NAME_LENGTH = 60


@dataclass(frozen=True, slots=True)
class AttentionCard:
    """Something that needs attention, in words."""

    id: str  # as it is pasted
    name: str
    user: str
    what: str
    error: str
    since: str
    turned_away: str
    command: str
    urgent: bool


def notices(matters: Sequence[Matter], now: datetime) -> list[AttentionCard]:
    """The first of what needs attention, in words."""
    return [_notice(matter, now) for matter in matters[:LISTED_MATTERS]]


def left_out(matters: Sequence[Matter]) -> str:
    """How many are not listed; empty if all are."""
    number = len(matters) - LISTED_MATTERS
    if number <= 0:
        return ""
    return ntr("{n:,} more needs attention, see below.", "{n:,} more need attention, see below.", number)


def _notice(matter: Matter, now: datetime) -> AttentionCard:
    turned_away = ""
    if matter.turned_away:
        turned_away = ntr("{n:,} consumer turned away", "{n:,} consumers turned away", matter.turned_away)
    return AttentionCard(
        id=one_line(matter.id),
        name=one_line(matter.name, _NAME_LENGTH),
        user=one_line(matter.user_id or "", _NAME_LENGTH),
        what=matter.what,
        error=one_line(matter.error or "", ERROR_LENGTH),
        since="" if matter.since is None else _since(matter.since, now),
        turned_away=turned_away,
        command=one_line(matter.command),
        urgent=matter.urgent,
    )


def _since(moment: datetime, now: datetime) -> str:
    return tr("for {span}, since {moment} UTC", span=span(now - moment), moment=f"{moment:%Y-%m-%d %H:%M}")
