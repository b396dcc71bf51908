"""`kylink setup` for a kylink of one's own: settings, database, campaigns and a full check."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kylink_cli.demo.service import SupplyService
from kylink_cli.settings.env_files import parse
from tests.support.installation import Installation
from tests.support.terminal import Seen, on_terminal

SHEET = "campaign_id,user_id\n42,alice\n43,alice\n"
SECRET = "s3cret-of-the-shop"
ADDRESS = "json://reader:p4ss@127.0.0.1:9/alerts"


@pytest.fixture
def service() -> Iterator[SupplyService]:
    with SupplyService(SECRET) as started:
        yield started


@pytest.fixture
def mine(tmp_path: Path) -> Installation:
    """A folder with a sheet of campaigns and a key, and no kylink yet."""
    (tmp_path / "campaigns.csv").write_text(SHEET, encoding="utf-8")
    (tmp_path / "key").write_text(f"{SECRET}\n", encoding="utf-8")
    return Installation(tmp_path)


def set_up(mine: Installation, *options: str) -> "subprocess.CompletedProcess[str]":
    command = mine.start("setup", "--env-file", "my.env", *options)
    out, err = command.communicate()
    return subprocess.CompletedProcess(options, command.returncode, out, err)


def everything(mine: Installation, service: SupplyService) -> list[str]:
    database = f"sqlite:///{mine.folder / 'my.db'}"
    return [
        *("--supply-url", service.url, "--key-file", "key", "--database-url", database),
        *("--import", "campaigns.csv", "--notify", ADDRESS, "--no-timers"),
    ]


def test_one_command_makes_a_kylink_that_works(mine: Installation, service: SupplyService) -> None:
    done = set_up(mine, *everything(mine, service))
    assert done.returncode == 0, done.stderr
    assert "2 added, 0 updated, 0 unchanged" in done.stdout
    assert SECRET not in done.stdout + done.stderr
    assert "p4ss" not in done.stdout + done.stderr
    assert (mine.folder / "my.env").stat().st_mode & 0o777 == 0o600
    assert mine.run("replenish", "--all", "--env-file", "my.env").returncode == 0
    assert len(service.charges) > 0


def test_each_step_says_what_it_does(mine: Installation, service: SupplyService) -> None:
    said = set_up(mine, *everything(mine, service)).stderr.splitlines()
    command = f"kylink --env-file {mine.folder / 'my.env'}"
    assert said[:4] == [
        f"wrote {mine.folder / 'my.env'}",
        f"the database: {command} db init",
        f"the campaigns of campaigns.csv: {command} campaigns import -",
        f"a full check: {command} doctor",
    ]


def test_a_second_time_changes_nothing(mine: Installation, service: SupplyService) -> None:
    set_up(mine, *everything(mine, service))
    before = (mine.folder / "my.env").read_bytes()
    done = set_up(mine, "--yes")
    assert done.returncode == 0
    assert "are as they should be" in done.stderr
    assert (mine.folder / "my.env").read_bytes() == before


def test_an_answer_can_be_changed_alone(mine: Installation, service: SupplyService) -> None:
    set_up(mine, *everything(mine, service))
    before = parse(mine.folder / "my.env")
    set_up(mine, "--notify", "json://127.0.0.1:7/", "--notify", "json://127.0.0.1:8/")
    after = parse(mine.folder / "my.env")
    assert after == before | {"ALERT_NOTIFY_URLS": "json://127.0.0.1:7/ json://127.0.0.1:8/"}


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ([], 2, "there is no supply service yet: name it with --supply-url URL"),
        (["--supply-url", "shop.example"], 78, "PROXY_API_URL is 'shop.example'"),
        (["--supply-url", "http://x", "--notify", "nonsense"], 78, "ALERT_NOTIFY_URLS is (secret)"),
        (["--supply-url", "http://x", "--database-url", "mysql://x"], 78, "DATABASE_URL is 'mysql://x'"),
        (["--supply-url", "http://x", "--key-file", "none"], 1, "none can't be read: there is no such file"),
        (["--supply-url", "http://x", "--key-file", "campaigns.csv"], 1, "a key is one line"),
        (["--supply-url", "http://x", "--import", "none.csv"], 1, "none.csv can't be read: there is no such file"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    mine: Installation, options: list[str], code: int, message: str
) -> None:
    before = sorted(mine.folder.iterdir())
    done = set_up(mine, *options)
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert sorted(mine.folder.iterdir()) == before


def test_it_stops_where_the_sheet_is_bad(mine: Installation, service: SupplyService) -> None:
    (mine.folder / "campaigns.csv").write_text("campaign_id,user_id\n42,\n", encoding="utf-8")
    done = set_up(mine, *everything(mine, service))
    assert done.returncode == 1
    assert "line 2" in done.stderr
    assert "doctor" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("something is still wrong: fix what is reported above")


def test_a_service_that_is_down_is_told_and_does_not_stop_it(mine: Installation) -> None:
    done = set_up(mine, *everything(mine, SupplyService(SECRET, url="http://127.0.0.1:9/")))
    assert done.returncode == 10
    assert "can't be reached" in done.stdout


def test_json_says_which_steps_were_done(mine: Installation, service: SupplyService) -> None:
    document = json.loads(set_up(mine, *everything(mine, service), "--json").stdout)
    assert document["ok"] is True
    assert [step["exit_code"] for step in document["steps"]] == [0, 0, 0]
    assert document["env_file"] == str(mine.folder / "my.env")


def answered(mine: Installation, *answers: tuple[str, str]) -> Seen:
    database = f"sqlite:///{mine.folder / 'my.db'}"
    options = ("setup", "--env-file", "my.env", "--database-url", database)
    return on_terminal(*options, env={}, cwd=mine.folder, columns=200, answers=answers)


def test_it_asks_on_a_terminal_and_shows_no_secret(mine: Installation, service: SupplyService) -> None:
    seen = answered(
        mine,
        ("Supply service (URL)", "shop.example\n"),
        ("PROXY_API_URL is 'shop.example'", ""),
        ("Supply service (URL)", f"{service.url}\n"),
        ("Its key (not shown; empty: none, or as before): ", f"{SECRET}\n"),
        ("addresses (not shown; empty: none, or as before): ", f"{ADDRESS}\n"),
        ("Campaigns to import", "nowhere.csv\n"),
        ("there is no file nowhere.csv", ""),
        ("Campaigns to import", "campaigns.csv\n"),
        ("Send a test alert? [y/N]", "n\n"),
        ("Start the timers now? [Y/n]", "n\n"),
    )
    assert seen.returncode == 0, seen.text
    assert SECRET not in seen.text
    assert "p4ss" not in seen.text
    said = parse(mine.folder / "my.env")
    assert (said["PROXY_API_KEY"], said["ALERT_NOTIFY_URLS"]) == (SECRET, ADDRESS)
    assert "ENABLE_AUTO_CRON" not in said


def test_return_alone_leaves_everything_as_it_is(mine: Installation, service: SupplyService) -> None:
    set_up(mine, *everything(mine, service))
    before = (mine.folder / "my.env").read_bytes()
    seen = answered(
        mine,
        (f"Supply service (URL) [{service.url}]", "\n"),
        ("Its key (not shown; empty: none, or as before): ", "\n"),
        ("addresses (not shown; empty: none, or as before): ", "\n"),
        ("Campaigns to import", "\n"),
        ("Send a test alert?", "\n"),
        ("Start the timers now?", "n\n"),
    )
    assert seen.returncode == 0, seen.text
    assert (mine.folder / "my.env").read_bytes() == before
