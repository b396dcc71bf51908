"""The checks on demand and orders: is a limit of 24 hours in the way, and does the forecast fall short?"""

from collections.abc import Sequence

from kylink_cli.rules import alert_texts as texts
from kylink_cli.rules.alerts import NewAlert
from kylink_cli.rules.check_facts import Share
from kylink_cli.rules.checks import KEPT_CAMPAIGNS, CheckResult
from kylink_cli.rules.order_limits import WARNING_SHARE, OrderLimits
from kylink_cli.rules.vocabulary import AlertLevel, AlertType

# Fewer items that were refused in a week say nothing.
SMALLEST_MISS = 3


def check_order_limit(ordered: Sequence[Share], limits: OrderLimits) -> CheckResult:
    """Do the limits of 24 hours bind, or nearly so?

    Args:
        ordered: by campaign, items ordered in 24 hours, of those that may be ordered; of 0 is no limit.
    """
    kind = AlertType.ORDER_LIMIT
    total = sum(s.number for s in ordered)
    used = [(s, s.number / s.of) for s in ordered if s.of]
    near = [one for one in used if one[1] >= WARNING_SHARE]
    near.sort(key=lambda one: (-one[1], one[0].subject.campaign_id))
    used_in_all = total / limits.in_all if limits.in_all else 0.0
    worst = max([used_in_all, *(share for _, share in near)])
    if worst < WARNING_SHARE:
        return CheckResult(kind, kind, total, texts.within_order_limits(total))
    title = texts.order_limit(len(near), f"{100 * worst:.3g}")
    cases = [texts.case(s.subject.name, s.subject.campaign_id, texts.order_limit_case(s.number, s.of)) for s, _ in near]
    if used_in_all >= WARNING_SHARE:
        cases.insert(0, texts.order_limit_in_all(total, limits.in_all))
    alert = NewAlert(
        type=kind,
        level=AlertLevel.ERROR if worst >= 1 else AlertLevel.WARNING,
        fingerprint=kind,
        title=title,
        message=texts.listed(title, cases, texts.order_limit_advice()),
        details={
            "ordered": total,
            "limit": limits.in_all,
            "campaignLimit": limits.of_campaign,
            "total": len(near),
            "campaigns": [s.subject.document(ordered=s.number, limit=s.of) for s, _ in near[:KEPT_CAMPAIGNS]],
        },
        concerns=[s.subject.concern for s, _ in near],
    )
    return CheckResult(kind, kind, total, title, alert)


def check_forecast(refused: Sequence[Share], service_level: float) -> CheckResult:
    """Did campaigns lose more of their demand than the service level allows?

    Args:
        refused: by campaign, items refused in a week, of those asked for.
        service_level: the certainty that is aimed at.
    """
    kind = AlertType.FORECAST_MISS
    missed = [s for s in refused if s.number >= SMALLEST_MISS and s.number / s.of > 1 - service_level + 1e-9]
    title = texts.forecast_miss(len(missed))
    if not missed:
        return CheckResult(kind, kind, 0, title)
    missed.sort(key=lambda s: (-s.number, s.subject.campaign_id))
    cases = [
        texts.case(s.subject.name, s.subject.campaign_id, texts.forecast_miss_case(s.number, s.of)) for s in missed
    ]
    alert = NewAlert(
        type=kind,
        level=AlertLevel.INFO,
        fingerprint=kind,
        title=title,
        message=texts.listed(title, cases, texts.forecast_miss_advice()),
        details={
            "total": len(missed),
            "campaigns": [s.subject.document(refused=s.number, asked=s.of) for s in missed[:KEPT_CAMPAIGNS]],
        },
        concerns=[s.subject.concern for s in missed],
    )
    return CheckResult(kind, kind, len(missed), title, alert)
