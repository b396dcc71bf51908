"""The section on the supply service: requests, failures, latency."""

from collections.abc import Sequence
from datetime import UTC, datetime

from kylink_cli.language import tr
from kylink_cli.report.parts import Band, Cell, Chart, Color, ReportColumn, Section, Series, Table
from kylink_cli.report.timeline import Timeline
from kylink_cli.rules import counted
from kylink_cli.rules.figures import History, Percentiles, Reason, RequestsOfHour
from kylink_cli.rules.moments import milliseconds
from kylink_cli.rules.text import ERROR_LENGTH, one_line
from kylink_cli.rules.vocabulary import RequestState

_STATE_COLORS: dict[str, Color] = {
    RequestState.ANSWERED: "blue",
    RequestState.REFUSED: "vermillion",
    RequestState.IN_DOUBT: "purple",
    RequestState.CANCELLED: "grey",
}


def section(history: History, timeline: Timeline) -> Section:
    """The section on the supply service: how fast it answers, and why campaigns could not be filled."""
    return Section("supply", tr("Supply service"), [_latency(history, timeline)], [_reasons(history.reasons)])


def answer_rate(requests: Sequence[RequestsOfHour]) -> float | None:
    """The share of the requests that were answered; None of none."""
    total = _number(requests)
    return _number([one for one in requests if one.state == RequestState.ANSWERED]) / total if total else None


def _number(requests: Sequence[RequestsOfHour]) -> int:
    return sum(one.durations.number for one in requests)


def results(requests: Sequence[RequestsOfHour], timeline: Timeline, bands: Sequence[Band]) -> Chart:
    """The chart of supply requests by result."""
    seen = [state for state in _STATE_COLORS if any(one.state == state for one in requests)] or [RequestState.ANSWERED]
    answered = _number([one for one in requests if one.state == RequestState.ANSWERED])
    return Chart(
        key="requests",
        title=tr("Supply requests by result"),
        summary=tr(
            "{requests}, of which {failed:,} not answered.",
            requests=counted.supply_requests(_number(requests)),
            failed=_number(requests) - answered,
        ),
        x=timeline.axis,
        y_title=tr("supply requests (number)"),
        series=[
            Series(
                tr(state),
                _STATE_COLORS[state],
                timeline.totals((one for one in requests if one.state == state), lambda one: one.durations.number),
            )
            for state in seen
        ],
        stacked=True,
        bands=bands,
    )


def _latency(history: History, timeline: Timeline) -> Chart:
    moments = [datetime.fromtimestamp(start, UTC) for start in timeline.starts]
    steps = [history.answers_by_step.get(moment) for moment in moments]
    return Chart(
        key="latency",
        title=tr("Time to an answer"),
        summary=_latency_summary(history.answers),
        x=timeline.axis,
        y_title=tr("time (seconds, log)"),
        series=[
            Series(
                tr("half within"), "blue", [None if step is None else _seconds(step.half) for step in steps], "line"
            ),
            Series(
                tr("95 % within"),
                "vermillion",
                [None if step is None else _seconds(step.most) for step in steps],
                "line",
                dash=6,
            ),
        ],
        log=True,
    )


def _latency_summary(answers: Percentiles | None) -> str:
    if answers is None:
        return tr("No supply request was answered.")
    return tr(
        "Half of the answers came within {half}, 95 % within {most}, repeated tries included.",
        half=milliseconds(round(answers.half)),
        most=milliseconds(round(answers.most)),
    )


def _seconds(length_ms: float) -> float:
    return round(length_ms / 1000, 4)


def _reasons(reasons: Sequence[Reason]) -> Table:
    columns = [
        ReportColumn(tr("Why campaigns were not filled")),
        ReportColumn(tr("Campaigns"), "number"),
        ReportColumn(tr("Times"), "number"),
    ]
    rows: list[list[Cell]] = [[one_line(one.error, ERROR_LENGTH), one.campaigns, one.times] for one in reasons]
    return Table("reasons", tr("Reasons of failures"), columns, rows)
