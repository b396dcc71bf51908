"""What a replenish run writes: each act takes everything that waits for it and needs a fixed number of statements."""

import json
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from kylink_cli.jobs.assignment import FillLimits
from kylink_cli.jobs.order_limits import granted
from kylink_cli.rules.replenishment import Level
from kylink_cli.rules.vocabulary import ResultStatus
from kylink_cli.store import bell, campaign_results, campaigns, claims, supply_requests
from kylink_cli.store.campaign_results import NewResult
from kylink_cli.store.claims import Claim, Course
from kylink_cli.store.supply_requests import NewRequest, OpenRequest


@dataclass(frozen=True, slots=True)
class NewOrders:
    """Items to be ordered for one campaign, under a run's claim."""

    claim: Claim
    level: Level
    items: int
    limits: FillLimits


def requests_for(level: Level, items: int, max_per_call: int, run_id: int) -> list[NewRequest]:
    """Requests for what a campaign lacks, not recorded yet, each with a key of its own.

    Args:
        items: how many it lacks; none if it is not positive.
        max_per_call: items asked for in one call.
    """
    whole, rest = divmod(max(0, items), max_per_call)
    quantities = [max_per_call] * whole + ([rest] if rest else [])
    return [
        NewRequest(str(uuid.uuid4()), level.campaign_id, quantity, order_body(level, quantity), run_id)
        for quantity in quantities
    ]


def order_body(level: Level, quantity: int) -> str:
    """The JSON text that asks for items of a campaign (contract, section 5)."""
    order = {
        "campaign_id": level.campaign_id,
        "user_id": level.user_id,
        "quantity": quantity,
        "country": level.country,
        "source_url": level.source_url,
    }
    return json.dumps(order, ensure_ascii=False)


def record(session: Session, orders: list[NewOrders], now: datetime) -> list[list[OpenRequest] | None]:
    """Record requests before they are sent, if the claims still stand and the campaigns are not paused.

    No more is ordered than the limits of 24 hours leave.

    Returns:
        For each order its recorded requests; None if nothing was recorded.
    """
    held = claims.still_held(session, [order.claim for order in orders])
    paused = campaigns.paused(session, {order.claim.campaign_id for order in orders})
    valid = [order for order in orders if order.claim in held and order.claim.campaign_id not in paused]
    ordering = {order.claim for order in valid}
    recorded = record_requests(session, _requests(session, valid, now), now)
    return [recorded.get(order.claim.campaign_id, []) if order.claim in ordering else None for order in orders]


def _requests(session: Session, orders: Sequence[NewOrders], now: datetime) -> list[NewRequest]:
    if not orders:
        return []
    may = granted(session, orders[0].limits.orders, [(order.level, order.items) for order in orders], now)
    return [
        request
        for order, one in zip(orders, may, strict=True)
        for request in requests_for(order.level, one.items, order.limits.max_per_call, order.claim.run_id)
    ]


def record_requests(session: Session, requests: Sequence[NewRequest], now: datetime) -> dict[str, list[OpenRequest]]:
    """Record requests before they are sent; the recorded ones by campaign."""
    recorded: dict[str, list[OpenRequest]] = defaultdict(list)
    for one in supply_requests.record(session, requests, now):
        recorded[one.request.campaign_id].append(one)
    return recorded


def finish(session: Session, results: list[NewResult], now: datetime) -> list[None]:
    """Record how campaigns fared, and give their claims back."""
    campaign_results.add(session, results, now)
    bell.note_failures(session, [r.campaign_id for r in results if r.status == ResultStatus.FAILED], now)
    claims.free(session, [_course(result) for result in results], now)
    return [None] * len(results)


def _course(result: NewResult) -> Course:
    has_failed = result.status == ResultStatus.FAILED
    return Course(result.campaign_id, result.run_id, has_failed, result.is_barren)
