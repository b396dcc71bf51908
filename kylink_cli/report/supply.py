"""The section on the supply service: requests, failures, latency."""

from collections.abc import Sequence

from kylink_cli.language import tr
from kylink_cli.report.parts import Chart, Color, Section, Series
from kylink_cli.report.timeline import Timeline
from kylink_cli.rules import counted
from kylink_cli.rules.figures import RequestsOfHour
from kylink_cli.rules.histograms import CALL_BOUNDS, Histogram
from kylink_cli.rules.moments import milliseconds
from kylink_cli.rules.vocabulary import RequestState

_STATE_COLORS: dict[str, Color] = {
    RequestState.ANSWERED: "blue",
    RequestState.REFUSED: "vermillion",
    RequestState.IN_DOUBT: "purple",
    RequestState.CANCELLED: "grey",
}


def section(requests: Sequence[RequestsOfHour], timeline: Timeline) -> Section:
    """The section on the supply service.

    Args:
        requests: the supply requests of the period.
    """
    return Section("supply", tr("Supply service"), [_results(requests, timeline), _latency(requests, timeline)])


def answer_rate(requests: Sequence[RequestsOfHour]) -> float | None:
    """The share of the requests that were answered; None of none."""
    total = _number(requests)
    return _number([one for one in requests if one.state == RequestState.ANSWERED]) / total if total else None


def _number(requests: Sequence[RequestsOfHour]) -> int:
    return sum(one.durations.number for one in requests)


def _results(requests: Sequence[RequestsOfHour], timeline: Timeline) -> Chart:
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
    )


def _latency(requests: Sequence[RequestsOfHour], timeline: Timeline) -> Chart:
    answered = [one for one in requests if one.state == RequestState.ANSWERED]
    steps = [_durations(group) for group in timeline.grouped(answered)]
    return Chart(
        key="latency",
        title=tr("Time to an answer"),
        summary=_latency_summary(_durations(answered)),
        x=timeline.axis,
        y_title=tr("time (seconds, log)"),
        series=[
            Series(tr("half within"), "blue", [_rounded(step.quantile(0.5)) for step in steps], "line"),
            Series(tr("95 % within"), "vermillion", [_rounded(step.quantile(0.95)) for step in steps], "line", dash=6),
        ],
        log=True,
    )


def _latency_summary(durations: Histogram) -> str:
    half, most = durations.quantile(0.5), durations.quantile(0.95)
    if half is None or most is None:
        return tr("No supply request was answered.")
    return tr(
        "Half of the answers came within {half}, 95 % within {most}: an estimate that includes repeated tries.",
        half=milliseconds(round(half * 1000)),
        most=milliseconds(round(most * 1000)),
    )


def _durations(requests: Sequence[RequestsOfHour]) -> Histogram:
    return Histogram.total(CALL_BOUNDS, (one.durations for one in requests))


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)
