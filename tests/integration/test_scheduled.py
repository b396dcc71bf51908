"""What starts the jobs on this host, and a job that nothing has ever started."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kylink_cli import wiring
from kylink_cli.overview.status import read_status
from kylink_cli.scheduling import cron, systemd
from kylink_cli.scheduling.host import Schedule, read_schedule
from kylink_cli.scheduling.jobs import JOBS
from kylink_cli.settings.fields import Settings
from kylink_cli.store.engine.database import Database
from kylink_cli.store.tables import Run
from tests.support.database import url_of

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SWITCHED_ON = NOW - timedelta(minutes=30)
NAMES = [job.name for job in JOBS]


def overdue(database: Database, schedule: Schedule | None, now: datetime) -> list[str]:
    settings = Settings(database_url=url_of(database), enable_auto_cron=True)
    found = read_status(database, wiring.locks(settings), settings, now, schedule)
    return [one.job.name for one in found if one.overdue]


def test_a_job_that_no_timer_ever_started_is_overdue_counted_from_the_day_its_timer_was_switched_on(
    embedded: Database,
) -> None:
    schedule = Schedule("systemd", dict.fromkeys(NAMES), dict.fromkeys(NAMES, SWITCHED_ON))
    # The intervals are 10, 5 and 10 minutes; two of them may pass.
    assert overdue(embedded, schedule, SWITCHED_ON + timedelta(minutes=10)) == []
    assert overdue(embedded, schedule, SWITCHED_ON + timedelta(minutes=11)) == ["lease_recovery"]
    assert overdue(embedded, schedule, SWITCHED_ON + timedelta(minutes=21)) == NAMES
    assert overdue(embedded, Schedule("systemd", dict.fromkeys(NAMES), {}), NOW) == []
    assert overdue(embedded, Schedule("systemd", {}, dict.fromkeys(NAMES, SWITCHED_ON)), NOW) == []
    assert overdue(embedded, None, NOW) == []


def test_a_run_by_a_timer_counts_from_itself_whenever_the_timer_was_switched_on(embedded: Database) -> None:
    with embedded.writing() as session:
        session.add(
            Run(
                job="stock_replenish",
                trigger="timer",
                host="host-1",
                pid=1,
                status="succeeded",
                started_at=NOW,
                heartbeat_at=NOW,
                finished_at=NOW,
            )
        )
    schedule = Schedule("cron", dict.fromkeys(NAMES), dict.fromkeys(NAMES, SWITCHED_ON))
    assert overdue(embedded, schedule, NOW + timedelta(minutes=1)) == []


def test_cron_is_switched_on_since_its_file_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd, "is_running", lambda: False)
    monkeypatch.setattr(cron, "PLACE", tmp_path / "kylink")
    assert read_schedule(Settings(), NOW) is None
    cron.PLACE.touch()
    os.utime(cron.PLACE, (SWITCHED_ON.timestamp(), SWITCHED_ON.timestamp()))
    found = read_schedule(Settings(), NOW)
    assert found is not None
    assert (found.by, found.since) == ("cron", dict.fromkeys(NAMES, SWITCHED_ON))


def test_a_timer_is_switched_on_since_systemd_has_it_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    units = [f"{job.unit}.{kind}" for kind in ("timer", "service") for job in JOBS]
    stands_still = f"{JOBS[-1].unit}.timer"
    blocks = [
        f"Id={unit}\nLoadState=loaded\nActiveState={'inactive' if unit == stands_still else 'active'}\n"
        "ActiveEnterTimestamp=Wed 2026-03-04 11:30:00 UTC\nUnitFileState=enabled\n"
        "NextElapseUSecRealtime=\nLastTriggerUSec=n/a\nResult=success\n"
        for unit in units
    ]
    program = tmp_path / "systemctl"
    program.write_text("#!/bin/sh\ncat <<'END'\n" + "\n".join(blocks) + "END\n")
    program.chmod(0o755)
    monkeypatch.setattr(systemd, "is_running", lambda: True)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    found = read_schedule(Settings(), NOW)
    assert found is not None
    assert (found.by, found.since) == ("systemd", dict.fromkeys(NAMES[:-1], SWITCHED_ON))
    assert list(found.next_at) == NAMES[:-1]
