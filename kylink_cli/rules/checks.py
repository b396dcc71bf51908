"""The checks on stock and leases: figures and thresholds in, a result out, with an alert if a threshold is reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kylink_cli.rules import alert_texts as texts
from kylink_cli.rules.alerts import NewAlert
from kylink_cli.rules.check_facts import HeldLeases, LowCampaign, Share, Subject, Thresholds
from kylink_cli.rules.text import natural
from kylink_cli.rules.vocabulary import AlertLevel, AlertType

# Campaigns that an alert's metadata hold; the figures count all of them.
KEPT_CAMPAIGNS = 100


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check has found.

    Attributes:
        type: the type of alert that it raises.
        fingerprint: the condition that it looks for.
        value: the figure that was held against the thresholds; None if there is none.
        detail: what was found, in one line.
        alert: the condition, None if it is not there.
    """

    type: AlertType
    fingerprint: str
    value: float | None
    detail: str
    alert: NewAlert | None = None

    @property
    def level(self) -> AlertLevel | None:
        """How bad it is; None if all is well."""
        return None if self.alert is None else self.alert.level


def check_low_stock(low: Sequence[LowCampaign], limits: Thresholds) -> CheckResult:
    """Are campaigns below their watermark? One that is empty is at least a warning.

    Args:
        low: the active campaigns below their watermark.
        limits: the thresholds.
    """
    if not low:
        return CheckResult(AlertType.LOW_STOCK, AlertType.LOW_STOCK, 0, texts.enough_stock())
    low = sorted(low, key=lambda c: (c.available, natural(c.subject.campaign_id)))
    empty = sum(c.available == 0 for c in low)
    title = texts.low_stock(len(low), empty)
    level = level_above(len(low), limits.low_stock_warning, limits.low_stock_error) or AlertLevel.INFO
    cases = [_case(c.subject, texts.low_stock_case(c.available, c.watermark)) for c in low]
    alert = NewAlert(
        type=AlertType.LOW_STOCK,
        level=AlertLevel.WARNING if empty and level == AlertLevel.INFO else level,
        fingerprint=AlertType.LOW_STOCK,
        title=title,
        message=texts.listed(title, cases, texts.low_stock_advice()),
        details=_details(
            [c.subject.document(available=c.available, watermark=c.watermark) for c in low], low=len(low), empty=empty
        ),
        concerns=[c.subject.concern for c in low],
    )
    return CheckResult(AlertType.LOW_STOCK, AlertType.LOW_STOCK, len(low), title, alert)


def check_lease_age(held: Sequence[HeldLeases], now: datetime) -> CheckResult:
    """Are leases held for long? One past its deadline is an error: nobody has taken its item back.

    Args:
        held: by campaign, the active leases that are older than the threshold or past their deadline.
        now: the moment of the check.
    """
    if not held:
        return CheckResult(AlertType.LEASE_TIMEOUT, AlertType.LEASE_TIMEOUT, None, texts.no_lease_held())
    held = sorted(held, key=lambda h: (-h.overdue, h.oldest))
    minutes = int((now - min(h.oldest for h in held)).total_seconds() // 60)
    leases, overdue = sum(h.leases for h in held), sum(h.overdue for h in held)
    title = texts.leases_overdue(overdue, minutes) if overdue else texts.leases_held(leases, minutes)
    cases = [_case(h.subject, texts.lease_case(h.leases, h.overdue)) for h in held]
    alert = NewAlert(
        type=AlertType.LEASE_TIMEOUT,
        level=AlertLevel.ERROR if overdue else AlertLevel.WARNING,
        fingerprint=AlertType.LEASE_TIMEOUT,
        title=title,
        message=texts.listed(title, cases, texts.lease_advice()),
        details=_details(
            [h.subject.document(leases=h.leases, overdue=h.overdue) for h in held],
            leases=leases,
            overdue=overdue,
            oldestMinutes=minutes,
        ),
        concerns=[h.subject.concern for h in held],
    )
    return CheckResult(AlertType.LEASE_TIMEOUT, AlertType.LEASE_TIMEOUT, minutes, title, alert)


def check_failure_rate(shares: Sequence[Share], limits: Thresholds) -> CheckResult:
    """Do leases end badly: released with an error, or expired?

    Args:
        shares: by campaign, how many of the leases closed in the last hour failed.
        limits: the thresholds.
    """
    failed, closed = sum(s.number for s in shares), sum(s.of for s in shares)
    if closed < max(1, limits.smallest_sample):
        return CheckResult(AlertType.HIGH_FAILURE_RATE, AlertType.HIGH_FAILURE_RATE, None, texts.no_lease_closed())
    percent = 100 * failed / closed
    title = texts.failure_rate(f"{percent:.3g}", failed, closed)
    level = level_above(percent, limits.failure_rate_warning_percent, limits.failure_rate_error_percent)
    if level is None:
        return CheckResult(AlertType.HIGH_FAILURE_RATE, AlertType.HIGH_FAILURE_RATE, round(percent, 1), title)
    worst = sorted((s for s in shares if s.number), key=lambda s: (-s.number, natural(s.subject.campaign_id)))
    cases = [_case(s.subject, texts.failure_case(s.number, s.of)) for s in worst]
    alert = NewAlert(
        type=AlertType.HIGH_FAILURE_RATE,
        level=level,
        fingerprint=AlertType.HIGH_FAILURE_RATE,
        title=title,
        message=texts.listed(title, cases, texts.failure_advice()),
        details=_details(
            [s.subject.document(failed=s.number, closed=s.of) for s in worst], failed=failed, closed=closed
        ),
        concerns=[s.subject.concern for s in worst],
    )
    return CheckResult(AlertType.HIGH_FAILURE_RATE, AlertType.HIGH_FAILURE_RATE, round(percent, 1), title, alert)


def check_no_stock(shares: Sequence[Share], limits: Thresholds) -> CheckResult:
    """Do consumers often find nothing?

    Args:
        shares: by campaign, how often in 24 hours there was nothing to lease.
        limits: the thresholds.
    """
    events = sum(s.number for s in shares)
    title = texts.no_stock(events)
    level = level_above(events, limits.no_stock_warning, limits.no_stock_error)
    if level is None:
        return CheckResult(AlertType.NO_STOCK_FREQUENT, AlertType.NO_STOCK_FREQUENT, events, title)
    worst = sorted(shares, key=lambda s: (-s.number, natural(s.subject.campaign_id)))
    cases = [_case(s.subject, texts.no_stock_case(s.number)) for s in worst]
    alert = NewAlert(
        type=AlertType.NO_STOCK_FREQUENT,
        level=level,
        fingerprint=AlertType.NO_STOCK_FREQUENT,
        title=title,
        message=texts.listed(title, cases, texts.no_stock_advice()),
        details=_details([s.subject.document(events=s.number) for s in worst], events=events),
        concerns=[s.subject.concern for s in worst],
    )
    return CheckResult(AlertType.NO_STOCK_FREQUENT, AlertType.NO_STOCK_FREQUENT, events, title, alert)


def level_above(value: float, warning: float, error: float) -> AlertLevel | None:
    """The level of a figure that is the worse the higher it is; None below both thresholds."""
    if value >= error:
        return AlertLevel.ERROR
    return AlertLevel.WARNING if value >= warning else None


def _case(subject: Subject, what: str) -> str:
    return texts.case(subject.name, subject.campaign_id, what)


def _details(campaigns: Sequence[dict[str, Any]], **figures: int) -> dict[str, Any]:
    """Metadata of bounded size."""
    return {**figures, "total": len(campaigns), "campaigns": list(campaigns[:KEPT_CAMPAIGNS])}
