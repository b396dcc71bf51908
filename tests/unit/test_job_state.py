"""The one word for how a job is."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from kylink_cli.overview.status import JobStatus
from kylink_cli.rules.vocabulary import JobName, JobState, RunStatus, Trigger
from kylink_cli.scheduling.jobs import JOBS
from kylink_cli.store.tables import Run

NOW = datetime(2026, 2, 6, 8, tzinfo=UTC)
RUN = Run(
    id=1,
    job=JobName.REPLENISH,
    trigger=Trigger.TIMER,
    host="web-1",
    pid=1,
    status=RunStatus.RUNNING,
    started_at=NOW,
    heartbeat_at=NOW,
)
STATUS = JobStatus(
    job=JOBS[0],
    interval_minutes=10,
    paused_since=None,
    enabled=True,
    current=None,
    last_run=None,
    last_ended=None,
    last_success_at=None,
    due_at=None,
    next_run_at=None,
    overdue=False,
    success_24h=None,
    runs_24h=0,
    p50_ms=None,
    p95_ms=None,
    consecutive_failures=0,
    failing_since=None,
    hosts=[],
)


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, JobState.ON),
        ({"enabled": False}, JobState.OFF),
        ({"enabled": False, "paused_since": NOW}, JobState.PAUSED),
        ({"overdue": True}, JobState.OVERDUE),
        ({"overdue": True, "current": RUN}, JobState.RUNNING),
    ],
)
def test_what_goes_on_now_is_said_before_what_is_wrong_and_what_was_asked_for(
    facts: dict[str, Any], state: JobState
) -> None:
    assert replace(STATUS, **facts).state is state
