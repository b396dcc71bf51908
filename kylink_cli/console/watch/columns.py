"""How the columns of a live table share the width that there is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len

GAP = 2


@dataclass(frozen=True, slots=True)
class LiveColumn:
    """A column, and the room that it needs.

    Attributes:
        title: its heading, translated.
        least: what it needs at least, cells.
        most: what it can make use of, cells.
        align: where its cells stand.
        spare: of those above 0, the highest is left out first where there is no room for all.
    """

    title: str
    least: int
    most: int = 0
    align: Literal["left", "right"] = "left"
    spare: int = 0


def widths(columns: Sequence[LiveColumn], room: int) -> list[int]:
    """The width of each column, cells; 0 of one that is left out.

    What is over goes to the columns that can use it, evenly.
    """
    found = [max(column.least, cell_len(column.title)) if column.least else 0 for column in columns]
    while _taken(found) > room:
        spare, at = max(
            (column.spare if width else 0, at) for at, (column, width) in enumerate(zip(columns, found, strict=True))
        )
        if spare == 0:
            break
        found[at] = 0
    growing = [at for at, column in enumerate(columns) if found[at] and found[at] < column.most]
    over = room - _taken(found)
    while over > 0 and growing:
        for at in growing[:over]:
            found[at] += 1
        over = room - _taken(found)
        growing = [at for at in growing if found[at] < columns[at].most]
    return found


def _taken(found: Sequence[int]) -> int:
    return sum(width + GAP for width in found if width) - GAP
