"""What the page is made of: sections of tiles, charts, tables and a heat map."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

# Okabe and Ito's colours, which people with any kind of colour vision can tell apart; `ink` is that of the text.
Color = Literal["blue", "sky", "green", "orange", "vermillion", "purple", "grey", "ink"]
Verdict = Literal["good", "warning", "bad", "plain"]
# A number or a text; a pair of what is sorted by and what is shown; or the three numbers of a stock.
Cell = str | float | None | tuple[float | None, str] | tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Tile:
    """A headline figure.

    Attributes:
        label: what it is.
        value: the figure, with its unit.
        note: what belongs to it.
        verdict: whether that is good.
    """

    label: str
    value: str
    note: str = ""
    verdict: Verdict = "plain"


@dataclass(frozen=True, slots=True)
class Axis:
    """The horizontal axis of a chart.

    Attributes:
        title: what it shows, with its unit.
        kind: moments, a rank that starts at 1, or categories.
        values: where the points are: seconds since 1970, ranks, or indices of the names.
        names: what the points are called; those of ranks stand in the table.
    """

    title: str
    kind: Literal["time", "rank", "category"]
    values: Sequence[float]
    names: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """One row of figures in a chart.

    Attributes:
        label: what it shows.
        color: how it is told from others; lines differ in their dashes too.
        values: one for each point of the axis; None where there is nothing.
        shape: bars, a line, or steps.
        dash: the length of a line's dashes, pixels; 0 for a whole line.
    """

    label: str
    color: Color
    values: Sequence[float | None]
    shape: Literal["bar", "line", "step"] = "bar"
    dash: int = 0


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, and the same in words.

    Attributes:
        key: its name in the page.
        title: what it shows.
        summary: what there is to see, for those who can't.
        x: the horizontal axis.
        y_title: what the vertical axis shows, with its unit.
        series: what is drawn.
        stacked: whether the series are put upon each other.
        log: whether the vertical axis is logarithmic.
        table: the table that holds the same figures; None if they are to be listed below the chart.
    """

    key: str
    title: str
    summary: str
    x: Axis
    y_title: str
    series: Sequence[Series]
    stacked: bool = False
    log: bool = False
    table: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        heading: what it shows.
        kind: how its cells are shown; `state` cells are words that are translated.
    """

    heading: str
    kind: Literal["text", "number", "state", "stock"] = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """A table that can be sorted and searched.

    Attributes:
        key: its name in the page.
        title: what it shows.
        columns: its columns.
        rows: its cells.
        note: what is to be said of it.
    """

    key: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Numbers in a grid, the higher the darker.

    Attributes:
        title: what it shows, with its unit.
        corner: what the rows are.
        columns: the headings.
        rows: the name of each row, and its numbers with their levels, 0 to 5.
    """

    title: str
    corner: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[tuple[str, int]]]]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page.

    Attributes:
        key: its name in the page.
        title: its heading.
        charts: its charts.
        tables: its tables.
        heat: its heat map, if it has one.
    """

    key: str
    title: str
    charts: Sequence[Chart]
    tables: Sequence[Table] = ()
    heat: HeatMap | None = None
