"""`kylink jobs`: how the jobs are doing, at one look."""

import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kylink_cli.demo.service import SupplyService
from kylink_cli.locks.file import FileLocks
from kylink_cli.store.tables import CampaignResult
from tests.support.installation import Installation
from tests.support.terminal import on_terminal

JOBS = ["stock_replenish", "lease_recovery", "monitoring_alert"]
ON = {"ENABLE_AUTO_CRON": "true"}


def minutes_ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


def job(kylink: Installation, name: str = "stock_replenish", **settings: str) -> dict[str, object]:
    document = kylink.document("jobs", "status", **settings)
    return next(found for found in document["jobs"] if found["name"] == name)


def row(text: str, name: str = "stock_replenish") -> list[str]:
    """The cells of a job's row in the table."""
    return re.split(r"\s{2,}", next(line for line in text.splitlines() if line.startswith(name)))


def locks(kylink: Installation) -> FileLocks:
    return FileLocks(kylink.folder / "kylink.db.lock")


# --- status


def test_status_says_what_the_contract_says(kylink: Installation) -> None:
    for minutes, status, milliseconds in ((40, "succeeded", 100), (30, "partial", 300), (20, "failed", 200)):
        kylink.record_run("stock_replenish", status, minutes_ago(minutes), duration_ms=milliseconds)
    last = kylink.record_run("stock_replenish", "crashed", minutes_ago(5), trigger="timer", duration_ms=None)
    document = kylink.document("jobs", "status", **ON)
    assert (document["auto_cron"], [found["name"] for found in document["jobs"]]) == (True, JOBS)
    found = document["jobs"][0]
    assert set(found["last_run"]) >= {
        "run_id", "status", "trigger", "started_at", "finished_at", "duration_ms", "host"
    }  # fmt: skip
    assert (found["last_run"]["run_id"], found["last_run"]["trigger"]) == (last, "timer")
    started, following = (datetime.fromisoformat(m) for m in (found["last_run"]["started_at"], found["next_run_at"]))
    assert following - started == timedelta(minutes=10)
    assert found["last_success_at"] is not None
    expected = {
        "name": "stock_replenish",
        "command": "replenish",
        "interval_minutes": 10,
        "enabled": True,
        "paused_since": None,
        "running": False,
        "overdue": False,
        "success_rate_24h": 0.25,
        "success_24h": {"done": 1, "of": 4, "counted": "runs"},
        "runs_24h": 4,
        "p50_ms": 200,
        "p95_ms": 300,
        "consecutive_failures": 2,
    }
    assert {key: found[key] for key in expected} == expected


def test_a_fresh_installation_has_never_run_and_is_off(kylink: Installation) -> None:
    text = kylink.run("jobs", "status").stdout
    assert [row(text, name) for name in JOBS] == [[name, "off", "never", "-", "-", "-", "-"] for name in JOBS]
    assert text.splitlines()[-1] == "scheduling is off: scheduled runs do nothing until ENABLE_AUTO_CRON=true"
    never = job(kylink)
    assert (never["last_run"], never["success_rate_24h"], never["next_run_at"], never["enabled"]) == (
        None, None, None, False
    )  # fmt: skip


@pytest.mark.parametrize(
    ("minutes", "state", "following"), [(5, "on", "5 min"), (15, "on", "due"), (21, "overdue", "due")]
)
def test_a_job_is_overdue_two_intervals_after_the_timer_s_last_run(
    kylink: Installation, minutes: float, state: str, following: str
) -> None:
    kylink.record_run("stock_replenish", "succeeded", minutes_ago(minutes - 0.5), trigger="timer")
    text = kylink.run("jobs", "status", **ON).stdout
    cells = row(text)
    assert (cells[1], cells[5]) == (state, following)
    assert job(kylink, **ON)["overdue"] is (state == "overdue")
    assert ("stock_replenish: overdue since" in text) is (state == "overdue")


def test_a_run_by_hand_says_nothing_of_the_timer(kylink: Installation) -> None:
    kylink.record_run("stock_replenish", "succeeded", minutes_ago(21.1), trigger="timer")
    kylink.record_run("stock_replenish", "succeeded", minutes_ago(1), trigger="manual")
    assert job(kylink, **ON)["overdue"] is True


def test_a_job_that_its_timer_never_started_is_overdue_counted_from_when_timers_first_started_any(
    kylink: Installation,
) -> None:
    assert job(kylink, "lease_recovery", **ON)["overdue"] is False
    kylink.record_run("stock_replenish", "succeeded", minutes_ago(11.1), trigger="timer")
    kylink.record_run("lease_recovery", "succeeded", minutes_ago(1), trigger="manual")
    text = kylink.run("jobs", "status", **ON).stdout
    # Its interval is 5 minutes; the alert check's, 10, is not over twice.
    states = {name: job(kylink, name, **ON)["overdue"] for name in JOBS}
    assert states == {"stock_replenish": False, "lease_recovery": True, "monitoring_alert": False}
    assert "lease_recovery: overdue since" in text
    checks = kylink.document("alert-check", **ON)["checks"]
    assert [check["detail"] for check in checks if "timer" in check["detail"]] == [
        "lease_recovery: its timer has not started it for 11 min, its interval is 5 min"
    ]


