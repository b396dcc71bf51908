"""The section on jobs: what ran, how it ended, and how long it took."""

from collections import Counter
from collections.abc import Iterable, Sequence

from kylink_cli.language import tr
from kylink_cli.report.parts import Cell, Chart, Color, ReportColumn, Section, Series, Strip, Table
from kylink_cli.report.timeline import Timeline
from kylink_cli.rules import counted
from kylink_cli.rules.figures import History, RunFacts, RunsOfHour
from kylink_cli.rules.histograms import RUN_BOUNDS, Histogram
from kylink_cli.rules.moments import milliseconds
from kylink_cli.rules.success import Success, percent
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import RunStatus
from kylink_cli.scheduling.jobs import JOBS

_STATUS_COLORS: dict[str, Color] = {
    RunStatus.SUCCEEDED: "green",
    RunStatus.PARTIAL: "orange",
    RunStatus.FAILED: "vermillion",
    RunStatus.CRASHED: "purple",
    RunStatus.INTERRUPTED: "grey",
    RunStatus.RUNNING: "sky",
}
_DRAWN_RUNS = 72
_JOB_COLORS: tuple[Color, ...] = ("blue", "orange", "green")


def section(runs: Sequence[RunsOfHour], history: History, timeline: Timeline) -> Section:
    """The section on jobs."""
    charts = [_results(runs, timeline), _durations(runs, timeline)]
    strips = [_strip(job.name, [run for run in history.last_runs if run.job == job.name]) for job in JOBS]
    return Section("jobs", tr("Jobs"), charts, [_jobs(runs, history), _last(history.last_runs)], strips=strips)


def _strip(job: str, runs: Sequence[RunFacts]) -> Strip:
    """The last runs of a job; of these only the last are drawn."""
    drawn = list(reversed(runs[:_DRAWN_RUNS]))
    marks = [(run.status, f"{run.run_id}, {run.started_at:%Y-%m-%d %H:%M}: {tr(run.status)}") for run in drawn]
    numbers = Counter(run.status for run in drawn)
    parts = [f"{tr(status)} {numbers[status]}" for status in _STATUS_COLORS if numbers[status]]
    return Strip(job, ", ".join(parts) or tr("no run"), marks)


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


def _jobs(runs: Sequence[RunsOfHour], history: History) -> Table:
    columns = [
        ReportColumn(tr("Job")),
        ReportColumn(tr("Runs"), "number"),
        ReportColumn(tr("Done"), "number"),
        ReportColumn(tr("Of")),
        ReportColumn(tr("Mean"), "number"),
        ReportColumn(tr("Half within"), "number"),
        ReportColumn(tr("95 % within"), "number"),
    ]
    rows = [_job_row(job.name, [one for one in runs if one.job == job.name], history) for job in JOBS]
    note = tr(
        "Replenishing has done its work where a campaign that needed items was filled by the last run that tried."
    )
    return Table("job-figures", tr("Jobs in the period"), columns, rows, note)


def _job_row(job: str, runs: Sequence[RunsOfHour], history: History) -> list[Cell]:
    mean, success, took = _total(runs).mean, history.success.get(job), history.took.get(job)
    share = None if success is None else success.share
    return [
        job,
        sum(one.number for one in runs),
        None if share is None else (share, percent(share, 1)),
        None if success is None else success_of(success),
        _length(None if mean is None else round(mean * 1000)),
        _length(None if took is None else round(took.half)),
        _length(None if took is None else round(took.most)),
    ]


def success_of(success: Success) -> str:
    """What was counted: `57 of 60 campaigns`."""
    of = counted.campaigns(success.of) if success.counted == "campaigns" else counted.runs(success.of)
    return tr("{done:,} of {of}", done=success.done, of=of)


def _last(runs: Sequence[RunFacts]) -> Table:
    columns = [
        ReportColumn(tr("Run"), "id"),
        ReportColumn(tr("Job"), filter=True),
        ReportColumn(tr("State"), "state", filter=True),
        ReportColumn(tr("Started (UTC)")),
        ReportColumn(tr("Took"), "number"),
        ReportColumn(tr("Started by"), "state"),
        ReportColumn(tr("Host")),
    ]
    return Table("last-runs", tr("Last runs"), columns, [_run_row(one) for one in runs])


def _run_row(run: RunFacts) -> list[Cell]:
    return [
        str(run.run_id),
        run.job,
        run.status,
        f"{run.started_at:%Y-%m-%d %H:%M:%S}",
        _length(run.duration_ms),
        run.trigger,
        one_line(run.host),
    ]


def _length(length_ms: int | None) -> Cell:
    return None if length_ms is None else (length_ms, milliseconds(length_ms) or "")
