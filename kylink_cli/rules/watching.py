"""What a watcher sees of many campaigns: which of them, in which order, from which on; and what keys change of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from kylink_cli.rules.replenishment import Need, runway_minutes
from kylink_cli.rules.text import natural
from kylink_cli.rules.vocabulary import Sorting

HOURS: Final = 24
_SORTINGS: Final = tuple(Sorting)


@dataclass(frozen=True, slots=True)
class Selection:
    """What a watcher wants to see.

    Attributes:
        sorting: what is shown first: the shortest runway, the emptiest stock, or the first name.
        text: only campaigns whose id, name or user contains it, whatever the case.
        low: only those below their watermark.
        first: how many of them are scrolled past.
    """

    sorting: Sorting = Sorting.RUNWAY
    text: str = ""
    low: bool = False
    first: int = 0


def chosen(needs: Sequence[Need], selection: Selection) -> list[Need]:
    """The campaigns that were selected, in their order; those of equal rank by id."""
    text = selection.text.casefold()
    wanted = [need for need in needs if (need.low or not selection.low) and _matches(need, text)]
    return sorted(wanted, key=lambda need: (*_rank(need, selection.sorting), natural(need.level.campaign_id)))


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
    if sorting == "name":
        return False, need.level.name.casefold(), 0
    if sorting == Sorting.AVAILABLE:
        return not need.level.active, need.level.available, length
    # What is low without any consumption has no runway, and is still what a person should see first.
    return not need.level.active, 0 if need.low and need.level.available == 0 else length, need.level.available


@dataclass(frozen=True, slots=True)
class Watcher:
    """A watcher between two keys.

    Attributes:
        selection: which campaigns are shown.
        typing: whether a text to search for is being typed.
        gone: whether the view is to close.
    """

    selection: Selection = field(default_factory=Selection)
    typing: bool = False
    gone: bool = False


def press(watcher: Watcher, key: str, page: int, matching: int) -> Watcher:
    """What a key does.

    Args:
        watcher: before it.
        key: a character, or the name of another key.
        page: how many campaigns are on the screen.
        matching: how many there are to scroll through.
    """
    if watcher.typing:
        return _type(watcher, key)
    if key in {"q", "Q"}:
        return replace(watcher, gone=True)
    if key == "/":
        return replace(watcher, typing=True)
    return replace(watcher, selection=_change(watcher.selection, key, page, matching))


def _change(selection: Selection, key: str, page: int, matching: int) -> Selection:
    if key == "s":
        following = _SORTINGS[(_SORTINGS.index(selection.sorting) + 1) % len(_SORTINGS)]
        return replace(selection, sorting=following, first=0)
    if key == "l":
        return replace(selection, low=not selection.low, first=0)
    if key == "escape":
        return replace(selection, text="", first=0)
    step = {"up": -1, "k": -1, "down": 1, "j": 1, "page up": -page, "page down": page, "home": -matching}.get(key, 0)
    return replace(selection, first=max(0, min(selection.first + step, matching - page)))


def _type(watcher: Watcher, key: str) -> Watcher:
    match key:
        case "enter":
            return replace(watcher, typing=False)
        case "escape":
            return replace(watcher, typing=False, selection=replace(watcher.selection, text="", first=0))
        case "backspace":
            text = watcher.selection.text[:-1]
        case _:
            text = watcher.selection.text + (key if len(key) == 1 and key.isprintable() else "")
    return replace(watcher, selection=replace(watcher.selection, text=text, first=0))