def test_a_run_under_way_is_shown_with_its_start_pid_and_host(kylink: Installation) -> None:
    kylink.record_run("stock_replenish", "succeeded", minutes_ago(30.1), duration_ms=1500)
    began = minutes_ago(3.1)
    run_id = kylink.record_run("stock_replenish", "running", began)
    with locks(kylink).hold(kylink.lock_of(run_id)):
        text = kylink.run("jobs", "status").stdout
        assert job(kylink)["running"] is True
    assert row(text) == ["stock_replenish", "running", "30 min ago", "succeeded", "1.5 s", "-", "100%"]
    since = began.strftime("%Y-%m-%d %H:%M:%S UTC")
    assert f"run {run_id}, manual, running since {since} (3 min), pid 1 on {socket.gethostname()}\n" in text


def test_a_run_that_died_without_an_end_has_crashed_wherever_it_is_shown(kylink: Installation) -> None:
    run_id = kylink.record_run("stock_replenish", "running", minutes_ago(6))
    assert row(kylink.run("jobs", "status").stdout)[1:4] == ["off", "6 min ago", "crashed"]
    assert (job(kylink)["running"], job(kylink)["consecutive_failures"]) == (False, 1)
    assert [run["status"] for run in kylink.document("jobs", "history")["runs"]] == ["crashed"]
    assert kylink.document("jobs", "show", str(run_id))["status"] == "crashed"


def test_failures_in_a_row_are_named_with_the_last_reason_and_where_to_look(kylink: Installation) -> None:
    kylink.record_run("stock_replenish", "failed", minutes_ago(20), error="first")
    run_id = kylink.record_run("stock_replenish", "failed", minutes_ago(10), error="it is\n[/nope] \x1b[31mdown")
    text = kylink.run("jobs", "status").stdout
    line = f"stock_replenish: 2 failed in a row, see 'kylink jobs show {run_id}': it is [/nope]  [31mdown"
    assert line in text.splitlines()


def test_every_table_is_whole_at_80_columns(kylink: Installation) -> None:
    kylink.add_campaigns("12345678901")
    for name in JOBS:
        run_id = kylink.record_run(name, "interrupted", minutes_ago(119), trigger="timer", duration_ms=119_999)
    with kylink.database.writing() as session:
        session.add(result(run_id, "12345678901", status="not_served", error="the supply service is down " * 5))
    for args in (["jobs", "status"], ["jobs", "history"]):
        env = kylink.settings | ON | {"REPLENISH_INTERVAL_MINUTES": "238"}
        lines = on_terminal(*args, "--no-color", env=env, cwd=kylink.folder).lines
        plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
        rule = next(number for number, line in enumerate(plain) if line.startswith("──"))
        table = plain[rule - 1 : rule + 4]
        assert max(len(line.rstrip()) for line in table[:3]) <= 80, args
        whole = " ".join(line for line in table if "WHAT" not in line)
        assert "…" not in whole.removesuffix("…") or args == ["jobs", "history"], args
        assert "interrupted" in whole or "not_served" in whole


# --- history


def test_history_shows_the_last_runs_newest_first(kylink: Installation) -> None:
    ids = [
        kylink.record_run(name, "succeeded", minutes_ago(9), figures={"recovered": 2, "discarded": 0})
        for name in JOBS * 2
    ]
    runs = kylink.document("jobs", "history")["runs"]
    assert [run["run_id"] for run in runs] == ids[::-1]
    assert set(runs[0]) >= {
        "run_id", "job", "status", "trigger", "started_at", "finished_at", "duration_ms",
        "host", "pid", "invocation_id", "figures", "error",
    }  # fmt: skip
    assert runs[0]["figures"] == {"recovered": 2, "discarded": 0}
    assert [run["job"] for run in kylink.document("jobs", "history", "lease_recovery")["runs"]] == [
        "lease_recovery"
    ] * 2
    assert len(kylink.document("jobs", "history", "--limit", "3")["runs"]) == 3
    lines = kylink.run("jobs", "history", "lease_recovery").stdout.splitlines()
    assert lines[0].split() == ["RUN", "JOB", "STATUS", "STARTED", "TOOK", "WHAT"]
    assert lines[1].split("  ")[-1].strip() == "2 items back in stock"


def test_a_history_without_runs_says_so(kylink: Installation) -> None:
    assert kylink.run("jobs", "history").stdout == "no run is recorded yet\n"
    assert kylink.document("jobs", "history") == {"runs": []}


# --- show


def result(run_id: int, campaign: str, status: str, error: str | None) -> CampaignResult:
    return CampaignResult(
        run_id=run_id, campaign_id=campaign, status=status, error=error, attempts=3, ordered=10, produced=0,
        available_before=0, available_after=0, watermark=3, target=10,
    )  # fmt: skip


