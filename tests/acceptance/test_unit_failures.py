"""`kylink systemd record-failure`: whatever is wrong, people hear of it once, and what tells them ends well."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kylink_cli.demo.service import SupplyService
from tests.support.cli import run_kylink
from tests.support.installation import Installation
from tests.support.web import Receiver, receiving

FAILED = {"MONITOR_SERVICE_RESULT": "exit-code", "MONITOR_EXIT_STATUS": "78"}
BAD = {"ENABLE_AUTO_CRON": "ture"}
GOOD = {"ENABLE_AUTO_CRON": "true"}
BAD_VALUE = "ENABLE_AUTO_CRON is 'ture': must be true or false"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Installation]:
    """An installation whose jobs have nothing to do, and whose state is in its folder."""
    with SupplyService("the-key") as service, Installation.at(tmp_path, service.url, "the-key") as installed:
        installed.settings["STATE_DIRECTORY"] = str(tmp_path / "state")
        yield installed


def fail(kylink: Installation, job: str = "replenish", **settings: str) -> list[str]:
    """Let the unit of a job fail; what is in the journal as an error."""
    unit = f"kylink-{job}.service"
    result = kylink.run("systemd", "record-failure", unit, "--log-format", "journal", **FAILED, **settings)
    assert (result.returncode, result.stdout) == (0, "")
    return [line.removeprefix("<3>") for line in result.stderr.splitlines() if line.startswith("<3>")]


def told(receiver: Receiver) -> list[str]:
    return [json.loads(request.body)["text"] for request in receiver.requests]


def test_a_bad_setting_is_told_of_once_however_many_units_fail_of_it(server: Installation, receiver: Receiver) -> None:
    for job in ("replenish", "recover-leases", "alert-check", "replenish"):
        assert fail(server, job, ALERT_WEBHOOK_URL=receiver.url, **BAD) == []
    [text] = told(receiver)
    assert "kylink-replenish.service failed: exit-code 78" in text
    assert BAD_VALUE in text
    assert "kylink config check" in text
    [alert] = server.document("alerts", "list")["alerts"]
    assert (alert["type"], alert["level"], alert["count"]) == ("SYSTEM_HEALTH", "ERROR", 4)
    assert alert["metadata"]["problems"] == [BAD_VALUE]


def test_the_next_good_run_ends_it(server: Installation, receiver: Receiver) -> None:
    settings = {"ALERT_WEBHOOK_URL": receiver.url, "ALERT_FLAP_MINUTES": "0"}
    fail(server, **settings, **BAD)
    assert server.run("recover-leases", "--scheduled", **settings, **GOOD).returncode == 0
    assert server.document("alerts", "list")["alerts"][0]["state"] == "resolved"
    assert "resolved" in told(receiver)[-1]


def test_without_a_channel_the_journal_says_it_once_until_a_good_run(server: Installation) -> None:
    [line] = fail(server, **BAD)
    assert BAD_VALUE in line
    assert fail(server, "alert-check", **BAD) == []
    assert server.run("alert-check", "--scheduled", ALERT_FLAP_MINUTES="0", **GOOD).returncode == 0
    assert len(fail(server, ALERT_FLAP_MINUTES="0", **BAD)) == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"DATABASE_URL": "nonsense"},
        {"DATABASE_URL": "sqlite:////nowhere/kylink.db"},
        {"DATABASE_URL": "nonsense", "STOCK_BATCH_SIZE": "many", "KYLINK_LANG": "fr", "ALERT_MIN_LEVEL": "LOUD"},
    ],
    ids=["not known", "gone", "and more"],
)
def test_without_a_database_people_are_told_once_until_a_good_run(
    server: Installation, receiver: Receiver, bad: dict[str, str]
) -> None:
    channel = {"ALERT_WEBHOOK_URL": receiver.url}
    for _ in range(2):
        assert fail(server, **channel, **bad) == []
    [text] = told(receiver)
    assert "kylink-replenish.service failed: exit-code 78" in text
    assert "could not be recorded" in text
    assert server.run("replenish", "--all", "--scheduled", **channel, **GOOD).returncode == 0
    fail(server, **channel, **bad)
    assert len(told(receiver)) == 2


def test_without_database_and_channel_the_journal_says_it_once(server: Installation) -> None:
    [line] = fail(server, DATABASE_URL="nonsense")
    assert "DATABASE_URL is 'nonsense'" in line
    assert fail(server, DATABASE_URL="nonsense") == []


DEAF = {"ALERT_WEBHOOK_URL": "http://127.0.0.1:9/"}


@pytest.mark.parametrize("database", [{}, {"DATABASE_URL": "sqlite:////nowhere/kylink.db"}], ids=["there", "gone"])
def test_where_no_channel_works_the_journal_says_it_once_until_a_good_run(
    server: Installation, database: dict[str, str]
) -> None:
    def errors() -> list[str]:
        return [line for line in fail(server, **DEAF, **database, ALERT_FLAP_MINUTES="0") if "nobody was told" in line]

    assert [len(errors()), len(errors()), len(errors())] == [1, 0, 0]
    assert server.run("replenish", "--all", "--scheduled", ALERT_FLAP_MINUTES="0", **DEAF, **GOOD).returncode == 0
    assert [len(errors()), len(errors())] == [1, 0]


def test_a_channel_that_works_again_gets_what_the_journal_alone_had(server: Installation, receiver: Receiver) -> None:
    gone = {"DATABASE_URL": "sqlite:////nowhere/kylink.db"}
    assert len(fail(server, **DEAF, **gone)) == 1
    for _ in range(2):
        assert fail(server, ALERT_WEBHOOK_URL=receiver.url, **gone) == []
    assert len(told(receiver)) == 1


def test_the_channels_that_can_be_read_are_used(server: Installation, receiver: Receiver) -> None:
    urls = f"nonsense json://127.0.0.1:{receiver.url.rpartition(':')[2]} slack://?min_level=LOUD"
    assert fail(server, ALERT_NOTIFY_URLS=urls) == []
    assert len(receiver.requests) == 1


def test_the_lines_of_an_env_file_that_can_be_understood_are_used(server: Installation, receiver: Receiver) -> None:
    env_file = server.folder / "kylink.env"
    lines = [*(f"{name}={value}" for name, value in server.settings.items()), "what is this", 'PROXY_API_KEY="open']
    env_file.write_text("\n".join([*lines, f"ALERT_WEBHOOK_URL={receiver.url}", ""]), encoding="utf-8")
    command = ["--env-file", str(env_file), "systemd", "record-failure", "kylink-replenish.service"]
    assert run_kylink(*command, env=FAILED, cwd=server.folder).returncode == 0
    [text] = told(receiver)
    assert "can't be understood from line" in text
    assert len(server.document("alerts", "list")["alerts"]) == 1


def test_an_env_file_that_is_gone_leaves_no_failed_unit_behind(server: Installation) -> None:
    command = ["--env-file", "gone.env", "systemd", "record-failure", "kylink-replenish.service"]
    env = FAILED | {"STATE_DIRECTORY": str(server.folder / "state")}
    first, second = (run_kylink(*command, env=env, cwd=server.folder) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0)
    assert "gone.env can't be read" in first.stderr
    assert "gone.env" not in second.stderr
