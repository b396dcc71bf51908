"""`kylink stock`: looking at items, bringing values in, taking them out, throwing them away."""

import csv
import io
import json
import stat
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.database import add_items
from tests.support.installation import Installation

STATES = ["available", "leased", "consumed", "expired", "discarded"]


@pytest.fixture
def stocked(kylink: Installation) -> Installation:
    """Campaign 1 with one item of each state, campaign 2 with three available ones."""
    kylink.add_campaigns("1", "2")
    for state in STATES:
        add_items(kylink.database, "1", 1, state=state)
    add_items(kylink.database, "2", 3)
    return kylink


def stored(kylink: Installation, campaign: str = "1") -> list[Any]:
    return kylink.rows(f"SELECT value FROM stock_items WHERE campaign_id = '{campaign}' ORDER BY id")


def write(kylink: Installation, text: str, name: str = "values.txt") -> str:
    (kylink.folder / name).write_text(text, encoding="utf-8", newline="")
    return name


# --- import


def test_import_takes_one_value_a_line_without_the_blanks_around_it(kylink: Installation) -> None:
    kylink.add_campaigns("1")
    values = ["a=1&b=2", " =x=y ", "größe,→", "[/nope]"]
    name = write(kylink, "\r\n".join([*values, "", "a=1&b=2"]))
    result = kylink.run("stock", "import", "1", name)
    assert (result.returncode, result.stdout) == (0, "4 items added, 1 duplicate left out\n")
    assert stored(kylink) == ["a=1&b=2", "=x=y", "größe,→", "[/nope]"]


def test_import_reads_standard_input_and_counts_what_the_campaign_had_before(stocked: Installation) -> None:
    had = stored(stocked)
    result = stocked.run("stock", "import", "1", "-", "--json", input="\n".join([*had, "new", "new"]))
    assert json.loads(result.stdout) == {"campaign_id": "1", "added": 1, "duplicates": len(had) + 1, "left_out": 0}
    assert stored(stocked) == [*had, "new"]


def test_the_same_value_may_be_in_stock_for_two_campaigns(kylink: Installation) -> None:
    kylink.add_campaigns("1", "2")
    for campaign in ("1", "2"):
        assert kylink.run("stock", "import", campaign, "-", input="v\n").stdout.startswith("1 item added")


def test_an_item_ends_after_the_ttl_or_at_an_earlier_end_of_its_own(kylink: Installation) -> None:
    kylink.add_campaigns("1")
    now = datetime.now(UTC)
    early, late = now + timedelta(hours=1), now + timedelta(days=300)
    rows = [f"early,{early.isoformat()}", f"late,{late.isoformat()}", "none,"]
    name = write(kylink, "\ufeffvalue,expiresAt\n" + "\n".join(rows) + "\n", "values.csv")
    assert kylink.run("stock", "import", "1", name, STOCK_TTL_HOURS="2").returncode == 0
    items = kylink.document("stock", "list")["items"]
    left = [datetime.fromisoformat(item["expires_at"]) - datetime.fromisoformat(item["created_at"]) for item in items]
    assert items[0]["expires_at"] == early.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert left[1:] == [timedelta(hours=2)] * 2


def test_an_import_with_bad_lines_lists_them_and_adds_nothing(kylink: Installation) -> None:
    kylink.add_campaigns("1")
    name = write(kylink, f"good\nb\x07ad\n{'x' * 4097}\n")
    result = kylink.run("stock", "import", "1", name)
    assert (result.returncode, result.stdout, stored(kylink)) == (1, "", [])
    assert result.stderr.splitlines() == [
        "line 2: the value holds control characters",
        "line 3: the value has 4097 characters: at most 4096 are allowed",
        "kylink: values.txt has 2 bad rows: nothing was changed",
    ]


def test_an_empty_file_of_values_is_refused(kylink: Installation) -> None:
    kylink.add_campaigns("1")
    result = kylink.run("stock", "import", "1", "-", input="\n\n")
    assert (result.returncode, result.stderr) == (1, "kylink: standard input holds no values: nothing was changed\n")


# --- list


def test_list_shows_items_in_the_order_in_which_they_came(stocked: Installation) -> None:
    items = stocked.document("stock", "list")["items"]
    assert [item["state"] for item in items] == [*STATES, "available", "available", "available"]
    assert list(items[0]) == ["id", "campaign_id", "value", "state", "created_at", "expires_at", "reason"]
    lines = stocked.run("stock", "list").stdout.splitlines()
    assert lines[0].split() == ["ID", "CAMPAIGN", "STATE", "CAME", "ENDS", "VALUE"]
    assert lines[1].split()[:3] == ["1", "1", "available"]


@pytest.mark.parametrize("state", STATES)
def test_list_can_be_narrowed_to_a_campaign_and_a_state(stocked: Installation, state: str) -> None:
    items = stocked.document("stock", "list", "--campaign", "1", "--state", state)["items"]
    assert [(item["campaign_id"], item["state"]) for item in items] == [("1", state)]