def test_show_groups_what_failed_by_its_reason_and_counts_what_did_not(kylink: Installation) -> None:
    kylink.add_campaigns(*map(str, range(1, 13)))
    figures = {"total": 12, "succeeded": 2, "failed": 10, "partial": 0, "skipped": 0, "not_served": 0, "produced": 20}
    run_id = kylink.record_run("stock_replenish", "failed", minutes_ago(3), figures=figures)
    with kylink.database.writing() as session:
        session.add_all([result(run_id, str(number), "failed", "the service is down") for number in range(1, 10)])
        session.add(result(run_id, "10", "failed", "[/nope]\n\x1b[2Jout of order"))
        session.add_all([result(run_id, str(number), "succeeded", None) for number in (11, 12)])
    document = kylink.document("jobs", "show", str(run_id))
    assert next((c["campaign_id"], c["user_id"], c["name"], c["status"]) for c in document["campaigns"]) == (
        "1", "u1", "Campaign 1", "failed"
    )  # fmt: skip
    lines = kylink.run("jobs", "show", str(run_id)).stdout.splitlines()
    assert lines[0] == "Run 1 of stock_replenish: failed in 1.0 s; 2 of 12 campaigns filled, 10 failed, 20 items"
    named = ", ".join(f"{number} Campaign {number}" for number in range(1, 7))
    assert lines[2:6] == [
        "9 campaigns: the service is down",
        f"    {named}, and 3 more",
        "1 campaign: [/nope] [2Jout of order",
        "    10 Campaign 10",
    ]
    assert lines[7].startswith("Started 3 min ago (2")
    assert len(lines) == 8


@pytest.mark.parametrize("run_id", ["1", str(2**63 - 1)])
def test_a_run_that_does_not_exist_is_not_found(kylink: Installation, run_id: str) -> None:
    result = kylink.run("jobs", "show", run_id)
    message = f"kylink: there is no run {run_id}: 'kylink jobs history' shows the last ones\n"
    assert (result.returncode, result.stderr) == (11, message)


@pytest.mark.parametrize("run_id", ["0", "-1", "x", "1.5", str(2**63)])
def test_a_run_id_that_can_be_none_is_wrong_usage(kylink: Installation, run_id: str) -> None:
    result = kylink.run("jobs", "show", "--", run_id)
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)


# --- pause and resume


@pytest.fixture
def supplied(tmp_path: Path) -> Iterator[Installation]:
    with SupplyService(key="k") as service, Installation.at(tmp_path, service.url, "k", **ON) as installation:
        yield installation


def test_a_paused_job_s_scheduled_runs_do_nothing_until_it_is_resumed(supplied: Installation) -> None:
    supplied.add_campaigns("1")
    assert supplied.run("jobs", "pause", "stock_replenish").stdout == "stock_replenish is paused\n"
    skipped = supplied.run("replenish", "--all", "--scheduled")
    assert skipped.returncode == 0
    assert "'kylink jobs resume stock_replenish' lets it run again" in skipped.stderr
    assert supplied.rows("SELECT count(*) FROM runs") == [0]
    text = supplied.run("jobs", "status").stdout
    assert row(text)[1] == "paused"
    assert "stock_replenish: paused since " in text
    assert supplied.run("jobs", "resume", "stock_replenish").stdout == "stock_replenish runs again\n"
    assert supplied.run("replenish", "--all", "--scheduled").returncode == 0
    assert supplied.rows("SELECT status, trigger FROM runs") == [("succeeded", "timer")]


def test_a_paused_job_still_runs_by_hand(supplied: Installation) -> None:
    supplied.add_campaigns("1")
    supplied.run("jobs", "pause", "stock_replenish")
    assert supplied.run("replenish", "--all").returncode == 0
    assert supplied.rows("SELECT status, trigger FROM runs") == [("succeeded", "manual")]


def test_pausing_and_resuming_twice_says_so(kylink: Installation) -> None:
    kylink.run("jobs", "pause", "lease_recovery")
    assert kylink.run("jobs", "pause", "lease_recovery").stdout == "lease_recovery was paused already\n"
    resumed = {"job": "lease_recovery", "paused": False, "changed": True}
    assert kylink.document("jobs", "resume", "lease_recovery") == resumed
    assert kylink.run("jobs", "resume", "lease_recovery").stdout == "lease_recovery was not paused\n"
    assert kylink.document("jobs", "pause", "lease_recovery")["paused"] is True


@pytest.mark.parametrize(
    ("command", "name"),
    [("replenish", "stock_replenish"), ("recover-leases", "lease_recovery"), ("alert-check", "monitoring_alert")],
)
def test_a_job_is_called_by_its_command_or_by_its_name(kylink: Installation, command: str, name: str) -> None:
    for pausing, resuming in ((command, name), (name, command)):
        assert kylink.document("jobs", "pause", pausing) == {"job": name, "paused": True, "changed": True}
        assert kylink.document("jobs", "resume", resuming) == {"job": name, "paused": False, "changed": True}
    kylink.record_run(name, "succeeded", datetime.now(UTC))
    for word in (command, name):
        assert [run["job"] for run in kylink.document("jobs", "history", word)["runs"]] == [name]
