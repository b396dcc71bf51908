"""Time in statements: hours to count by, and lengths to compare; each database says it in its own words."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Float, Integer, case, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from kylink_cli.rules.histograms import Histogram

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class hour_of(FunctionElement[int]):  # noqa: N801  (it reads as a function in a statement)
    """The hour of a moment: how many have passed since 1970."""

    type = Integer()
    inherit_cache = True


class minute_of(FunctionElement[int]):  # noqa: N801  (it reads as a function in a statement)
    """The minute of a moment: how many have passed since 1970."""

    type = Integer()
    inherit_cache = True


class seconds_between(FunctionElement[float]):  # noqa: N801  (it reads as a function in a statement)
    """How long it is from one moment to a later one, seconds."""

    type = Float()
    inherit_cache = True


@compiles(hour_of, "sqlite")
def _hour_on_sqlite(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    return _spans_on_sqlite(compiler.process(element.clauses, **options), 3600)


@compiles(minute_of, "sqlite")
def _minute_on_sqlite(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    return _spans_on_sqlite(compiler.process(element.clauses, **options), 60)


@compiles(hour_of, "postgresql")
def _hour_on_postgresql(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    return _spans_on_postgresql(compiler.process(element.clauses, **options), 3600)


@compiles(minute_of, "postgresql")
def _minute_on_postgresql(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    return _spans_on_postgresql(compiler.process(element.clauses, **options), 60)


def _spans_on_sqlite(moment: str, seconds: int) -> str:
    # SQLite rounds: the last microseconds of an hour would count as the next one's.
    return f"(CAST(strftime('%s', substr({moment}, 1, 19)) AS INTEGER) / {seconds})"


def _spans_on_postgresql(moment: str, seconds: int) -> str:
    return f"CAST(floor(extract(epoch FROM {moment}) / {seconds}) AS INTEGER)"


@compiles(seconds_between, "sqlite")
def _seconds_on_sqlite(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    began, ended = (compiler.process(moment, **options) for moment in element.clauses)
    return f"((julianday({ended}) - julianday({began})) * 86400.0)"


@compiles(seconds_between, "postgresql")
def _seconds_on_postgresql(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    began, ended = (compiler.process(moment, **options) for moment in element.clauses)
    return f"CAST(extract(epoch FROM {ended} - {began}) AS DOUBLE PRECISION)"


def start_of(hour: int) -> datetime:
    """When an hour that `hour_of` has named began."""
    return _EPOCH + timedelta(hours=hour)


def counted(seconds: ColumnElement[Any], bounds: Sequence[float]) -> list[ColumnElement[Any]]:
    """The columns that `histogram` reads; unknown lengths are not counted.

    Args:
        seconds: a length, seconds.
        bounds: upper bounds, seconds.
    """
    within = [func.coalesce(func.sum(case((seconds <= bound, 1), else_=0)), 0) for bound in bounds]
    return [*within, func.count(seconds), func.coalesce(func.sum(seconds), 0.0)]


def histogram(columns: Sequence[Any], bounds: tuple[float, ...]) -> Histogram:
    """Read the columns of `counted`."""
    *within, number, seconds = columns
    return Histogram(bounds, tuple(map(int, within)), int(number), float(seconds))
