"""What a watcher's keys do: each changes what he wishes to see."""

from dataclasses import dataclass, field, replace

from kylink_cli.rules.watching import SORTINGS, Wish


@dataclass(frozen=True, slots=True)
class Watcher:
    """A watcher between two keys.

    Attributes:
        wish: which campaigns he wants to see.
        typing: whether he is typing the text that he looks for.
        gone: whether he has had enough.
    """

    wish: Wish = field(default_factory=Wish)
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
    return replace(watcher, wish=_change(watcher.wish, key, page, matching))


def _change(wish: Wish, key: str, page: int, matching: int) -> Wish:
    if key == "s":
        following = SORTINGS[(SORTINGS.index(wish.sorting) + 1) % len(SORTINGS)]
        return replace(wish, sorting=following, first=0)
    if key == "l":
        return replace(wish, low=not wish.low, first=0)
    if key == "escape":
        return replace(wish, text="", first=0)
    step = {"up": -1, "k": -1, "down": 1, "j": 1, "page up": -page, "page down": page, "home": -matching}.get(key, 0)
    return replace(wish, first=max(0, min(wish.first + step, matching - page)))


def _type(watcher: Watcher, key: str) -> Watcher:
    match key:
        case "enter":
            return replace(watcher, typing=False)
        case "escape":
            return replace(watcher, typing=False, wish=replace(watcher.wish, text="", first=0))
        case "backspace":
            text = watcher.wish.text[:-1]
        case _:
            text = watcher.wish.text + (key if len(key) == 1 and key.isprintable() else "")
    return replace(watcher, wish=replace(watcher.wish, text=text, first=0))
