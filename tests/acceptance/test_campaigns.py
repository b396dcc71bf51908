"""`kylink campaigns`: what an operator says is to be kept in stock, and sees of it."""

import json
import re
import socket
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kylink_cli.locks.file import FileLocks
from kylink_cli.store.tables import Campaign
from tests.support.cli import run_kylink
from tests.support.database import LONG_AGO, add_demand, add_items
from tests.support.installation import Installation
from tests.support.terminal import on_terminal

FIELDS = "id, user_id, name, status, country, source_url, low_watermark, target_stock"


def stored(kylink: Installation) -> list[Any]:
    return kylink.rows(f"SELECT {FIELDS} FROM campaigns ORDER BY id")


def listed(kylink: Installation, *options: str) -> list[str]:
    document = kylink.document("campaigns", "list", *options)
    return [campaign["campaign_id"] for campaign in document["campaigns"]]


# --- add


def test_add_creates_the_database_and_calls_a_campaign_by_its_id(tmp_path: Path) -> None:
    path = tmp_path / "state" / "kylink.db"
    settings = {"DATABASE_URL": f"sqlite:///{path}"}
    result = run_kylink("campaigns", "add", "42", "--user", "u1", env=settings, cwd=tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (0, "campaign 42 was added\n", "")
    assert [oct(stat.S_IMODE(p.stat().st_mode)) for p in (path, path.parent)] == ["0o600", "0o700"]
    shown = run_kylink("campaigns", "list", "--json", env=settings, cwd=tmp_path)
    assert [campaign["name"] for campaign in json.loads(shown.stdout)["campaigns"]] == ["42"]


def test_add_takes_every_field(kylink: Installation) -> None:
    options = ["--name", "N", "--country", "US", "--source-url", "https://shop.example/", "--low-watermark", "4"]
    document = kylink.document("campaigns", "add", "42", "--user", "u1", *options, "--target-stock", "9")
    assert document["campaign_id"] == "42"
    assert stored(kylink) == [("42", "u1", "N", "active", "US", "https://shop.example/", 4, 9)]


def test_add_leaves_a_campaign_that_exists_alone(kylink: Installation) -> None:
    kylink.run("campaigns", "add", "42", "--user", "u1")
    result = kylink.run("campaigns", "add", "42", "--user", "u2")
    message = "kylink: campaign 42 exists already: 'kylink campaigns set' changes it\n"
    assert (result.returncode, result.stderr) == (2, message)
    assert [row[1] for row in stored(kylink)] == ["u1"]


# --- list and show


@pytest.fixture
def mixed(kylink: Installation) -> Installation:
    """Campaigns that run empty in an hour, in a day and never; one is paused, one is another user's."""
    add = [
        Campaign(id="idle", user_id="u1", name="Idle", created_at=LONG_AGO),
        Campaign(id="slow", user_id="u1", name="Slow", created_at=LONG_AGO, low_watermark=2),
        Campaign(id="fast", user_id="u2", name="Fast", created_at=LONG_AGO),
        Campaign(id="new", user_id="u1", name="New", created_at=datetime.now(UTC), status="paused"),
    ]
    with kylink.database.writing() as session:
        session.add_all(add)
    add_items(kylink.database, "idle", 12)
    add_items(kylink.database, "slow", 2)
    add_items(kylink.database, "slow", 2, state="consumed")
    add_items(kylink.database, "fast", 4)
    add_items(kylink.database, "fast", 72, state="consumed")
    add_demand(kylink.database, "fast", 3)
    add_demand(kylink.database, "slow", 1, refused=1)
    assert kylink.run("leases", "take", "fast").returncode == 0
    return kylink


def test_list_says_what_the_contract_says(mixed: Installation) -> None:
    document = mixed.document("campaigns", "list")
    fast = next(campaign for campaign in document["campaigns"] if campaign["campaign_id"] == "fast")
    assert list(document) == ["campaigns"]
    expected = {
        "campaign_id": "fast",
        "user_id": "u2",
        "name": "Fast",
        "status": "active",
        "country": None,
        "available": 3,
        "leased": 1,
        "consumed_24h": 72,
        "watermark": 9,
        "watermark_source": "dynamic",
        "target": 12,
        "low": True,
        "runway_minutes": 62,
        "refused_24h": 0,
        "last_replenished_at": None,
        "last_error": None,
    }
    assert {key: fast[key] for key in expected} == expected
    assert fast["expected_24h"] == pytest.approx(70, abs=1)  # the profile moves with the minute of the hour
    assert {one["campaign_id"]: one["refused_24h"] for one in document["campaigns"]}["slow"] == 23
    sources = {campaign["campaign_id"]: campaign["watermark_source"] for campaign in document["campaigns"]}
    assert sources == {"idle": "dynamic", "slow": "own", "fast": "dynamic", "new": "default"}


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ([], ["fast", "idle", "new", "slow"]),
        (["--user", "u2"], ["fast"]),
        (["--user", "nobody"], []),
        (["--status", "paused"], ["new"]),
        (["--low"], ["fast"]),
        (["--sort", "runway"], ["fast", "slow", "idle", "new"]),
        (["--sort", "available"], ["new", "slow", "fast", "idle"]),
    ],
)
def test_list_chooses_and_sorts(mixed: Installation, options: list[str], ids: list[str]) -> None:
    assert listed(mixed, *options) == ids