def test_an_item_past_its_end_is_expired_whether_a_job_has_marked_it_or_not(kylink: Installation) -> None:
    kylink.add_campaigns("1")
    add_items(kylink.database, "1", 1, hours=-1)
    assert kylink.document("stock", "list", "--state", "available") == {"items": []}
    assert [item["state"] for item in kylink.document("stock", "list", "--state", "expired")["items"]] == ["expired"]
    assert kylink.run("stock", "list", "--state", "available").stdout == "no such item\n"


def test_list_says_when_there_is_more(stocked: Installation) -> None:
    lines = stocked.run("stock", "list", "--limit", "7").stdout.splitlines()
    assert (len(lines), lines[-1]) == (9, "there are more than 7: --limit shows more, 'kylink stock export' all")
    assert len(stocked.run("stock", "list", "--limit", "8").stdout.splitlines()) == 9


# --- export


def test_what_was_exported_can_be_imported(kylink: Installation) -> None:
    kylink.add_campaigns("1", "2")
    values = ['a,"b"', "=1+1", "größe;→", "#x"]
    quoted = "".join('"' + value.replace('"', '""') + '"\n' for value in values)
    kylink.run("stock", "import", "1", "-", input=f"value\n{quoted}".replace('"#x"', '"\u2007#x"'))
    exported = kylink.run("stock", "export", "--campaign", "1").stdout
    assert [row["value"] for row in csv.DictReader(io.StringIO(exported))] == values
    kylink.run("stock", "import", "2", write(kylink, exported, "export.csv"))
    assert stored(kylink, "2") == values


def test_export_is_one_json_document_when_asked_for(stocked: Installation) -> None:
    document = stocked.document("stock", "export", "--campaign", "2")
    assert [item["campaign_id"] for item in document["items"]] == ["2", "2", "2"]
    assert stocked.document("stock", "export", "--campaign", "2", "--state", "leased") == {"items": []}


def test_export_writes_a_private_file(stocked: Installation) -> None:
    result = stocked.run("stock", "export", "--out", "items.csv")
    path = stocked.folder / "items.csv"
    assert (result.returncode, result.stdout) == (0, "8 items written to items.csv\n")
    assert (oct(stat.S_IMODE(path.stat().st_mode)), len(path.read_text().splitlines())) == ("0o600", 9)
    assert stocked.document("stock", "export", "--out", "items.json") == {"file": "items.json", "items": 8}
    assert len(json.loads((stocked.folder / "items.json").read_text())["items"]) == 8


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("folder", "not a regular file"),
        ("kylink.db/x", "a part of its path is not a directory"),
        ("gone/x", "there is no such file"),
    ],
)
def test_an_export_that_cannot_be_written_leaves_nothing_behind(
    stocked: Installation, target: str, reason: str
) -> None:
    (stocked.folder / "folder").mkdir()
    stocked.run("stock", "list")
    before = sorted(path.name for path in stocked.folder.iterdir())
    result = stocked.run("stock", "export", "--out", target)
    assert (result.returncode, result.stderr) == (1, f"kylink: {target} can't be written: {reason}\n")
    assert sorted(path.name for path in stocked.folder.iterdir()) == before


# --- discard


def test_discard_throws_available_items_away(stocked: Installation) -> None:
    result = stocked.run("stock", "discard", "8", "1", "8")
    assert (result.returncode, result.stdout) == (0, "discarded: 1, 8\n")
    assert stocked.rows("SELECT id FROM stock_items WHERE state = 'discarded' ORDER BY id") == [1, 5, 8]
    assert stocked.document("stock", "discard", "7") == {"discarded": [7]}


@pytest.mark.parametrize(
    ("item", "code", "message"),
    [
        ("2", 2, "item 2 is leased, nothing was discarded: only available items can be"),
        ("5", 2, "item 5 is discarded, nothing was discarded: only available items can be"),
        ("99", 11, "unknown item 99, nothing was discarded: 'kylink stock list' shows them"),
    ],
)
def test_discard_takes_all_that_are_named_or_none(stocked: Installation, item: str, code: int, message: str) -> None:
    result = stocked.run("stock", "discard", "1", item)
    assert (result.returncode, result.stderr) == (code, f"kylink: {message}\n")
    assert stocked.rows("SELECT state FROM stock_items WHERE id = 1") == ["available"]


def test_hostile_values_do_no_harm_in_a_table(kylink: Installation) -> None:
    kylink.add_campaigns("1")
    kylink.execute(
        "INSERT INTO stock_items (campaign_id, value, state, created_at, expires_at, expirations) VALUES"
        " ('1', '[/nope]' || char(27) || '[2J' || char(10) || 'x', 'available', '2026-01-01', '2099-01-01', 0)"
    )
    lines = kylink.run("stock", "list").stdout.splitlines()
    assert len(lines) == 2
    assert lines[1].endswith("[/nope] [2J x")
