"""`kylink doctor`: what an unattended run needs, and what to do where it is missing."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kylink_cli.demo.service import SupplyService
from tests.support.installation import Installation

ON = {"ENABLE_AUTO_CRON": "true", "ALERT_WEBHOOK_URL": "http://127.0.0.1:9/"}
Finding = dict[str, str]


@pytest.fixture
def service() -> Iterator[SupplyService]:
    with SupplyService(key="k") as running:
        yield running


@pytest.fixture
def healthy(tmp_path: Path, service: SupplyService) -> Iterator[Installation]:
    """An installation in which nothing is wrong."""
    with Installation.at(tmp_path, service.url, "k", **ON) as installation:
        for job in ("stock_replenish", "lease_recovery", "monitoring_alert"):
            installation.record_run(job, "succeeded", datetime.now(UTC) - timedelta(minutes=1), trigger="timer")
        yield installation


def findings(kylink: Installation, area: str, **settings: str) -> list[Finding]:
    """What is found in an area beside what is right."""
    checks = kylink.document("doctor", **settings)["checks"]
    return [check for check in checks if check["area"] == area and check["verdict"] != "ok"]


def test_a_healthy_installation_is_ok_in_every_area_and_nobody_is_asked_for_items(
    healthy: Installation, service: SupplyService
) -> None:
    result = healthy.run("doctor")
    assert (result.returncode, result.stderr) == (0, "")
    rows = [line.split() for line in result.stdout.splitlines()]
    assert rows[0] == ["AREA", "VERDICT", "FINDING"]
    # Whether something starts the jobs is the host's affair, and not this installation's.
    assert {cells[1] for cells in rows[1:] if cells[0] != "timers"} == {"ok"}
    document = healthy.document("doctor")
    assert document["ok"] is True
    assert {check["area"] for check in document["checks"]} >= {
        "settings", "database", "files", "locks", "schedule", "capacity", "supply", "clock"
    }  # fmt: skip
    assert set(document["checks"][0]) == {"area", "verdict", "text", "advice"}
    assert service.charges == {}


@pytest.mark.parametrize(
    ("area", "settings", "verdict", "text", "advice"),
    [
        ("settings", {"STOCK_BATCH_SIZE": "0"}, "error", "STOCK_BATCH_SIZE is '0'", "kylink config check"),
        ("database", {"DATABASE_URL": "sqlite:////nowhere/kylink.db"}, "error", "there is no database", ""),
        ("schedule", {"ENABLE_AUTO_CRON": "false"}, "warning", "scheduled runs do nothing", "ENABLE_AUTO_CRON=true"),
        ("alerts", {"ALERT_WEBHOOK_URL": ""}, "warning", "no channel is set up for alerts", "ALERT_WEBHOOK_URL"),
        ("supply", {"PROXY_API_URL": ""}, "error", "PROXY_API_URL is not set", ""),
        ("supply", {"PROXY_API_URL": "http://127.0.0.1:9/"}, "error", "refused", "PROXY_API_URL"),
        ("locks", {"KYLINK_LOCK_URL": "file:/dev/null/locks"}, "error", "can't be used", "KYLINK_LOCK_URL"),
    ],
)
def test_what_is_wrong_with_a_setting_is_found(
    healthy: Installation, area: str, settings: dict[str, str], verdict: str, text: str, advice: str
) -> None:
    (found,) = findings(healthy, area, **settings)
    assert found["verdict"] == verdict
    assert text in found["text"]
    assert advice in found["text"] + found["advice"]
    assert healthy.run("doctor", **settings).returncode == (1 if verdict == "error" else 0)


def test_a_service_that_is_called_without_a_key_is_in_order(healthy: Installation) -> None:
    checks = healthy.document("doctor", PROXY_API_KEY="")["checks"]
    (found,) = [check for check in checks if check["area"] == "supply"]
    assert found["verdict"] == "ok"
    assert "PROXY_API_KEY is not set: the supply service is called without a key" in found["text"]


def open_to_all(kylink: Installation) -> None:
    (kylink.folder / "kylink.db").chmod(0o644)


def misspell(kylink: Installation) -> None:
    (kylink.folder / ".env").write_text("KYLINK_LOK_URL=file:/x\n", encoding="utf-8")
    (kylink.folder / ".env").chmod(0o600)


def show_the_env_file_to_all(kylink: Installation) -> None:
    (kylink.folder / ".env").write_text("STOCK_BATCH_SIZE=7\n", encoding="utf-8")
    (kylink.folder / ".env").chmod(0o644)


def pause(kylink: Installation) -> None:
    kylink.run("jobs", "pause", "lease_recovery")


def put_a_folder_in_a_lock_s_place(kylink: Installation) -> None:
    (kylink.folder / "kylink.db.lock" / "stock_replenish.lock").mkdir(parents=True)


def set_the_clock_back(kylink: Installation) -> None:
    kylink.record_run("stock_replenish", "succeeded", datetime.now(UTC) + timedelta(hours=2))


def stop_a_timer(kylink: Installation) -> None:
    kylink.execute("UPDATE runs SET started_at = '2026-01-01 00:00:00' WHERE job = 'lease_recovery'")


def come_near_the_deadline(kylink: Installation) -> None:
    kylink.execute("UPDATE runs SET duration_ms = 440000 WHERE job = 'stock_replenish'")


def never_start_a_timer(kylink: Installation) -> None:
    kylink.execute("DELETE FROM runs WHERE job = 'lease_recovery'")
    kylink.record_run("stock_replenish", "succeeded", datetime(2026, 1, 1, tzinfo=UTC), trigger="timer")


@pytest.mark.parametrize(
    ("spoil", "area", "verdict", "text", "advice"),
    [
        (open_to_all, "files", "warning", "kylink.db is open to other users", "chmod go= "),
        (misspell, "settings", "warning", "KYLINK_LOK_URL means nothing", "did you mean KYLINK_LOCK_URL?"),
        (show_the_env_file_to_all, "settings", "warning", ".env can be read by everybody", "chmod o-r .env"),
        (pause, "schedule", "warning", "lease_recovery has been paused since", "kylink jobs resume lease_recovery"),
        (put_a_folder_in_a_lock_s_place, "locks", "error", "is a directory", "who owns"),
        (set_the_clock_back, "clock", "error", "in the future: the clock was set back", "timedatectl"),
        (stop_a_timer, "schedule", "warning", "lease_recovery has been overdue since", "timer"),
        (come_near_the_deadline, "capacity", "warning", "440 s or more; the deadline is 540 s", "docs/performance.md"),
        (never_start_a_timer, "schedule", "warning", "lease_recovery has been overdue since 2026-01-01", "timer"),
    ],
)
def test_what_is_wrong_on_the_host_is_found_with_what_to_do(
    healthy: Installation, spoil: Callable[[Installation], None], area: str, verdict: str, text: str, advice: str
) -> None:
    spoil(healthy)
    (found,) = findings(healthy, area)
    assert found["verdict"] == verdict
    assert text in found["text"]
    assert advice in found["text"] + found["advice"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_that_a_stray_root_shell_left_behind_are_found_with_the_remedy(healthy: Installation) -> None:
    os.chown(healthy.folder, 65534, 65534)
    path = healthy.folder / "kylink.db"
    found = findings(healthy, "files")
    assert found[0]["text"] == f"{path} belongs to root, its folder does not"
    assert found[0]["advice"].startswith("chown ")
    assert found[0]["advice"].endswith(f" {path}")


def test_an_outdated_database_is_named_and_not_upgraded(healthy: Installation) -> None:
    healthy.execute("UPDATE alembic_version SET version_num = '0001'")
    (found,) = findings(healthy, "database")
    assert "kylink db upgrade" in found["text"]
    assert healthy.rows("SELECT version_num FROM alembic_version") == ["0001"]


def test_secrets_stay_hidden(healthy: Installation) -> None:
    result = healthy.run("doctor", "--debug", PROXY_API_KEY="hush\x01")
    assert "PROXY_API_KEY" in result.stdout
    assert "hush" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (
            {"DATABASE_URL": "postgresql://me@db.invalid/k?connect_timeout=2"},
            "others may read the connection to the database",
        ),
        (
            {"DATABASE_URL": "postgresql://me@db.invalid/k?sslmode=require"},
            "others may read the connection to the database",
        ),
        ({"PROXY_API_URL": "http://supply.invalid/"}, "the key of the supply service is sent unencrypted"),
        ({"KYLINK_LOCK_URL": "redis://locks.invalid/0"}, "what is sent to the lock server is not encrypted"),
        ({"ALERT_NOTIFY_URLS": "jsons://x.invalid/?verify=no"}, "the certificate of jsons is not checked"),
    ],
)
def test_secrets_that_travel_in_the_clear_are_spoken_of(
    healthy: Installation, settings: dict[str, str], text: str
) -> None:
    found = [check for check in healthy.document("doctor", **settings)["checks"] if check["area"] == "transport"]
    assert [(check["verdict"], text in check["text"]) for check in found] == [("warning", True)]


@pytest.mark.parametrize(
    "settings",
    [
        {"DATABASE_URL": "postgresql://me@db.invalid/k?sslmode=verify-full"},
        {"DATABASE_URL": "postgresql:///k?host=/run/postgresql"},
        {"PROXY_API_URL": "https://supply.invalid/"},
        {"PROXY_API_URL": "http://supply.invalid/", "PROXY_API_KEY": ""},
        {"KYLINK_LOCK_URL": "rediss://locks.invalid/0"},
    ],
)
def test_what_is_encrypted_or_stays_on_the_host_is_in_order(healthy: Installation, settings: dict[str, str]) -> None:
    checks = healthy.document("doctor", **settings)["checks"]
    assert [check for check in checks if check["area"] == "transport"] == []