def test_list_is_a_table_for_people(mixed: Installation) -> None:
    lines = mixed.run("campaigns", "list", "--sort", "runway").stdout.splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["CAMPAIGN", "NAME", "USER", "STATUS", "STOCK", "WM", "TARGET", "RUNWAY"],
        ["fast", "Fast", "u2", "low", "3", "9", "12", "62", "min"],
        ["slow", "Slow", "u1", "active", "2", "2", "9", "63", "min"],
    ]
    assert [line.split()[0] for line in lines[3:5]] == ["idle", "new"]


def test_list_ends_with_its_total(mixed: Installation) -> None:
    assert mixed.run("campaigns", "list").stdout.endswith("\n\n4 campaigns: 1 low, 1 paused\n")
    lines = mixed.run("campaigns", "list", "--limit", "3").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["fast", "idle", "new"]
    assert lines[-2:] == ["4 campaigns: 1 low, 1 paused", "These are the first 3: --limit N shows more."]
    assert mixed.run("campaigns", "list", "--user", "u2").stdout.endswith("\n\n1 campaign: 1 low\n")


def test_list_is_sorted_by_runway_on_a_terminal_and_by_id_elsewhere(mixed: Installation) -> None:
    seen = on_terminal("campaigns", "list", "--no-color", env=mixed.settings, cwd=mixed.folder).lines
    found = [
        line.split()[0] for line in seen if line.split()[:1] and line.split()[0] in {"idle", "slow", "fast", "new"}
    ]
    assert found == ["fast", "slow", "idle", "new"]
    assert listed(mixed) == ["fast", "idle", "new", "slow"]


def test_list_shows_what_fails_and_why(mixed: Installation) -> None:
    mixed.execute("UPDATE campaigns SET last_error = 'unknown campaign' WHERE id = 'slow'")
    assert listed(mixed, "--failing") == ["slow"]
    heading, row, *_, total = mixed.run("campaigns", "list", "--failing").stdout.splitlines()
    assert heading.endswith("  ERROR")
    assert row.endswith("  unknown campaign")
    assert total == "1 campaign: 1 failing"


def test_an_empty_list_says_what_to_do(kylink: Installation) -> None:
    result = kylink.run("campaigns", "list")
    message = "no such campaign: 'kylink campaigns add' and 'kylink campaigns import' add some\n"
    assert (result.returncode, result.stdout) == (0, message)
    assert kylink.document("campaigns", "list") == {"campaigns": []}


def test_show_says_all_that_is_known(mixed: Installation) -> None:
    document = mixed.document("campaigns", "show", "slow")
    assert document["items"] == {"available": 2, "leased": 0, "consumed": 2, "expired": 0, "discarded": 0}
    assert (document["low_watermark"], document["target_stock"], document["order"]) == (2, None, 0)


