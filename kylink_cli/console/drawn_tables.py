"""Tables for people: as rich draws them on a terminal, fitted by what `Column` says, and as plain lines elsewhere."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from kylink_cli.console.tables import Column
from kylink_cli.console.words import STATES
from kylink_cli.language import tr
from kylink_cli.rules.text import isolated, one_line

_GAP = 2
# To how much the cells of a column may be cut or wrapped, before a column is left out.
_LEAST_CUT = 8
_LEAST_WRAPPED = 24


def fitted_table(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> Table:
    """A table of clean text that gives way to the width of a terminal; a state has its colour, None is a dash."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(_heading(column), justify=column.align, no_wrap=not (column.flexible or column.wraps))
    for row in rows:
        table.add_row(*[_isolated(_cell(value, column)) for value, column in zip(row, columns, strict=True)])
    return table


def plain_lines(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    """The lines of the same table, whole and without colours, however many there are."""
    texts = [[tr(column.title) for column in columns]]
    texts += [[_cell(value, column).plain for value, column in zip(row, columns, strict=True)] for row in rows]
    widths = [max(map(cell_len, cells)) for cells in zip(*texts, strict=True)]
    for row in texts:
        cells = [_padded(text, width, column) for text, width, column in zip(row, widths, columns, strict=True)]
        yield (" " * _GAP).join(cells).rstrip()


def _padded(text: str, width: int, column: Column) -> str:
    blanks = " " * (width - cell_len(text))
    return blanks + text if column.align == "right" else text + blanks


def kept_columns(columns: Sequence[Column], rows: Sequence[Sequence[Any]], width: int) -> tuple[list[int], bool]:
    """The columns that a terminal has room for.

    Args:
        width: of the terminal, cells.

    Returns:
        Their numbers, and whether they fit: what people copy is kept even if it does not.
    """
    least = [_least(column, [_cell(row[at], column) for row in rows]) for at, column in enumerate(columns)]
    kept = list(range(len(columns)))
    while sum(least[at] + _GAP for at in kept) - _GAP > width:
        spare, at = max((columns[at].spare, at) for at in kept)
        if spare == 0:
            return kept, False
        kept.remove(at)
    return kept, True


def _heading(column: Column) -> Text:
    return Text(tr(column.title), style="bold", no_wrap=True)


def _least(column: Column, cells: Sequence[Text]) -> int:
    """How much of the width a column needs at least."""
    whole = max([_heading(column).cell_len, *[cell.cell_len for cell in cells]])
    if column.flexible:
        return min(whole, max(_LEAST_CUT, _heading(column).cell_len))
    return min(whole, _LEAST_WRAPPED) if column.wraps else whole


def _cell(value: Any, column: Column) -> Text:
    text = value.copy() if isinstance(value, Text) else _word(value) if column.words else _plain(value)
    text.no_wrap, text.overflow = not column.wraps, "fold" if column.wraps else "ellipsis"
    return text


def _word(value: Any) -> Text:
    return Text(tr(value), style=STATES.get(value, "")) if value else Text("-")


def _plain(value: Any) -> Text:
    return Text("-" if value is None or value == "" else one_line(str(value)))


def _isolated(cell: Text) -> Text:
    """A cell whose text does not turn its line round."""
    cell.plain = isolated(cell.plain)
    return cell
