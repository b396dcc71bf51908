"""Reading a supplier's answer: whatever it holds, the result is a supply or an `InvalidResponseError`."""

import json
from datetime import UTC, datetime
from typing import Any

from kylink_cli.language import tr
from kylink_cli.rules.text import value_fault
from kylink_cli.supply.base import SuppliedItem, Supply
from kylink_cli.supply.errors import InvalidResponseError

MAX_ANSWER_BYTES = 8 * 1024 * 1024
# Eight mebibytes could hold millions: an answer is not searched for good items behind more bad ones than these.
MAX_BAD_ITEMS = 1000
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class _BadItemError(Exception):
    """An item that can't be kept in stock."""


def parse_answer(body: bytes, quantity: int, now: datetime) -> Supply:
    """Read the JSON answer of a supplier (contract, section 5).

    Args:
        quantity: items that were asked for; more are cut off and counted.
        now: an item whose life ended before this moment is no good.

    Returns:
        The good items; if bad ones have made them fewer than was asked for, `fault` says what is wrong.

    Raises:
        InvalidResponseError: the answer can't be read, or it holds bad items alone.
    """
    entries = _entries(body)
    items, faults = _good_and_bad(entries, quantity, now)
    fault = _fault(faults) if faults and len(items) < quantity else None
    if fault is not None and not items:
        raise fault
    return Supply(tuple(items), surplus=len(entries) - len(items) - len(faults), fault=fault)


def _good_and_bad(entries: list[Any], quantity: int, now: datetime) -> tuple[list[SuppliedItem], list[str]]:
    """The first good items, as many as were asked for, and what is wrong with each that was passed over."""
    items: list[SuppliedItem] = []
    faults: list[str] = []
    for position, entry in enumerate(entries[: quantity + MAX_BAD_ITEMS], start=1):
        if len(items) == quantity:
            break
        try:
            items.append(_item(entry, now))
        except _BadItemError as error:
            faults.append(tr("item {position}: {error}", position=position, error=error))
    return items, faults


def _entries(body: bytes) -> list[Any]:
    try:
        document = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise InvalidResponseError(tr("the answer is not JSON in UTF-8")) from None
    entries = document.get("items") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise InvalidResponseError(tr("the answer holds no list of items"))
    return entries


def _item(entry: Any, now: datetime) -> SuppliedItem:
    value, end = (entry.get("value"), entry.get("expires_at")) if isinstance(entry, dict) else (entry, None)
    if not isinstance(value, str):
        raise _BadItemError(tr("there is no value"))
    reason = value_fault(value)
    if reason is not None:
        raise _BadItemError(reason)
    if end is None or (isinstance(end, str) and not end.strip()):
        return SuppliedItem(value)
    expires_at = _moment(end)
    if expires_at <= now:
        raise _BadItemError(tr("it has expired already"))
    return SuppliedItem(value, expires_at)


def _moment(text: Any) -> datetime:
    """A moment in ISO 8601 with its zone."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return _in_utc(moment)
    except (TypeError, ValueError):
        pass
    raise _BadItemError(tr("expires_at is not a moment in ISO 8601 with a time zone"))


def _in_utc(moment: datetime) -> datetime:
    """A moment in UTC; the first and the last hours of the calendar, which UTC puts outside of it, are cut."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return _LAST if moment.year == _LAST.year else _FIRST


def _fault(faults: list[str]) -> InvalidResponseError:
    more = tr(" (and {number} more)", number=len(faults) - 1) if len(faults) > 1 else ""
    return InvalidResponseError(tr("the answer holds bad items: {faults}{more}", faults=faults[0], more=more))
