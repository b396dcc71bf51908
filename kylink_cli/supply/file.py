"""A text file as a supplier: `file:/path/to/values` holds one value a line, and each is used once."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from kylink_cli.language import tr
from kylink_cli.reasons import reason
from kylink_cli.rules.text import one_line
from kylink_cli.rules.values import value_fault
from kylink_cli.supply.base import Order, SuppliedItem, Supply
from kylink_cli.supply.errors import InvalidResponseError, UnreachableError


class Memory(Protocol):
    """Remembers which values were handed out, and to which order."""

    def unused(self, source: str, values: Iterator[str]) -> Iterator[str]:
        """Those of a file's values that were not handed out yet, in order.

        Args:
            source: the file that they come from.
            values: what it holds; read only as far as needed.
        """

    def take(self, source: str, key: str, quantity: int, values: Iterator[str]) -> list[str]:
        """Hand out values that no other order has got; the same key gets the same ones again.

        Args:
            source: the file that they come from.
            key: the order's idempotency key.
            quantity: how many are wanted.
            values: the values to choose from, in order; read only as far as needed.
        """


class FileSupplier:
    """A file of values. A run reads it once, from its beginning to where the last order was served."""

    def __init__(self, path: Path, memory: Memory) -> None:
        """Name the file.

        Args:
            memory: remembers what was handed out.
        """
        self._file = _ValueFile(path)
        self._source = str(path.absolute())
        self._memory = memory
        self._unused: Iterator[str] | None = None
        # One order at a time reads on from where the last one stopped.
        self._turn = asyncio.Lock()

    async def supply(self, order: Order) -> Supply:
        """Hand out the next values; fewer, or none, when the file is used up.

        Raises:
            UnreachableError: the file can't be read.
            InvalidResponseError: nothing is left but lines that can't be values.
        """
        async with self._turn:
            values = await asyncio.to_thread(self._take, order)
        fault = self._file.fault if len(values) < order.quantity else None
        if fault is not None and not values:
            raise fault
        return Supply(tuple(SuppliedItem(value) for value in values), fault=fault)

    async def check(self) -> str:
        """Look whether the file can be read.

        Raises:
            UnreachableError: it can't.
        """
        await asyncio.to_thread(lambda: next(iter(self._file), None))
        return tr("the file {file} can be read", file=self._file)

    async def close(self) -> None:
        """Stop reading."""
        self._unused = None

    def _take(self, order: Order) -> list[str]:
        if self._unused is None:
            self._unused = self._memory.unused(self._source, iter(self._file))
        try:
            return self._memory.take(self._source, order.key, order.quantity, self._unused)
        except Exception:
            # What was read and not handed out is still in the file: the next order begins anew.
            self._unused = None
            raise


class _ValueFile:
    """The values of a file, one a line; blank lines are none, and lines that can't be values are passed over."""

    def __init__(self, path: Path) -> None:
        self.fault: InvalidResponseError | None = None
        self._path = path

    def __str__(self) -> str:
        return one_line(str(self._path))

    def __iter__(self) -> Iterator[str]:
        """Read the file from its beginning.

        Raises:
            UnreachableError: it can't be read.
        """
        try:
            with self._path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    value = self._value(number, line)
                    if value:
                        yield value
        except OSError as error:
            raise UnreachableError(
                tr("the file {file} can't be read: {reason}", file=self, reason=reason(error))
            ) from None

    def _value(self, number: int, line: bytes) -> str | None:
        """The value in a line, None if there is none."""
        try:
            value = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            reason = value_fault(value) if value.strip() else None
        except UnicodeDecodeError:
            value, reason = "", tr("it is not UTF-8 text")
        if reason is None:
            return value if value.strip() else None
        self.fault = self.fault or InvalidResponseError(
            tr("line {number} of {file}: {reason}", number=number, file=self, reason=reason)
        )
        return None
