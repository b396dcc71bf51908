"""A text file as a supplier: `file:/path/to/values` holds one value a line, and each is used once."""

import asyncio
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Protocol

from kylink_cli.language import tr
from kylink_cli.reasons import reason
from kylink_cli.rules.damaged_ids import value_damage
from kylink_cli.rules.text import one_line, value_fault
from kylink_cli.rules.value_lines import is_sheet, value_of
from kylink_cli.supply.base import Order, SuppliedItem, Supply
from kylink_cli.supply.errors import InvalidResponseError, UnreachableError

# So many lines show whether a file is a sheet.
_LOOKED_AT = 50


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


class Forgetful:
    """Hands nothing out and remembers nothing: for a look at a file."""

    def unused(self, _source: str, values: Iterator[str]) -> Iterator[str]:
        """All of a file's values."""
        return values

    def take(self, _source: str, _key: str, _quantity: int, _values: Iterator[str]) -> list[str]:
        """Nothing."""
        return []


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
            InvalidResponseError: it is a sheet.
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
    """The values of a file, one a line; blank lines and comments are none, what can't be a value is passed over."""

    def __init__(self, path: Path) -> None:
        self.fault: InvalidResponseError | None = None
        self._path = path

    def __str__(self) -> str:
        return one_line(str(self._path))

    def __iter__(self) -> Iterator[str]:
        """Read the file from its beginning.

        Raises:
            UnreachableError: it can't be read.
            InvalidResponseError: it is a sheet: which of its cells are values is not known.
        """
        try:
            with self._path.open("rb") as file:
                self._refuse_sheet([line.decode(errors="replace") for line in islice(file, _LOOKED_AT)])
                file.seek(0)
                for number, line in enumerate(file, start=1):
                    # The end of a last line is still to come: whoever appends it has only begun.
                    if line.endswith(b"\n") and (value := self._value(number, line)):
                        yield value
        except OSError as error:
            raise UnreachableError(
                tr("the file {file} can't be read: {reason}", file=self, reason=reason(error))
            ) from None

    def _refuse_sheet(self, lines: list[str]) -> None:
        if is_sheet(lines):
            raise InvalidResponseError(
                tr("{file} is a sheet: one value a line is expected; 'kylink stock import' reads sheets", file=self)
            )

    def _value(self, number: int, line: bytes) -> str | None:
        """The value in a line, None if there is none."""
        try:
            value = value_of(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            reason = None if value is None else value_fault(value) or value_damage(value)
        except UnicodeDecodeError:
            value, reason = None, tr("it is not UTF-8 text")
        except ValueError as error:
            value, reason = None, str(error)
        if reason is None:
            return value
        self.fault = self.fault or InvalidResponseError(
            tr("line {number} of {file}: {reason}", number=number, file=self, reason=reason)
        )
        return None
