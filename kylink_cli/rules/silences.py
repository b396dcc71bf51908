"""Silences: for how long an alert is muted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kylink_cli.language import tr
from kylink_cli.rules.alerts import Concern
from kylink_cli.rules.moments import read_moment, read_span
from kylink_cli.rules.text import one_line

LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Silence:
    """What is muted, until when; an alert must match all that is named.

    Attributes:
        until: its end.
        type: only alerts of this type; None for every type.
        campaign_id: only what is about this campaign; None for any.
        user_id: only what is about this user's campaigns; None for any.
    """

    until: datetime
    type: str | None = None
    campaign_id: str | None = None
    user_id: str | None = None

    def covers(self, alert_type: str, concern: Concern | None) -> bool:
        """Whether it covers an alert, as far as that is about one campaign.

        Args:
            alert_type: the alert's type.
            concern: the campaign; None for an alert that is about none, or about an unknown one.
        """
        if self.type not in {None, alert_type}:
            return False
        if concern is None:
            return self.campaign_id is None and self.user_id is None
        return self.campaign_id in {None, concern.campaign_id} and self.user_id in {None, concern.user_id}


def silenced_until(
    alert_type: str, concerns: Sequence[Concern], silences: Sequence[Silence], now: datetime
) -> datetime | None:
    """Until when an alert is silenced; None if it is not.

    An alert is silenced while every campaign that it is about is covered, as one is enough for people to want to know.

    Args:
        alert_type: its type.
        concerns: the campaigns it is about.
        silences: those that are known; ended ones do not count.
        now: the moment of the question.
    """
    relevant = [silence for silence in silences if silence.until > now]
    parts: Sequence[Concern | None] = concerns or [None]
    ends = [_covered_until(alert_type, part, relevant) for part in parts] if relevant else [None]
    known = [end for end in ends if end is not None]
    return min(known) if len(known) == len(ends) else None


def parse_end(duration: str | None, until: str | None, now: datetime) -> datetime:
    """Read when a silence is to end.

    Args:
        duration: how long it lasts, as in `90m`, `8h`, `2d` or `1w`.
        until: a moment in ISO 8601; one without a zone is UTC.
        now: when it begins.

    Raises:
        ValueError: not exactly one of them is given, it can't be read, or it is over or more than a year away.
    """
    if (duration is None) == (until is None):
        raise ValueError(tr("name the end of the silence, by --for or --until"))
    end = now + _parse_span(duration) if duration is not None else _parse_moment(until or "")
    if not now < end <= now + LONGEST:
        raise ValueError(tr("a silence must end within a year from now"))
    return end


def _parse_span(text: str) -> timedelta:
    length = read_span(text)
    if length is None:
        raise ValueError(
            tr("--for must be a number with m, h, d or w, as in 90m or 8h, not {text!r}", text=one_line(text, 40))
        )
    return length


def _parse_moment(text: str) -> datetime:
    moment = read_moment(text)
    if moment is None:
        raise ValueError(tr("--until must be a moment as in 2026-02-06T08:00Z, not {text!r}", text=one_line(text, 40)))
    return moment


def _covered_until(alert_type: str, concern: Concern | None, silences: Sequence[Silence]) -> datetime | None:
    return max((s.until for s in silences if s.covers(alert_type, concern)), default=None)
