"""Tables for people: as rich draws them on a terminal, and as plain lines elsewhere."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from kylink_cli.console.tables import Column
from kylink_cli.console.words import STATES
from kylink_cli.language import tr
from kylink_cli.rules.text import one_line

_GAP = "  "


def build_table(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> Table:
    """A table of clean text; a state has its colour, and flexible columns give way so that the others are whole.

    Args:
        rows: the cells; None is shown as a dash.
    """
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for column in columns:
        gives_way = column.flexible or column.wraps
        table.add_column(
            Text(tr(column.title), style="bold", no_wrap=True), justify=column.align, no_wrap=not gives_way
        )
    for row in rows:
        table.add_row(*[_cell(value, column) for value, column in zip(row, columns, strict=True)])
    return table


def plain_lines(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    """The lines of the same table, whole and without colours, however many there are."""
    texts = [[tr(column.title) for column in columns]]
    texts += [[_cell(value, column).plain for value, column in zip(row, columns, strict=True)] for row in rows]
    widths = [max(map(cell_len, cells)) for cells in zip(*texts, strict=True)]
    for row in texts:
        cells = [_padded(text, width, column) for text, width, column in zip(row, widths, columns, strict=True)]
        yield _GAP.join(cells).rstrip()


def _padded(text: str, width: int, column: Column) -> str:
    blanks = " " * (width - cell_len(text))
    return blanks + text if column.align == "right" else text + blanks


def _cell(value: Any, column: Column) -> Text:
    text = value.copy() if isinstance(value, Text) else _word(value) if column.words else _plain(value)
    text.no_wrap, text.overflow = not column.wraps, "fold" if column.wraps else "ellipsis"
    return text


def _word(value: Any) -> Text:
    return Text(tr(value), style=STATES.get(value, "")) if value else _plain(value)


def _plain(value: Any) -> Text:
    return Text("-" if value is None or value == "" else one_line(str(value)))
