"""Silences: for how long nobody is told of an alert."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kylink_cli.rules.alerts import Concern


@dataclass(frozen=True, slots=True)
class Silence:
    """What nobody is to be told of, until when; all that is named must fit.

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
            concern: the campaign; None for an alert that is about none, or about nobody knows which.
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
    relevant = [silence for silence in silences if silence.until > now and silence.type in {None, alert_type}]
    parts: Sequence[Concern | None] = concerns or [None]
    ends = [_covered_until(alert_type, part, relevant) for part in parts] if relevant else [None]
    known = [end for end in ends if end is not None]
    return min(known) if len(known) == len(ends) else None


def _covered_until(alert_type: str, concern: Concern | None, silences: Sequence[Silence]) -> datetime | None:
    return max((s.until for s in silences if s.covers(alert_type, concern)), default=None)
