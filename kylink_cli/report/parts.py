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
    """A headline figure."""

    label: str
    value: str  # with its unit
    note: str = ""
    verdict: Verdict = "plain"


@dataclass(frozen=True, slots=True)
class Axis:
    """The horizontal axis of a chart."""

    title: str  # with its unit
    kind: Literal["time", "rank", "category"]  # a rank starts at 1
    values: Sequence[float]  # seconds since 1970, ranks, or indices of the names
    names: Sequence[str] = ()  # what the points are called; those of ranks stand in the table


@dataclass(frozen=True, slots=True)
class Series:
    """One row of figures in a chart."""

    label: str
    color: Color  # lines differ in their dashes too
    values: Sequence[float | None]  # one for each point of the axis; None where there is nothing
    shape: Literal["bar", "line", "step"] = "bar"
    dash: int = 0  # pixels; 0 for a whole line


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time that is marked in a chart."""

    label: str
    color: Color
    since: float  # seconds since 1970
    until: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, and the same in words."""

    key: str  # its name in the page
    title: str
    summary: str  # what there is to see, for those who can't
    x: Axis
    y_title: str  # with its unit
    series: Sequence[Series]
    stacked: bool = False
    log: bool = False
    table: str | None = None  # holds the same figures; None if they are to be listed below the chart
    bands: Sequence[Band] = ()


@dataclass(frozen=True, slots=True)
class ReportColumn:
    """A column of a table."""

    heading: str
    # `state` cells are words that are translated; what is in an `id` cell can be copied as it is
    kind: Literal["text", "number", "state", "stock", "id"] = "text"
    filter: bool = False  # one of its values can be chosen


@dataclass(frozen=True, slots=True)
class Table:
    """A table that can be sorted and searched."""

    key: str  # its name in the page
    title: str
    columns: Sequence[ReportColumn]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Numbers in a grid, the higher the darker."""

    title: str  # with its unit
    corner: str  # what the rows are
    columns: Sequence[str]
    # the name of each row, and its numbers with their levels, 0 to 5
    rows: Sequence[tuple[str, Sequence[tuple[str, int]]]]


@dataclass(frozen=True, slots=True)
class Strip:
    """How the last runs of a job ended, one mark each, oldest first."""

    title: str
    summary: str  # the same in words
    marks: Sequence[tuple[str, str]]  # the state, and what is said of it when it is pointed at


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page."""

    key: str  # its name in the page
    title: str
    charts: Sequence[Chart]
    tables: Sequence[Table] = ()
    heat: HeatMap | None = None
    strips: Sequence[Strip] = ()
