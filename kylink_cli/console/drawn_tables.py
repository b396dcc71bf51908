"""Tables for people, as rich draws them."""

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from kylink_cli.console.tables import Column
from kylink_cli.console.words import STATES
from kylink_cli.language import tr
from kylink_cli.rules.text import one_line


def build_table(columns: Sequence[Column], rows: Sequence[Sequence[Any]], *, on_terminal: bool) -> Table:
    """A table of clean text; a state has its colour.

    Args:
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
