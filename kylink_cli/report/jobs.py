"""The section on jobs: what ran, how it ended, and how long it took."""

from collections.abc import Iterable, Sequence

from kylink_cli.language import tr
from kylink_cli.report.parts import Cell, Chart, Color, ReportColumn, Section, Series, Table
from kylink_cli.report.timeline import Timeline
from kylink_cli.rules import counted
from kylink_cli.rules.figures import RunFacts, RunsOfHour
from kylink_cli.rules.histograms import RUN_BOUNDS, Histogram
from kylink_cli.rules.moments import milliseconds
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import SUCCESSES, RunStatus
from kylink_cli.scheduling.jobs import JOBS

_STATUS_COLORS: dict[str, Color] = {
    RunStatus.SUCCEEDED: "green",
    RunStatus.PARTIAL: "orange",
    RunStatus.FAILED: "vermillion",
    RunStatus.CRASHED: "purple",
    RunStatus.INTERRUPTED: "grey",
    RunStatus.RUNNING: "sky",
}
_JOB_COLORS: tuple[Color, ...] = ("blue", "orange", "green")


def section(runs: Sequence[RunsOfHour], last_runs: Sequence[RunFacts], timeline: Timeline) -> Section:
    """The section on jobs.

    Args:
        last_runs: the last of them, newest first.
    """
    charts = [_results(runs, timeline), _durations(runs, timeline)]
    return Section("jobs", tr("Jobs"), charts, [_jobs(runs), _last(last_runs)])


def success_rate(runs: Iterable[RunsOfHour]) -> float | None:
    """The share of the runs with an end that did their work; None of none."""
    ended = [(one.status in SUCCESSES, one.number) for one in runs if one.status != RunStatus.RUNNING]
    total = sum(number for _, number in ended)
    return sum(number for ok, number in ended if ok) / total if total else None


def _results(runs: Sequence[RunsOfHour], timeline: Timeline) -> Chart:
    seen = [status for status in _STATUS_COLORS if any(one.status == status for one in runs)] or [RunStatus.SUCCEEDED]
    total = sum(one.number for one in runs)
    failed = sum(one.number for one in runs if one.status in {RunStatus.FAILED, RunStatus.CRASHED})
    return Chart(
        key="results",
        title=tr("Runs by result"),
        summary=tr("{runs}, of which {failed:,} failed or crashed.", runs=counted.runs(total), failed=failed),
        x=timeline.axis,
        y_title=tr("runs (number)"),
        series=[
            Series(
                tr(status),
                _STATUS_COLORS[status],
                timeline.totals((one for one in runs if one.status == status), lambda one: one.number),
            )
            for status in seen
        ],
        stacked=True,
    )


def _durations(runs: Sequence[RunsOfHour], timeline: Timeline) -> Chart:
    return Chart(
        key="durations",
        title=tr("Mean duration of runs"),
        summary="; ".join(_mean_of(job.name, runs) for job in JOBS),
        x=timeline.axis,
        y_title=tr("duration (seconds, log)"),
        series=[
            Series(job.name, color, _means(job.name, runs, timeline), "line", dash=dash)
            for job, color, dash in zip(JOBS, _JOB_COLORS, (0, 6, 2), strict=True)
        ],
        log=True,
    )


def _mean_of(job: str, runs: Sequence[RunsOfHour]) -> str:
    mean = _total(one for one in runs if one.job == job).mean
    if mean is None:
        return tr("{job}: no run", job=job)
    return tr("{job}: {mean} on average", job=job, mean=milliseconds(round(mean * 1000)))


def _means(job: str, runs: Sequence[RunsOfHour], timeline: Timeline) -> list[float | None]:
    means = [_total(group).mean for group in timeline.grouped(one for one in runs if one.job == job)]
    return [None if mean is None else round(mean, 4) for mean in means]


def _total(runs: Iterable[RunsOfHour]) -> Histogram:
    return Histogram.total(RUN_BOUNDS, (one.durations for one in runs))


def _jobs(runs: Sequence[RunsOfHour]) -> Table:
    columns = [
        ReportColumn(tr("Job")),
        ReportColumn(tr("Runs"), "number"),
        ReportColumn(tr("Done"), "number"),
        ReportColumn(tr("Mean"), "number"),
        ReportColumn(tr("Half within"), "number"),
        ReportColumn(tr("95 % within"), "number"),
    ]
    rows = [_job_row(job.name, [one for one in runs if one.job == job.name]) for job in JOBS]
    note = tr("How long half and 95 % of the runs took at most is an estimate.")
    return Table("job-figures", tr("Jobs in the period"), columns, rows, note)


def _job_row(job: str, runs: Sequence[RunsOfHour]) -> list[Cell]:
    durations, rate = _total(runs), success_rate(runs)
    lengths = (durations.mean, durations.quantile(0.5), durations.quantile(0.95))
    return [
        job,
        sum(one.number for one in runs),
        None if rate is None else (rate, f"{rate:.1%}"),
        *[_length(None if seconds is None else round(seconds * 1000)) for seconds in lengths],
    ]


def _last(runs: Sequence[RunFacts]) -> Table:
    columns = [
        ReportColumn(tr("Run"), "number"),
        ReportColumn(tr("Job")),
        ReportColumn(tr("State"), "state"),
        ReportColumn(tr("Started (UTC)")),
        ReportColumn(tr("Took"), "number"),
        ReportColumn(tr("Started by"), "state"),
        ReportColumn(tr("Host")),
    ]
    return Table("last-runs", tr("Last runs"), columns, [_run_row(one) for one in runs])


def _run_row(run: RunFacts) -> list[Cell]:
    return [
        run.run_id,
        run.job,
        run.status,
        f"{run.started_at:%Y-%m-%d %H:%M:%S}",
        _length(run.duration_ms),
        run.trigger,
        one_line(run.host),
    ]


def _length(length_ms: int | None) -> Cell:
    return None if length_ms is None else (length_ms, milliseconds(length_ms) or "")
