"""The checks on kylink itself, its supply service and its disk: each a condition of its own, all `SYSTEM_HEALTH`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kylink_cli.rules import alert_texts as texts
from kylink_cli.rules.alerts import NewAlert
from kylink_cli.rules.check_facts import CrashedRun, Disk, JobStart, SupplyRate, Thresholds
from kylink_cli.rules.checks import CheckResult, level_above
from kylink_cli.rules.vocabulary import AlertLevel, AlertType

_MIB = 2**20
# From this many crashes on it is no accident.
_MANY_CRASHES = 3
_KEPT_RUNS = 100


@dataclass(frozen=True, slots=True)
class _Words:
    level: AlertLevel
    title: str
    message: str
    details: dict[str, Any]


def check_overdue(start: JobStart, limits: Thresholds, now: datetime) -> CheckResult:
    """Has a job not been started by its timer for longer than its intervals allow?

    Args:
        start: when it was started last.
        limits: the thresholds.
        now: the moment of the check.
    """
    minutes = None if start.started_at is None else (now - start.started_at).total_seconds() / 60
    if minutes is None or minutes <= limits.overdue_intervals * start.interval_minutes:
        value = None if minutes is None else int(minutes)
        return _result(f"job_overdue:{start.job}", value, texts.job_in_time(start.job))
    title = texts.job_overdue(start.job, int(minutes), start.interval_minutes)
    details = {"job": start.job, "minutes": int(minutes), "intervalMinutes": start.interval_minutes}
    message = f"{title}\n{texts.job_overdue_advice()}"
    return _raised(f"job_overdue:{start.job}", int(minutes), _Words(AlertLevel.ERROR, title, message, details))


def check_crashes(crashed: Sequence[CrashedRun], limits: Thresholds) -> CheckResult:
    """Have runs died without an end?

    Args:
        crashed: those of the last while, newest first.
        limits: the thresholds.
    """
    title = texts.runs_crashed(len(crashed), limits.crash_window_minutes)
    if not crashed:
        return _result("run_crashed", 0, title)
    cases = [texts.crashed_case(run.run_id, run.job, run.host) for run in crashed]
    message = texts.listed(title, cases, texts.crashed_advice(crashed[0].run_id))
    details = {"total": len(crashed), "runs": [{"runId": r.run_id, "job": r.job} for r in crashed[:_KEPT_RUNS]]}
    level = AlertLevel.ERROR if len(crashed) >= _MANY_CRASHES else AlertLevel.WARNING
    return _raised("run_crashed", len(crashed), _Words(level, title, message, details))


def check_supply(rate: SupplyRate, limits: Thresholds) -> CheckResult:
    """Does the supply service answer?

    Args:
        rate: how it answered in the last hour.
        limits: the thresholds.
    """
    asked = rate.answered + rate.failed
    if asked < max(1, limits.smallest_sample):
        return _result("supply_rate", None, texts.no_request())
    percent = 100 * rate.answered / asked
    title = texts.supply_rate(f"{percent:.3g}", rate.answered, asked)
    if percent >= limits.supply_warning_percent:
        return _result("supply_rate", round(percent, 1), title)
    level = AlertLevel.ERROR if percent < limits.supply_error_percent else AlertLevel.WARNING
    details = {"answered": rate.answered, "failed": rate.failed}
    message = f"{title}\n{texts.supply_advice()}"
    return _raised("supply_rate", round(percent, 1), _Words(level, title, message, details))


def check_disk(disk: Disk | None, limits: Thresholds) -> CheckResult:
    """Is the database's disk almost full?

    Args:
        disk: the disk; None if it is another host's.
        limits: the thresholds.
    """
    if disk is None:
        return _result("disk", None, texts.disk_unknown())
    percent = 100 * (disk.total - disk.free) / disk.total
    title = texts.disk_used(f"{percent:.3g}", disk.free // _MIB)
    level = level_above(percent, limits.disk_warning_percent, limits.disk_error_percent)
    if level is None:
        return _result("disk", round(percent, 1), title)
    message = f"{title}\n{texts.disk_advice()}"
    details = {"total": disk.total, "free": disk.free}
    return _raised("disk", round(percent, 1), _Words(level, title, message, details))


def _result(scope: str, value: float | None, detail: str) -> CheckResult:
    return CheckResult(AlertType.SYSTEM_HEALTH, f"{AlertType.SYSTEM_HEALTH}:{scope}", value, detail)


def _raised(scope: str, value: float, words: _Words) -> CheckResult:
    fingerprint = f"{AlertType.SYSTEM_HEALTH}:{scope}"
    alert = NewAlert(AlertType.SYSTEM_HEALTH, words.level, fingerprint, words.title, words.message, words.details)
    return CheckResult(AlertType.SYSTEM_HEALTH, fingerprint, value, words.title, alert)
