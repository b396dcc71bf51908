"""What every supplier can do, and the values that pass between a run and a supplier."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from kylink_cli.supply.errors import InvalidResponseError


@dataclass(frozen=True, slots=True)
class Order:
    """One call for items, as it was recorded before it is sent.

    Attributes:
        key: the idempotency key; the same key gets the same answer and is charged once.
        campaign_id: the campaign it is for.
        quantity: items asked for.
        body: the exact JSON text that belongs to the key.
    """

    key: str
    campaign_id: str
    quantity: int
    body: str


@dataclass(frozen=True, slots=True)
class SuppliedItem:
    """One item of an answer.

    Attributes:
        value: the single-use value.
        expires_at: when the supplier says that it ends, None if it does not say.
    """

    value: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Supply:
    """The answer to an order.

    Attributes:
        items: the good items, at most as many as were asked for.
        surplus: items beyond what was asked for; they are dropped and reported.
        fault: what is wrong with bad items that have made them fewer than was asked for; None otherwise.
    """

    items: tuple[SuppliedItem, ...]
    surplus: int = 0
    fault: InvalidResponseError | None = None


@runtime_checkable
class Supplier(Protocol):
    """A source of items."""

    async def supply(self, order: Order) -> Supply:
        """Ask for an order's items; asking again with the same order gets the same answer.

        Raises:
            SupplyError: nothing usable came; the class says whether asking again can help.
        """

    async def check(self) -> str:
        """Look cheaply whether the supplier can be reached, without ordering anything.

        Returns:
            What was found, in a few words.

        Raises:
            SupplyError: it can't be reached.
        """

    async def close(self) -> None:
        """Give back connections."""