def test_show_says_in_sentences_what_matters_most_first(mixed: Installation) -> None:
    mixed.execute("UPDATE campaigns SET last_error = 'unknown campaign' WHERE id = 'slow'")
    text = mixed.run("campaigns", "show", "slow").stdout
    headline, bar, *_ = lines = text.splitlines()
    assert headline == "Slow is in stock: 2 items, for about 63 min"
    assert bar.endswith("│··················  2 of 9, replenished below 2")
    assert " refused (50 %). About " in text
    assert "The last run failed for it: unknown campaign" in lines
    assert "It was never filled. Of its items: 2 consumed." in lines
    assert not [key for key in mixed.document("campaigns", "show", "slow") if "_" in key and key in text]


def test_show_says_what_to_type_when_a_campaign_is_low(mixed: Installation) -> None:
    lines = mixed.run("campaigns", "show", "fast").stdout.splitlines()
    assert lines[0] == "Fast is low: 3 items left, for about 62 min"
    assert lines[-1] == "Fill it now: kylink replenish --campaign fast"


def test_show_wraps_at_words_on_a_terminal(mixed: Installation) -> None:
    seen = on_terminal("campaigns", "show", "fast", "--no-color", env=mixed.settings, cwd=mixed.folder, columns=60)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", seen.text)
    assert max(map(len, plain.splitlines())) <= 60
    assert plain.split() == mixed.run("campaigns", "show", "fast").stdout.split()


@pytest.mark.parametrize(("zone", "moment"), [("UTC", "00:00:00 UTC"), ("Asia/Shanghai", "08:00:00 CST")])
def test_details_show_times_in_the_zone_of_the_reader_and_json_in_utc(
    mixed: Installation, zone: str, moment: str
) -> None:
    assert f"Added 2026-01-01 {moment}." in mixed.run("campaigns", "show", "slow", TZ=zone).stdout
    assert mixed.document("campaigns", "show", "slow", TZ=zone)["created_at"] == "2026-01-01T00:00:00.000Z"


# --- set, pause, resume


def test_set_changes_what_is_named_and_clears_what_is_empty(kylink: Installation) -> None:
    kylink.run("campaigns", "add", "42", "--user", "u1", "--country", "US", "--low-watermark", "4")
    result = kylink.run("campaigns", "set", "42", "--name", "New", "--low-watermark", "")
    assert (result.returncode, result.stdout) == (0, "campaign 42: name 42 → New, low_watermark 4 → none\n")
    assert stored(kylink) == [("42", "u1", "New", "active", "US", None, None, None)]
    changed = {"campaign_id": "42", "changed": {"country": {"from": "US", "to": "JP"}}}
    assert kylink.document("campaigns", "set", "42", "--country", "JP") == changed
    assert kylink.run("campaigns", "set", "42", "--country", "JP").stdout == "campaign 42: nothing to change\n"


def test_pause_and_resume_say_what_changed(kylink: Installation) -> None:
    kylink.add_campaigns("1", "2")
    assert kylink.run("campaigns", "pause", "1").stdout == "campaign 1 is paused\n"
    both = kylink.run("campaigns", "pause", "1", "2", "1").stdout
    assert both == "campaign 2 is paused\ncampaign 1 was paused already\n"
    resumed = {"status": "active", "changed": ["1", "2"], "unchanged": []}
    assert kylink.document("campaigns", "resume", "1", "2") == resumed
    assert [row[3] for row in stored(kylink)] == ["active", "active"]


def test_one_unknown_campaign_among_many_changes_none(kylink: Installation) -> None:
    kylink.add_campaigns("1")
    assert kylink.run("campaigns", "pause", "1", "9").returncode == 11
    assert kylink.run("campaigns", "remove", "1", "9", "--yes").returncode == 11
    assert [row[3] for row in stored(kylink)] == ["active"]


# --- remove


