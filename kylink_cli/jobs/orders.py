"""What a campaign lacks, as requests: in how many calls it is asked for, under which keys, in which words."""

import json
import uuid

from kylink_cli.rules.replenishment import Level
from kylink_cli.store.supply_requests import NewRequest


def requests_for(level: Level, items: int, max_per_call: int) -> list[NewRequest]:
    """Requests that have not been recorded yet, each with a key of its own.

    Args:
        items: how many it lacks; none if it is not positive.
    """
    return [
        NewRequest(str(uuid.uuid4()), level.campaign_id, quantity, order_body(level, quantity))
        for quantity in _split(max(0, items), max_per_call)
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


def _split(items: int, at_most: int) -> list[int]:
    """A number of items as calls of at most so many."""
    whole, rest = divmod(items, at_most)
    return [at_most] * whole + ([rest] if rest else [])
