"""Tables for people, and the words for moments and durations in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from rich import box
from rich.table import Table
from rich.text import Text

from kylink_cli.console.words import STATES
from kylink_cli.language import marked, tr
from kylink_cli.rules.text import one_line

_UNITS = ((marked("{n} d"), 86_400), (marked("{n} h"), 3_600), (marked("{n} min"), 60))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        title: its heading.
        align: where its cells stand.
        words: whether its cells are states, which are translated and have their colour.
        flexible: whether its cells are cut when the terminal is narrow; of several the widest first.
        wraps: whether its cells go on in the next line when the terminal is narrow.
    """

    title: str
    align: Literal["left", "right"] = "left"
    words: bool = False
    flexible: bool = False
    wraps: bool = False


def build_table(columns: Sequence[Column], rows: Sequence[Sequence[Any]], *, on_terminal: bool) -> Table:
    """A table of clean text; a state has its colour.

    Args:
        columns: the headings.
        rows: the cells; None is shown as a dash.
        on_terminal: whether flexible columns give way to the width, so that the others are whole.
    """
    style = box.SIMPLE_HEAD if on_terminal else None
    table = Table(box=style, padding=(0, 1 if on_terminal else 2, 0, 0), pad_edge=False, show_edge=False)
    for column in columns:
        gives_way = on_terminal and (column.flexible or column.wraps)
        table.add_column(
            Text(tr(column.title), style="bold", no_wrap=True), justify=column.align, no_wrap=not gives_way
        )
    for row in rows:
        table.add_row(*[_cell(value, column) for value, column in zip(row, columns, strict=True)])
    return table


def _cell(value: Any, column: Column) -> Text:
    text = value.copy() if isinstance(value, Text) else _word(value) if column.words else _plain(value)
    text.no_wrap, text.overflow = not column.wraps, "fold" if column.wraps else "ellipsis"
    return text


def _word(value: Any) -> Text:
    return Text(tr(value), style=STATES.get(value, "")) if value else _plain(value)


def _plain(value: Any) -> Text:
    return Text("-" if value is None or value == "" else one_line(str(value)))


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago a moment was, in one unit: `12 s ago`."""
    return tr("never") if moment is None else tr("{span} ago", span=span(now - moment))


def span(length: timedelta) -> str:
    """A length of time in its largest unit: `45 s`, `12 min`, `3 h`, `5 d`."""
    seconds = max(0, int(length.total_seconds()))
    for length_in, size in _UNITS:
        if seconds >= size * 2:
            return tr(length_in, n=seconds // size)
    return tr("{n} s", n=seconds)


def milliseconds(length: int | None) -> str | None:
    """A duration in milliseconds as people read it: `850 ms`, `12.3 s`, `4 min`."""
    if length is None:
        return None
    if length < 1000:
        return tr("{n} ms", n=length)
    if length < 120_000:
        return tr("{n:.1f} s", n=length / 1000)
    return span(timedelta(milliseconds=length))
