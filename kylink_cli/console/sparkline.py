"""Numbers as small pictures of one line: the course of some, and one between two marks."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters that pictures are made of."""

    levels: str  # from nothing to most
    full: str
    empty: str
    mark: str  # within a bar


BLOCKS = Glyphs(levels=" ▁▂▃▄▅▆▇█", full="█", empty="·", mark="│")
# For terminals that are known to draw nothing else.
ASCII = Glyphs(levels=" .:-=+*%#", full="#", empty=".", mark="|")
_PLAIN_TERMINALS = ("linux", "vt", "ansi", "cons")


def glyphs_for(terminal: str) -> Glyphs:
    """The characters that a terminal can draw.

    Args:
        terminal: its kind, as `$TERM` says.
    """
    return ASCII if terminal.startswith(_PLAIN_TERMINALS) else BLOCKS


def sparkline(numbers: Sequence[float], glyphs: Glyphs = BLOCKS) -> str:
    """The course of numbers, a character each; the largest is as high as a line, and only zero is nothing.

    Args:
        numbers: none below zero.
    """
    highest, most = max(numbers, default=0), len(glyphs.levels) - 1
    if highest <= 0:
        return glyphs.levels[0] * len(numbers)
    return "".join(glyphs.levels[0 if number <= 0 else max(1, round(number / highest * most))] for number in numbers)


def stock_bar(available: int, watermark: int, target: int, width: int, glyphs: Glyphs = BLOCKS) -> Text:
    """Stock between nothing and its target, with a mark at the watermark; red below it.

    Args:
        watermark: the reorder point, items.
        target: the order-up-to level, items; more than that fills the bar.
    """
    filled = min(width, -(-available * width // target))
    mark = min(width - 1, watermark * width // target)
    style = "red" if available < watermark else "green"
    bar = Text(glyphs.full * filled, style=style) + Text(glyphs.empty * (width - filled), style="dim")
    return bar[:mark] + Text(glyphs.mark, style="bold") + bar[mark + 1 :]
