"""A text file as a supplier: `file:/path/to/values` holds one value a line, and each is used once."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from kylink_cli.rules.values import value_fault
from kylink_cli.supply.base import Order, SuppliedItem, Supply
from kylink_cli.supply.errors import InvalidResponseError, UnreachableError


class Memory(Protocol):
    """Remembers which values were handed out, and to which order."""

    def take(self, source: str, key: str, quantity: int, values: Iterator[str]) -> list[str]:
        """Hand out values that were never handed out; the same key gets the same ones again.

        Args:
            source: the file that they come from.
            key: the order's idempotency key.
            quantity: how many are wanted.
            values: the values to choose from, in order; read only as far as needed.
        """


class FileSupplier:
    """A file of values."""

    def __init__(self, path: Path, memory: Memory) -> None:
        """Name the file.

        Args:
            path: the file.
            memory: remembers what was handed out.
        """
        self._path = path
        self._memory = memory
        self._values: Iterator[str] | None = None
        # One order at a time reads on from where the last one stopped.
        self._turn = asyncio.Lock()

    async def supply(self, order: Order) -> Supply:
        """Hand out the next values; fewer, or none, when the file is used up.

        Raises:
            UnreachableError: the file can't be read.
            InvalidResponseError: it holds a line that can't be a value.
        """
        async with self._turn:
            values = await asyncio.to_thread(self._take, order)
        return Supply(tuple(SuppliedItem(value) for value in values))

    async def check(self) -> str:
        """Look whether the file can be read.

        Raises:
            UnreachableError: it can't.
        """
        await asyncio.to_thread(lambda: next(_lines(self._path), None))
        return f"the file {self._path} can be read"

    async def close(self) -> None:
        """Nothing is kept open."""

    def _take(self, order: Order) -> list[str]:
        if self._values is None:
            self._values = _lines(self._path)
        return self._memory.take(str(self._path.absolute()), order.key, order.quantity, self._values)


def _lines(path: Path) -> Iterator[str]:
    """The values of a file, one a line; blank lines are none.

    Raises:
        UnreachableError: it can't be read.
        InvalidResponseError: a line can't be a value.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                value = line.rstrip("\r\n")
                if not value.strip():
                    continue
                fault = value_fault(value)
                if fault is not None:
                    raise InvalidResponseError(f"line {number} of {path}: {fault}")
                yield value
    except OSError as error:
        raise UnreachableError(f"the file {path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidResponseError(f"the file {path} is not UTF-8 text") from None
