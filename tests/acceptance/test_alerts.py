"""`kylink alert-check` and `kylink alerts`, as an operator types them."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import run_kylink
from tests.support.web import Receiver, receiving

HOSTILE = "[red]x[/nope]\x1b[31m\x1b]0;t\x07\n<0>second<script>alert(1)</script>" + "A" * 5_000


@dataclass
class Host:
    """A folder with a database, and settings of its own."""

    folder: Path
    settings: dict[str, str]

    def kylink(self, *args: str, code: int = 0) -> str:
        result = run_kylink(*args, env=self.settings, cwd=self.folder)
        assert result.returncode == code, result.stderr
        return result.stdout

    def json(self, *args: str, code: int = 0) -> Any:
        return json.loads(self.kylink(*args, "--json", code=code))

    def error(self, *args: str) -> tuple[int, str]:
        result = run_kylink(*args, env=self.settings, cwd=self.folder)
        assert result.stdout == ""
        return result.returncode, result.stderr

    def execute(self, statement: str, *parameters: object) -> list[Any]:
        with closing(sqlite3.connect(self.folder / "kylink.db")) as connection, connection:
            return connection.execute(statement, parameters).fetchall()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """Two users' campaigns; only alice's is empty."""
    host = Host(tmp_path, {"DATABASE_URL": f"sqlite:///{tmp_path / 'kylink.db'}", "ALERT_DISK_WARNING_PERCENT": "100"})
    host.kylink("campaigns", "add", "a1", "--user", "alice", "--name", "Alpha")
    return host


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


def test_a_check_reports_what_the_contract_says(host: Host) -> None:
    report = host.json("alert-check")
    assert {"run_id", "job", "status", "started_at", "duration_ms"} <= report.keys()
    assert (report["job"], report["status"], report["run_id"]) == ("monitoring_alert", "succeeded", 1)
    low = report["checks"][0]
    assert (low["type"], low["level"], low["value"]) == ("LOW_STOCK", "WARNING", 1)
    assert {check["type"] for check in report["checks"]} == {
        "LOW_STOCK",
        "LEASE_TIMEOUT",
        "HIGH_FAILURE_RATE",
        "NO_STOCK_FREQUENT",
        "ORDER_LIMIT",
        "FORECAST_MISS",
        "SYSTEM_HEALTH",
    }
    assert [check["level"] for check in report["checks"][1:]] == [None] * (len(report["checks"]) - 1)
    assert (report["opened"], report["updated"], report["resolved"]) == ([1], [], [])
    assert (report["notified"], report["notify_failed"], report["purged"]) == (0, 0, 0)
    again = host.json("alert-check")
    assert (again["opened"], again["updated"]) == ([], [1])


def test_a_dry_run_records_nothing_and_tells_nobody(host: Host, receiver: Receiver) -> None:
    host.settings["ALERT_WEBHOOK_URL"] = receiver.url
    report = host.json("alert-check", "--dry-run")
    assert (report["dry_run"], report["run_id"], report["checks"][0]["level"]) == (True, None, "WARNING")
    assert host.json("alerts", "list") == {"alerts": []}
    assert host.json("jobs", "history") == {"runs": []}
    assert receiver.requests == []


def test_a_scheduled_check_does_nothing_while_scheduling_is_off(host: Host) -> None:
    report = host.json("alert-check", "--scheduled")
    assert (report["status"], report["checks"]) == ("skipped", [])
    assert host.json("jobs", "history") == {"runs": []}


def test_an_alert_is_listed_shown_acknowledged_and_resolved(host: Host) -> None:
    host.kylink("alert-check")
    [alert] = host.json("alerts", "list", "--state", "open", "--type", "LOW_STOCK", "--level", "WARNING")["alerts"]
    assert alert["metadata"]["campaigns"][0]["campaignId"] == "a1"
    assert alert["acknowledged_at"] is None
    assert "Fill them now: kylink replenish --all" in host.kylink("alerts", "show", "1")
    assert host.json("alerts", "ack", "1")["results"] == [
        {"id": 1, "ok": True, "state": "acknowledged", "message": "acknowledged"}
    ]
    assert host.json("alerts", "ack", "1", "9", code=10)["results"][1]["state"] == "unknown"
    assert host.json("alerts", "resolve", "1")["results"][0]["state"] == "resolved"
    [alert] = host.json("alerts", "list")["alerts"]
    assert (alert["state"], alert["count"]) == ("resolved", 1)
    assert alert["resolved_at"] is not None
    host.json("alerts", "ack", "1", code=1)
    host.json("alerts", "resolve", "9", code=11)


def test_an_alert_that_does_not_exist_is_not_found(host: Host) -> None:
    assert host.error("alerts", "show", "9") == (11, "kylink: there is no alert 9: 'kylink alerts list' shows them\n")
    assert host.kylink("alerts", "list") == "no alerts\n"


def test_list_shows_people_what_goes_on_unless_they_ask_and_programs_everything(host: Host) -> None:
    host.kylink("alert-check")
    assert host.kylink("alerts", "list").endswith("\n\nAlerts: 1 open.\n")
    host.kylink("alerts", "resolve", "1")
    assert host.kylink("alerts", "list") == "Alerts: 1 resolved. --all shows those that are resolved.\n"
    for asked in (["--all"], ["--state", "resolved"]):
        assert "LOW_STOCK" in host.kylink("alerts", "list", *asked)
    assert [alert["id"] for alert in host.json("alerts", "list")["alerts"]] == [1]


def test_show_says_in_sentences_what_an_alert_is_about(host: Host) -> None:
    host.kylink("alert-check")
    text = host.kylink("alerts", "show", "1")
    assert text.splitlines()[0].startswith("WARNING, open: 1 campaign is low on stock")
    assert "Alert 1 (LOW_STOCK) was first seen " in text
    assert "It concerns alice." in text
    assert text.endswith("kylink alerts ack 1\n")
    assert not [key for key in ("metadata", "first_seen_at", "campaignId", "{") if key in text]


def test_alerts_are_listed_by_user(host: Host) -> None:
    host.kylink("alert-check")
    assert len(host.json("alerts", "list", "--user", "alice")["alerts"]) == 1
    assert host.json("alerts", "list", "--user", "bob")["alerts"] == []
    assert host.json("alerts", "show", "1")["users"] == ["alice"]


def test_a_silence_is_made_listed_heeded_and_ended(host: Host, receiver: Receiver) -> None:
    host.settings["ALERT_WEBHOOK_URL"] = receiver.url
    made = host.json("alerts", "silence", "--user", "alice", "--for", "2h", "--reason", "supplier moves")
    assert (made["id"], made["user_id"], made["reason"]) == (1, "alice", "supplier moves")
    assert host.json("alerts", "silences")["silences"] == [made]
    assert "supplier moves" in host.kylink("alerts", "silences")
    host.kylink("alert-check")
    assert receiver.requests == []
    assert host.kylink("alerts", "unsilence", "1") == "silence 1 has ended\n"
    host.kylink("alert-check")
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["--for", "2h"], 2, "name what to silence"),
        (["--type", "LOW_STOCK"], 2, "by --for or --until"),
        (["--type", "LOW_STOCK", "--for", "2 hours"], 2, "as in 90m or 8h"),
        (["--campaign", "nope", "--for", "2h"], 11, "unknown campaign nope"),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused_in_one_line(
    host: Host, args: list[str], code: int, words: str
) -> None:
    found, message = host.error("alerts", "silence", *args)
    assert (found, message.count("\n")) == (code, 1)
    assert words in message
    assert host.error("alerts", "unsilence", "1")[0] == 11


def test_a_probe_goes_through_every_channel_and_says_which_work(host: Host, receiver: Receiver) -> None:
    assert host.error("alerts", "test")[0] == 78
    host.settings["ALERT_WEBHOOK_URL"] = f"{receiver.url}?min_level=ERROR"
    assert host.json("alerts", "test")["channels"] == [
        {"channel": "webhook", "min_level": "ERROR", "ok": True, "error": None}
    ]
    assert receiver.requests[0].json()["kind"] == "test"
    host.settings["ALERT_NOTIFY_URLS"] = "json://127.0.0.1:9/s3cret-token"
    assert host.json("alerts", "test", code=10)["channels"][0]["ok"] is False
    receiver.status = 500
    out = host.kylink("alerts", "test", code=1)
    assert "HTTP 500" in out
    assert "s3cret" not in out


def test_resolved_alerts_are_purged_when_they_are_old(host: Host) -> None:
    host.kylink("alert-check")
    host.kylink("alerts", "resolve", "1")
    assert host.json("alerts", "purge") == {"purged": 0, "kept_days": 30}
    host.execute("UPDATE alerts SET resolved_at = '2020-01-01 00:00:00.000000'")
    assert host.json("alerts", "purge") == {"purged": 1, "kept_days": 30}
    assert host.json("alerts", "list") == {"alerts": []}


def test_hostile_names_are_harmless_on_the_screen_in_the_journal_and_in_the_webhook(
    host: Host, receiver: Receiver
) -> None:
    host.settings["ALERT_WEBHOOK_URL"] = receiver.url
    host.execute("UPDATE campaigns SET name = ?", HOSTILE)
    result = run_kylink("alert-check", "--log-format", "journal", env=host.settings, cwd=host.folder)
    shown = [result.stdout, host.kylink("alerts", "list"), host.kylink("alerts", "show", "1")]
    for text in [*shown, result.stderr]:
        assert "\x1b" not in text
        assert "A" * 300 not in text
    assert all(line[:3] in {"<4>", "<6>"} for line in result.stderr.splitlines())
    document = receiver.requests[0].json()
    assert "\x1b" not in json.dumps(document, ensure_ascii=False)
    assert len(receiver.requests[0].body) < 4_000
    assert "[red]x[/nope]" in host.kylink("alerts", "show", "1")


def test_secrets_of_channels_are_shown_nowhere(host: Host) -> None:
    host.settings |= {
        "ALERT_NOTIFY_URLS": "json://user:s3cret1@127.0.0.1:9/s3cret2 mailto://u:s3cret3@127.0.0.1:9?to=x@y.zz",
        "ALERT_WEBHOOK_URL": "http://127.0.0.1:9/s3cret4",
        "ALERT_WEBHOOK_SECRET": "s3cret5",
        "HEARTBEAT_URL_ALERT_CHECK": "http://127.0.0.1:9/s3cret6",
    }
    commands = (
        ["alert-check"],
        ["alerts", "list"],
        ["alerts", "test"],
        ["jobs", "status"],
        ["doctor"],
        ["config", "show"],
    )
    for args in commands:
        result = run_kylink(*args, "--debug", env=host.settings, cwd=host.folder)
        assert "s3cret" not in result.stdout + result.stderr
    assert "s3cret" not in str(host.execute("SELECT * FROM notifications"))


def test_a_bad_channel_is_bad_configuration_named_without_its_secret(host: Host) -> None:
    host.settings["ALERT_NOTIFY_URLS"] = "slack://a/b/c s3cret"
    code, message = host.error("alert-check")
    assert (code, message.count("\n")) == (78, 1)
    assert "ALERT_NOTIFY_URLS is (secret): must be addresses like mailto://…" in message
    assert "s3cret" not in message


def test_what_does_not_arrive_is_shown_by_list_status_and_doctor(host: Host) -> None:
    host.settings["ALERT_WEBHOOK_URL"] = "http://127.0.0.1:9/"
    host.kylink("alert-check")
    expected = "notifications through webhook fail: 1 wait for another try, 0 given up after a day"
    assert expected in host.kylink("alerts", "list")
    assert expected in host.kylink("jobs", "status")
    assert host.json("jobs", "status")["undelivered"][0]["waiting"] == 1
    assert expected in run_kylink("doctor", env=host.settings, cwd=host.folder).stdout


def test_a_paused_job_and_scheduling_that_is_off_are_shown_by_status_and_doctor(host: Host) -> None:
    host.kylink("jobs", "pause", "monitoring_alert")
    for args in (["jobs", "status"], ["doctor"]):
        shown = run_kylink(*args, env=host.settings, cwd=host.folder).stdout
        assert "ENABLE_AUTO_CRON=true" in shown
        assert "kylink jobs resume monitoring_alert" in shown


def test_failures_of_a_replenish_run_are_told_and_their_end_too(host: Host, receiver: Receiver) -> None:
    program = host.folder / "supply"
    program.write_text("#!/bin/sh\necho 'no such \x1b[31mcampaign' >&2\nexit 1\n", encoding="utf-8")
    program.chmod(0o700)
    host.settings |= {
        "ALERT_WEBHOOK_URL": receiver.url,
        "PROXY_API_URL": f"exec:{program}",
        "PROXY_MAX_PER_CALL": "100",
    }
    report = host.json("replenish", "--all", code=1)
    assert report["alert_id"] == 1
    [alert] = receiver.requests[0].json()["alerts"]
    assert (alert["event"], alert["type"], alert["level"]) == ("opened", "STOCK_REPLENISH_FAILED", "WARNING")
    assert alert["message"].splitlines()[0] == "Replenishment failed for 1 campaign:"
    assert alert["message"].splitlines()[1].startswith("- Alpha (a1): ")
    assert "\x1b" not in alert["message"]
    values = ", ".join(f'"v{number}"' for number in range(20))
    program.write_text(f"#!/bin/sh\necho '{{\"items\": [{values}]}}'\n", encoding="utf-8")
    host.kylink("replenish", "--all")
    assert [a["event"] for r in receiver.requests for a in r.json()["alerts"]] == ["opened", "resolved"]


def test_every_job_pings_its_heartbeat(host: Host, receiver: Receiver) -> None:
    host.settings |= {
        "HEARTBEAT_URL_ALERT_CHECK": f"{receiver.url}/check",
        "HEARTBEAT_URL_RECOVER_LEASES": f"{receiver.url}/recover",
    }
    host.kylink("alert-check")
    host.kylink("recover-leases")
    assert [r.path for r in receiver.requests] == ["/check/start", "/check", "/recover/start", "/recover"]
    assert "raised 1" in receiver.requests[1].body.decode()
