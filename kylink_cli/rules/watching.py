"""What a watcher sees of many campaigns: which of them, and in which order."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from kylink_cli.rules.replenishment import Need, runway_minutes
from kylink_cli.rules.text import natural
from kylink_cli.rules.vocabulary import Sorting

HOURS: Final = 24
T = TypeVar("T")
_SORTINGS: Final = tuple(Sorting)


@dataclass(frozen=True, slots=True)
class Selection:
    """What a watcher wants to see.

    Attributes:
        sorting: what is shown first: the shortest runway, the emptiest stock, or the first name.
        text: only campaigns whose id, name or user contains it, whatever the case.
        low: only those below their watermark.
    """

    sorting: Sorting = Sorting.RUNWAY
    text: str = ""
    low: bool = False


def next_sorting(sorting: Sorting) -> Sorting:
    """What is shown first after one more press of the key for that."""
    return _SORTINGS[(_SORTINGS.index(sorting) + 1) % len(_SORTINGS)]


def chosen(rows: Iterable[T], selection: Selection, need_of: Callable[[T], Need]) -> list[T]:
    """The campaigns that were selected, in their order; those of equal rank by id.

    Args:
        rows: campaigns, with whatever is known of them.
        need_of: the need of one of them.
    """
    text = selection.text.casefold()
    wanted = [row for row in rows if (need_of(row).low or not selection.low) and _matches(need_of(row), text)]

    def rank(row: T) -> tuple[bool, float | str, float, tuple[tuple[float, str], ...]]:
        need = need_of(row)
        return (*_rank(need, selection.sorting), natural(need.level.campaign_id))

    return sorted(wanted, key=rank)


def by_hour(consumed: Mapping[datetime, int], now: datetime) -> list[int]:
    """The items consumed in each of the last 24 hours, the hour that is not over last.

    Args:
        consumed: items by the beginning of their hour; one without any may be missing.
        now: the moment of the look.
    """
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    return [consumed.get(this_hour - timedelta(hours=back), 0) for back in reversed(range(HOURS))]


def _matches(need: Need, text: str) -> bool:
    level = need.level
    return any(text in part.casefold() for part in (level.campaign_id, level.name, level.user_id))


def _rank(need: Need, sorting: Sorting) -> tuple[bool, float | str, float]:
    runway = runway_minutes(need)
    length = math.inf if runway is None else runway
    if sorting == Sorting.NAME:
        return False, need.level.name.casefold(), 0
    if sorting == Sorting.AVAILABLE:
        return not need.level.active, need.level.available, length
    return not need.level.active, length, need.level.available
