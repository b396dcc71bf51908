"""What alerts say and how bad they are: figures in, an alert out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

AlertLevel = Literal["INFO", "WARNING", "ERROR"]

LISTED_FAILURES = 10


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
    """

    type: str
    level: AlertLevel
    fingerprint: str
    title: str
    message: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """A campaign that a replenish run could not fill.

    Attributes:
        campaign_id: the campaign.
        campaign_name: what people call it.
        user_id: whose campaign it is.
        error: why, in one clean line.
        retry_count: tries after the first.
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
            "campaignName": self.campaign_name,
            "userId": self.user_id,
            "error": self.error,
            "retryCount": self.retry_count,
        }


REPLENISH_FAILED = "STOCK_REPLENISH_FAILED"


def replenish_failed(failures: Sequence[Failure], now: datetime) -> NewAlert:
    """The one alert of a replenish run with failed campaigns: `ERROR` above ten failures, else `WARNING`.

    Args:
        failures: every campaign that failed, at least one.
        now: the moment of the alert.
    """
    total = len(failures)
    lines = [f"Replenishment failed for {total} campaign{'' if total == 1 else 's'}:"]
    lines += [f"- {f.campaign_name} ({f.campaign_id}): {f.error}" for f in failures[:LISTED_FAILURES]]
    if total > LISTED_FAILURES:
        lines.append(f"... and {total - LISTED_FAILURES} more failed")
    return NewAlert(
        type=REPLENISH_FAILED,
        level="ERROR" if total > LISTED_FAILURES else "WARNING",
        fingerprint=REPLENISH_FAILED,
        title=lines[0].rstrip(":"),
        message="\n".join(lines),
        details={
            "totalFailed": total,
            "failures": [failure.document() for failure in failures],
            "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        },
    )


def supply_in_doubt(keys: Sequence[tuple[str, str]]) -> NewAlert:
    """The alert for supply requests that are too old to be asked again, so that nobody knows whether they were paid.

    Args:
        keys: campaign id and idempotency key of each, at least one.
    """
    total = len(keys)
    lines = [
        f"{total} supply request{'' if total == 1 else 's'} can no longer be asked again safely:",
        *[f"- campaign {campaign_id}: key {key}" for campaign_id, key in keys[:LISTED_FAILURES]],
    ]
    if total > LISTED_FAILURES:
        lines.append(f"... and {total - LISTED_FAILURES} more")
    lines.append("Ask the supply service whether these keys were charged.")
    return NewAlert(
        type="SYSTEM_HEALTH",
        level="WARNING",
        fingerprint="SYSTEM_HEALTH:supply_in_doubt",
        title=lines[0].rstrip(":"),
        message="\n".join(lines),
        details={"total": total, "keys": [{"campaignId": c, "key": k} for c, k in keys]},
    )
