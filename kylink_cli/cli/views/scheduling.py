"""What units, cron's file and timers look like."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from kylink_cli.console import Console
from kylink_cli.console.tables import Column, ago, span
from kylink_cli.language import tr
from kylink_cli.scheduling.changes import Change
from kylink_cli.scheduling.systemd import TimerState

_TIMER_COLUMNS = [
    Column("TIMER"),
    Column("STATE", words=True),
    Column("LAST RUN"),
    Column("RESULT"),
    Column("NEXT", "right"),
    Column("UNITS", words=True),
]


def show_files(console: Console, files: Mapping[Path, str]) -> None:
    """Show files whole."""
    if console.json:
        console.document({"files": [{"path": str(path), "text": text} for path, text in files.items()]})
        return
    for path, text in files.items():
        console.say(f"# {path}\n{text}")


def show_installed(console: Console, changes: Sequence[Change], *, dry_run: bool) -> None:
    """Show which files have changed, or would."""
    if console.json:
        files = [{"path": str(c.path), "change": _kind(c), "diff": c.diff} for c in changes]
        console.document({"changes": files, "dry_run": dry_run})
        return
    if not changes:
        console.say(tr("everything is up to date: nothing was changed"))
    for change in changes:
        console.say(change.diff if dry_run else f"{tr(_kind(change))} {change.path}")


def show_timers(console: Console, timers: Sequence[TimerState], changes: Sequence[Change], now: datetime) -> None:
    """Show how timers are doing, and whether their units are as the settings say."""
    if console.json:
        console.document({"timers": [_document(timer, changes) for timer in timers]})
        return
    console.table(_TIMER_COLUMNS, [_row(timer, changes, now) for timer in timers])
    for change in changes:
        console.say(tr("{path} does not match the settings: 'kylink systemd install' fixes it", path=change.path))


def _kind(change: Change) -> str:
    if change.after is None:
        return "removed"
    return "added" if change.before is None else "changed"


def _row(timer: TimerState, changes: Sequence[Change], now: datetime) -> list[Any]:
    return [
        f"{timer.job.unit}.timer",
        "on" if timer.active else "off",
        ago(timer.last_at, now),
        timer.result if timer.loaded else None,
        None if timer.next_at is None else span(timer.next_at - now),
        "ok" if _matches(timer, changes) else "outdated" if timer.loaded else "missing",
    ]


def _document(timer: TimerState, changes: Sequence[Change]) -> dict[str, Any]:
    return {
        "unit": f"{timer.job.unit}.timer",
        "job": timer.job.name,
        "installed": timer.loaded,
        "active": timer.active,
        "enabled": timer.enabled,
        "last_run_at": timer.last_at,
        "next_run_at": timer.next_at,
        "last_result": timer.result,
        "matches_settings": _matches(timer, changes),
    }


def _matches(timer: TimerState, changes: Sequence[Change]) -> bool:
    """Whether a timer's units, and what they share, are as the settings say."""
    others = {"kylink-replenish", "kylink-recover-leases", "kylink-alert-check", "kylink-bell"} - {timer.job.unit}
    return all(change.path.stem in others for change in changes)
