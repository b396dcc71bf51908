"""Reading a supplier's answer: whatever it holds, the result is a supply or an `InvalidResponseError`."""

import json
from datetime import UTC, datetime
from typing import Any

from kylink_cli.rules.values import value_fault
from kylink_cli.supply.base import SuppliedItem, Supply
from kylink_cli.supply.errors import InvalidResponseError

MAX_ANSWER_BYTES = 8 * 1024 * 1024


class _BadItemError(Exception):
    """An item that can't be kept in stock."""


def parse_answer(body: bytes, quantity: int, now: datetime) -> Supply:
    """Read the JSON answer of a supplier (contract, section 5).

    Args:
        body: the whole answer.
        quantity: items that were asked for; more are cut off and counted.
        now: an item whose life ended before this moment is no good.

    Returns:
        The good items; `fault` says what is wrong with the others, if there are any.

    Raises:
        InvalidResponseError: the answer can't be read, or none of its items is good.
    """
    items: list[SuppliedItem] = []
    faults: list[str] = []
    for position, entry in enumerate(_entries(body)):
        try:
            items.append(_item(entry, now))
        except _BadItemError as error:
            faults.append(f"item {position + 1}: {error}")
    fault = _fault(faults)
    if fault is not None and not items:
        raise fault
    return Supply(tuple(items[:quantity]), surplus=max(0, len(items) - quantity), fault=fault)


def _entries(body: bytes) -> list[Any]:
    try:
        document = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise InvalidResponseError("the answer is not JSON in UTF-8") from None
    entries = document.get("items") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise InvalidResponseError("the answer holds no list of items")
    return entries


def _item(entry: Any, now: datetime) -> SuppliedItem:
    value, end = (entry.get("value"), entry.get("expires_at")) if isinstance(entry, dict) else (entry, None)
    if not isinstance(value, str):
        raise _BadItemError("there is no value")
    reason = value_fault(value)
    if reason is not None:
        raise _BadItemError(reason)
    if end is None:
        return SuppliedItem(value)
    expires_at = _moment(end)
    if expires_at <= now:
        raise _BadItemError("it has expired already")
    return SuppliedItem(value, expires_at)


def _moment(text: Any) -> datetime:
    """A moment in ISO 8601 with its zone."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise _BadItemError("expires_at is no moment in ISO 8601 with a time zone")


def _fault(faults: list[str]) -> InvalidResponseError | None:
    if not faults:
        return None
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return InvalidResponseError(f"the answer holds bad items: {faults[0]}{more}")
