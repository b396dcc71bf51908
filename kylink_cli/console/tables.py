"""What tables for people consist of: columns, and the words for moments and durations."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kylink_cli.language import tr
from kylink_cli.rules.moments import milliseconds as milliseconds  # noqa: PLC0414  (tables show them)
from kylink_cli.rules.moments import span as span  # noqa: PLC0414


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Where a terminal is too narrow, cells that are `flexible` are cut, and those that `wraps` are wrapped. Where that is
    not enough, columns are left out. What people copy (ids, tokens, keys) is never cut: where it does not fit, the line
    is longer than the terminal.
    """

    title: str
    align: Literal["left", "right"] = "left"
    words: bool = False  # cells are states, which are translated and have their colour
    flexible: bool = False  # cells are cut when the terminal is narrow; of several the widest first
    wraps: bool = False  # cells go on in the next line when the terminal is narrow
    spare: int = 0  # of those above 0, the highest is left out first


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago a moment was, in one unit: `12 s ago`."""
    return tr("never") if moment is None else tr("{span} ago", span=span(now - moment))
