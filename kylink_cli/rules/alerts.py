"""What an alert is, and the alerts of a replenish run."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kylink_cli.rules import alert_texts as texts
from kylink_cli.rules.moments import iso
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import LEVELS, AlertLevel, AlertType

LISTED_FAILURES = 10
# A name in the metadata; what is listed in a message is cut shorter.
NAME_LENGTH = 200


def is_worse(level: AlertLevel, than: AlertLevel) -> bool:
    """Whether one level is worse than another."""
    return LEVELS.index(level) > LEVELS.index(than)


@dataclass(frozen=True, slots=True)
class Concern:
    """A campaign that an alert is about.

    Attributes:
        campaign_id: the campaign.
        user_id: whose campaign it is.
    """

    campaign_id: str
    user_id: str


@dataclass(frozen=True, slots=True)
class NewAlert:
    """A condition that a person should know of.

    Attributes:
        type: the kind of condition.
        level: how bad it is.
        fingerprint: type and scope; the same condition has the same one.
        title: the condition in a few words.
        message: what is wrong and what to do, in lines.
        details: the figures behind it, kept as the alert's metadata.
        concerns: the campaigns it is about; none if it is about kylink itself.
    """

    type: AlertType
    level: AlertLevel
    fingerprint: str
    title: str
    message: str
    details: dict[str, Any] = field(default_factory=dict)
    concerns: Sequence[Concern] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """A campaign that a replenish run could not fill.

    Attributes:
        campaign_id: the campaign.
        campaign_name: what people call it.
        user_id: whose campaign it is.
        error: why, in one clean line.
        retry_count: tries that were made; 0 if the run ended before the first.
    """

    campaign_id: str
    campaign_name: str
    user_id: str
    error: str
    retry_count: int

    def document(self) -> dict[str, Any]:
        """The failure as the contract names its parts."""
        return {
            "campaignId": self.campaign_id,
            "campaignName": one_line(self.campaign_name, NAME_LENGTH),
            "userId": self.user_id,
            "error": self.error,
            "retryCount": self.retry_count,
        }


def replenish_failed(failures: Sequence[Failure], now: datetime) -> NewAlert:
    """The one alert of a replenish run with failed campaigns: `ERROR` above ten failures, else `WARNING`.

    Args:
        failures: every campaign that failed, at least one.
        now: the moment of the alert.
    """
    total = len(failures)
    title = texts.replenish_failed(total)
    cases = [texts.case(f.campaign_name, f.campaign_id, f.error) for f in failures[:LISTED_FAILURES]]
    lines = [texts.heading(title), *cases]
    if total > LISTED_FAILURES:
        lines.append(texts.more_failed(total - LISTED_FAILURES))
    return NewAlert(
        type=AlertType.STOCK_REPLENISH_FAILED,
        level=AlertLevel.ERROR if total > LISTED_FAILURES else AlertLevel.WARNING,
        fingerprint=AlertType.STOCK_REPLENISH_FAILED,
        title=title,
        message="\n".join(lines),
        details={
            "totalFailed": total,
            "failures": [failure.document() for failure in failures],
            "timestamp": iso(now),
        },
        concerns=[Concern(failure.campaign_id, failure.user_id) for failure in failures],
    )


def supply_in_doubt(keys: Sequence[tuple[str, str]]) -> NewAlert:
    """The alert for supply requests that are too old to be asked again, so that nobody knows whether they were paid.

    Args:
        keys: campaign id and idempotency key of each, at least one.
    """
    title = texts.supply_in_doubt(len(keys))
    cases = [texts.supply_in_doubt_key(campaign_id, key) for campaign_id, key in keys]
    return NewAlert(
        type=AlertType.SYSTEM_HEALTH,
        level=AlertLevel.WARNING,
        fingerprint=f"{AlertType.SYSTEM_HEALTH}:supply_in_doubt",
        title=title,
        message=texts.listed(title, cases, texts.supply_in_doubt_advice()),
        details={"total": len(keys), "keys": [{"campaignId": c, "key": k} for c, k in keys]},
    )
