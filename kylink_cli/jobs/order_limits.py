"""What the limits of 24 hours leave to be ordered, asked in the transaction that records the orders."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from kylink_cli.rules.order_limits import Granted, OrderLimits, PlannedOrder, within_limits
from kylink_cli.rules.replenishment import Level, Need
from kylink_cli.store import supply_requests

ORDER_LIMIT_SPAN = timedelta(hours=24)


def granted(session: Session, limits: OrderLimits, wanted: Sequence[tuple[Level, int]], now: datetime) -> list[Granted]:
    """What may be ordered now, of each campaign in the order of work; what earlier runs have asked for counts.

    A campaign's own limit needs no lock, since whoever orders for it has claimed it. For the limit of all, those who
    order take turns until their transactions end.

    Args:
        wanted: campaigns, and the items that each wants to order.
    """
    if limits.in_all:
        supply_requests.take_turns(session)
    return _left(session, limits, wanted, now)


def planned(session: Session, limits: OrderLimits, needs: Sequence[Need], now: datetime) -> list[Need]:
    """What would be ordered within the limits; nothing is locked."""
    left = _left(session, limits, [(n.level, n.order) for n in needs], now)
    return [n.limited_by(one.limited) for n, one in zip(needs, left, strict=True)]


def _left(session: Session, limits: OrderLimits, wanted: Sequence[tuple[Level, int]], now: datetime) -> list[Granted]:
    if not limits.in_all and not any(limits.of(level.own_order_limit) for level, _ in wanted):
        return [Granted(items) for _, items in wanted]
    by_campaign = {level.campaign_id: PlannedOrder(items, level.own_order_limit) for level, items in wanted}
    of_campaigns = None if limits.in_all else by_campaign.keys()
    ordered = supply_requests.ordered_since(session, now - ORDER_LIMIT_SPAN, of_campaigns)
    return list(within_limits(limits, by_campaign, ordered).values())
