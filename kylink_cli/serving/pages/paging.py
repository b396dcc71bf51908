"""A list that is shown a page at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Query

from kylink_cli.language import tr

SIZE: Final = 50

# Which page is asked for, counted from 1.
Number = Annotated[int, Query(ge=1, le=1_000_000)]


def before(number: int) -> int:
    """How many rows come before a page."""
    return (number - 1) * SIZE


@dataclass(frozen=True, slots=True)
class Pager:
    """Where one is in a list, and where one can go.

    Attributes:
        path: of the list.
        number: of this page, from 1.
        total: rows of all pages.
        wanted: what else the address says, by which the list is filtered.
    """

    path: str
    number: int
    total: int
    wanted: Mapping[str, str]

    @property
    def place(self) -> str:
        """Which rows these are; empty without any."""
        first, last = before(self.number) + 1, min(self.number * SIZE, self.total)
        if first > last:
            return ""
        return tr(
            "{from} to {to} of {number}", **{"from": f"{first:,}", "to": f"{last:,}", "number": f"{self.total:,}"}
        )

    @property
    def previous(self) -> str | None:
        """The address of the page before; of the last one, for who is beyond the end."""
        return None if self.number == 1 else self._address(min(self.number - 1, max(1, -(-self.total // SIZE))))

    @property
    def next(self) -> str | None:
        """The address of the next page."""
        return self._address(self.number + 1) if self.number * SIZE < self.total else None

    def _address(self, number: int) -> str:
        return f"{self.path}?{urlencode({**self.wanted, 'page': number})}"
