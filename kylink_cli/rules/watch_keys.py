"""What a watcher's keys do: each changes the view."""

from dataclasses import dataclass, field, replace

from kylink_cli.rules.vocabulary import Sorting
from kylink_cli.rules.watching import Selection

_SORTINGS = tuple(Sorting)


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
