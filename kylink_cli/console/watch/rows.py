"""A table of any length: only what is to be seen is drawn, and only what has changed is written again."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kylink_cli.console.watch.columns import GAP, LiveColumn, widths

_HEADING = 1
T = TypeVar("T")


class Rows(ScrollView, Generic[T], can_focus=True):
    """Rows with a cursor that stays on its row wherever that moves to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("up,k", "move(-1)", ""),
        ("down,j", "move(1)", ""),
        ("pageup", "page(-1)", ""),
        ("pagedown", "page(1)", ""),
        ("home,g", "move(-1_000_000_000)", ""),
        ("end,G", "move(1_000_000_000)", ""),
        ("enter", "open", ""),
    ]

    class Opened(Message):
        """A row is to be looked at closely."""

        def __init__(self, rows: "Rows[Any]") -> None:
            super().__init__()
            self.rows = rows

        @property
        def control(self) -> "Rows[Any]":
            """The table in which it is, as Textual asks for it."""
            return self.rows

    def __init__(
        self,
        name_of: Callable[[T], Hashable],
        draw: Callable[[T, list[int]], list[Text]],
        id: str,  # noqa: A002
    ) -> None:
        """Show rows.

        Args:
            name_of: what a row is known by, however it changes.
            draw: the cells of a row, given the width of each column.
            id: by which style and code know the table.
        """
        super().__init__(id=id)
        self._name_of = name_of
        self._draw = draw
        self._columns: Sequence[LiveColumn] = ()
        self._rows: Sequence[T] = ()
        self._at = 0
        self._drawn: list[Text] = []

    def show(self, columns: Sequence[LiveColumn], rows: Sequence[T]) -> None:
        """Show these rows from now on; lines that stay the same are not written again."""
        chosen = None if self.chosen is None else self._name_of(self.chosen)
        was_in_sight = 0 <= self._at - self.scroll_offset.y < self._room
        self._columns, self._rows = columns, rows
        found = next((at for at, row in enumerate(rows) if self._name_of(row) == chosen), None)
        self._at = min(self._at, max(0, len(rows) - 1)) if found is None else found
        self.virtual_size = Size(0, len(rows) + _HEADING)
        if was_in_sight:
            self.choose(self._at)
        else:
            self._redraw()

    @property
    def _room(self) -> int:
        return max(1, self.size.height - _HEADING)

    @property
    def chosen(self) -> T | None:
        """The row under the cursor; None without any."""
        return self._rows[self._at] if self._at < len(self._rows) else None

    def choose(self, at: int) -> None:
        """Put the cursor on a row, and that into sight."""
        self._at = max(0, min(at, len(self._rows) - 1))
        top = min(max(self.scroll_offset.y, self._at - self._room + 1), self._at)
        self.scroll_to(y=top, animate=False, immediate=True)
        self._redraw()

    def action_move(self, by: int) -> None:
        """Move the cursor by so many rows."""
        self.choose(self._at + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by so many screens."""
        self.choose(self._at + by * self._room)

    def action_open(self) -> None:
        """Look closely at the row under the cursor."""
        if self.chosen is not None:
            self.post_message(self.Opened(self))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse points; a second click opens."""
        row = event.y - _HEADING + self.scroll_offset.y
        if event.y < _HEADING or row >= len(self._rows):
            return
        if event.chain > 1:
            self.action_open()
        else:
            self.choose(row)

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self.choose(self._at)
        self.refresh()

    def on_focus(self) -> None:
        """Show the cursor."""
        self._redraw()

    def on_blur(self) -> None:
        """Show no cursor where no key arrives."""
        self._redraw()

    def watch_scroll_y(self, old: float, new: float) -> None:
        """Draw what comes into sight."""
        super().watch_scroll_y(old, new)
        self._redraw()

    def render_line(self, y: int) -> Strip:
        """One line of what is to be seen."""
        line = self._line(y)
        return Strip(line.render(self.app.console), self.size.width).adjust_cell_length(self.size.width)

    def _redraw(self) -> None:
        """Write the lines again that are not as they were."""
        lines = [self._line(y) for y in range(self.size.height)]
        for y, line in enumerate(lines):
            if y >= len(self._drawn) or self._drawn[y] != line or self._drawn[y].style != line.style:
                self.refresh(Region(0, y, self.size.width, 1))
        self._drawn = lines

    def _line(self, y: int) -> Text:
        room = widths(self._columns, self.size.width)
        if y < _HEADING:
            return self._joined([Text(column.title) for column in self._columns], room, "bold")
        at = y - _HEADING + self.scroll_offset.y
        if at >= len(self._rows):
            return Text(" " * self.size.width)
        style = "reverse" if at == self._at and self.has_focus else ""
        return self._joined(self._draw(self._rows[at], room), room, style)

    def _joined(self, cells: Sequence[Text], room: Sequence[int], style: str) -> Text:
        line = Text(style=style, no_wrap=True, end="")
        for column, cell, width in zip(self._columns, cells, room, strict=True):
            if width == 0:
                continue
            fitted = cell.copy()
            fitted.truncate(width, overflow="ellipsis")
            fitted.align(column.align, width)
            line.append_text(fitted).append(" " * GAP)
        line.truncate(self.size.width)
        line.pad_right(max(0, self.size.width - line.cell_len))
        return line