def test_remove_never_asks_without_a_terminal_and_takes_yes(kylink: Installation) -> None:
    kylink.add_campaigns("1", "2")
    add_items(kylink.database, "1", 3)
    refused = kylink.run("campaigns", "remove", "1", input="y\n")
    assert (refused.returncode, refused.stdout, refused.stderr) == (
        2,
        "",
        "kylink: nothing was removed: answer y, or use --yes\n",
    )
    assert kylink.rows("SELECT count(*) FROM stock_items") == [3]
    assert kylink.document("campaigns", "remove", "1", "--yes") == {"removed": ["1"]}
    assert [row[0] for row in stored(kylink)] == ["2"]
    assert kylink.rows("SELECT count(*) FROM stock_items") == [0]


@pytest.mark.parametrize(
    ("typed", "code", "left"), [("y\n", 0, 0), ("YES\n", 0, 0), ("n\n", 2, 1), ("\n", 2, 1), ("\x04", 2, 1)]
)
def test_remove_asks_on_a_terminal(kylink: Installation, typed: str, code: int, left: int) -> None:
    kylink.add_campaigns("1")
    prompt = "Remove 1 with all stock and history? [y/N] "
    seen = on_terminal("campaigns", "remove", "1", env=kylink.settings, cwd=kylink.folder, answer=(prompt, typed))
    assert (seen.returncode, len(stored(kylink))) == (code, left)
    assert seen.lines[-1] == ("removed: 1" if code == 0 else "kylink: nothing was removed: answer y, or use --yes")


def test_a_campaign_that_a_living_run_is_filling_is_left_alone(kylink: Installation) -> None:
    kylink.add_campaigns("1")
    run_id = kylink.record_run("stock_replenish", "running", datetime.now(UTC))
    moment = datetime.now(UTC).isoformat(sep=" ")
    kylink.execute(
        f"INSERT INTO campaign_claims (campaign_id, run_id, epoch, claimed_at) VALUES ('1', {run_id}, 1, '{moment}')"
    )
    with FileLocks(kylink.folder / "kylink.db.lock").hold(kylink.lock_of(run_id)):
        refused = kylink.run("campaigns", "remove", "1", "--yes")
    assert (refused.returncode, len(stored(kylink))) == (75, 1)
    assert refused.stderr.startswith(f"kylink: campaign 1 is being filled by run {run_id} on {socket.gethostname()}: ")
    assert kylink.run("campaigns", "remove", "1", "--yes").returncode == 0


def test_terminal_and_markup_codes_in_names_do_no_harm(kylink: Installation) -> None:
    add = [
        Campaign(id="1\x1b[2J", user_id="[/nope]", name="two\nlines \x1b[31m\x9b2J \u202e", created_at=LONG_AGO),
        Campaign(id="2", user_id="u1", name="[/nope] [bold]x", last_error="boom\n<0>\x1b]0;t\x07", created_at=LONG_AGO),
    ]
    with kylink.database.writing() as session:
        session.add_all(add)
    for args in (["list"], ["show", "2"], ["show", "1\x1b[2J"], ["pause", "1\x1b[2J"], ["show", "9\x1b[2J"]):
        result = kylink.run("campaigns", *args)
        written = result.stdout + result.stderr
        assert result.returncode in {0, 11}
        assert not set(written) & {"\x1b", "\x9b", "\u202e", "\x07"}, args
    assert "[/nope] [bold]x" in kylink.run("campaigns", "list").stdout
    assert len(kylink.run("campaigns", "list").stdout.splitlines()) == 5


def test_ids_come_in_natural_order(kylink: Installation) -> None:
    kylink.add_campaigns("10", "2", "1")
    listed = [one["campaign_id"] for one in kylink.document("campaigns", "list")["campaigns"]]
    assert listed == ["1", "2", "10"]


def test_a_country_that_is_named_becomes_its_code_and_a_doubt_is_said(kylink: Installation) -> None:
    added = kylink.run("campaigns", "add", "42", "--user", "u1", "--country", "united kingdom")
    assert (added.returncode, added.stderr) == (0, "")
    changed = kylink.run("campaigns", "set", "42", "--country", "US, Canada")
    assert changed.stdout == "campaign 42: country GB → US; CA\n"
    assert changed.stderr == (
        "warning: country 'US, Canada' names several countries: the supply service is told US; CA\n"
    )
    kylink.run("campaigns", "set", "42", "--country", "")
    assert kylink.rows("SELECT country FROM campaigns") == [None]
