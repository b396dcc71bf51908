"""`kylink campaigns import`: all of a file, or none of it."""

import json
from pathlib import Path
from typing import Any

from tests.support.cli import run_kylink
from tests.support.installation import Installation

SHEET = """\
campaignName,campaignId,country,finalUrl,cid,mccId
"Größe, 1",42,US,https://shop.example/?a=1,7,8
日本語,43,JP,,7,8
"""
FIELDS = "id, user_id, name, status, country, source_url, low_watermark, target_stock"


def stored(kylink: Installation) -> list[Any]:
    return kylink.rows(f"SELECT {FIELDS} FROM campaigns ORDER BY id")


def write(kylink: Installation, text: str, name: str = "sheet.csv") -> str:
    (kylink.folder / name).write_text(text, encoding="utf-8")
    return name


def test_import_takes_a_sheet_as_it_is_exported(tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").write_bytes(b"\xef\xbb\xbf" + SHEET.replace("\n", "\r\n").encode())
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path / 'kylink.db'}"}
    result = run_kylink("campaigns", "import", "sheet.csv", "--user", "u1", env=settings, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (0, "2 added, 0 updated, 0 unchanged\n")
    assert result.stderr == "columns that mean nothing to kylink: cid, mccId\n"
    kylink = Installation(tmp_path, settings)
    assert stored(kylink) == [
        ("42", "u1", "Größe, 1", "active", "US", "https://shop.example/?a=1", None, None),
        ("43", "u1", "日本語", "active", "JP", None, None, None),
    ]


def test_import_takes_json_lines_from_a_file_and_from_standard_input(kylink: Installation) -> None:
    lines = '{"campaignId": 42, "userId": "u1", "lowWatermark": 4, "extra": {"a": 1}}\n{"campaign_id": "43"}\n'
    name = write(kylink, lines, "campaigns.jsonl")
    figures = {"dry_run": False, "added": 2, "updated": 0, "unchanged": 0}
    assert kylink.document("campaigns", "import", name, "--user", "u2") == figures
    again = kylink.run("campaigns", "import", "-", "--user", "u2", "--json", input=lines)
    assert json.loads(again.stdout) == figures | {"added": 0, "unchanged": 2}
    assert [row[1] for row in stored(kylink)] == ["u1", "u2"]


def test_import_updates_what_exists_and_leaves_what_the_file_does_not_name(kylink: Installation) -> None:
    kylink.run("campaigns", "add", "42", "--user", "u1", "--country", "US", "--low-watermark", "4")
    kylink.run("campaigns", "add", "43", "--user", "u1")
    name = write(kylink, "campaign_id,low_watermark,status\n42,,paused\n43,6,\n")
    assert kylink.run("campaigns", "import", name).stdout == "0 added, 2 updated, 0 unchanged\n"
    assert stored(kylink) == [
        ("42", "u1", "42", "paused", "US", None, None, None),
        ("43", "u1", "43", "active", None, None, 6, None),
    ]


def test_a_dry_import_shows_every_change_and_makes_none(kylink: Installation) -> None:
    kylink.run("campaigns", "add", "0", "--user", "u1")
    name = write(kylink, "campaign_id,user_id\n" + "".join(f"{number},u2\n" for number in range(50)))
    before = stored(kylink)
    document = kylink.document("campaigns", "import", name, "--take-over", "--dry-run")
    actions = [change["action"] for change in document.pop("changes")]
    assert (actions.count("add"), actions.count("update")) == (49, 1)
    assert document == {"dry_run": True, "added": 49, "updated": 1, "unchanged": 0}
    lines = kylink.run("campaigns", "import", name, "--take-over", "--dry-run").stdout.splitlines()
    assert lines[-2].split() == ["0", "update", "user_id", "u1", "→", "u2"]
    assert (len(lines), lines[-1]) == (52, "it would be 49 added, 1 updated, 0 unchanged: nothing was changed")
    assert stored(kylink) == before


def test_another_user_s_campaign_is_moved_with_its_stock_only_when_told_so(kylink: Installation) -> None:
    kylink.run("campaigns", "add", "42", "--user", "bob")
    kylink.run("stock", "import", "42", "-", input="v\n")
    name = write(kylink, "campaign_id,campaign_name\n42,shoes\n43,tea\n")
    refused = kylink.run("campaigns", "import", name, "--user", "alice")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "line 2: campaign 42: it belongs to another user" in refused.stderr
    assert kylink.rows("SELECT id, user_id FROM campaigns") == [("42", "bob")]
    assert kylink.run("campaigns", "import", name, "--user", "alice", "--take-over").returncode == 0
    assert kylink.rows("SELECT id, user_id FROM campaigns ORDER BY id") == [("42", "alice"), ("43", "alice")]
    assert kylink.document("campaigns", "show", "42")["available"] == 1


def test_a_dry_import_creates_no_database(tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").write_text(SHEET, encoding="utf-8")
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path / 'kylink.db'}"}
    result = run_kylink("campaigns", "import", "sheet.csv", "--user", "u1", "--dry-run", env=settings, cwd=tmp_path)
    assert (result.returncode, [path.name for path in tmp_path.iterdir()]) == (0, ["sheet.csv"])


def test_a_bad_file_creates_no_database(tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").write_text(SHEET, encoding="utf-8")
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path / 'kylink.db'}"}
    result = run_kylink("campaigns", "import", "sheet.csv", env=settings, cwd=tmp_path)
    assert (result.returncode, [path.name for path in tmp_path.iterdir()]) == (1, ["sheet.csv"])


def test_an_import_with_bad_rows_lists_them_with_their_lines_and_changes_nothing(kylink: Installation) -> None:
    kylink.run("campaigns", "add", "42", "--user", "u1", "--low-watermark", "4")
    rows = ["42,u1,5,", "43,u1,many,", "44,u1,,", "45,,5,", "42,u1,5,3", '46,"u\n1",5,']
    name = write(kylink, "campaign_id,user_id,low_watermark,target_stock\n" + "\n".join(rows) + "\n")
    before = stored(kylink)
    result = kylink.run("campaigns", "import", name)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "line 3: low_watermark is 'many': must be a whole number from 1 to 10000",
        "line 5: campaign 45: user_id is missing, and the campaign is new: --user USER supplies it",
        "line 6: campaign 42 is on line 2 already",
        "line 7: user_id is 'u 1': must not hold control characters",
        "kylink: sheet.csv has 4 bad rows: nothing was changed",
    ]
    assert stored(kylink) == before
    error = kylink.document("campaigns", "import", name)["error"]
    assert (error["code"], len(error["details"])) == ("USAGE", 4)


def test_campaigns_that_a_file_no_longer_holds_are_paused_if_asked_for(kylink: Installation) -> None:
    for campaign, user in (("1", "u1"), ("2", "u1"), ("3", "u2")):
        kylink.run("campaigns", "add", campaign, "--user", user)
    name = write(kylink, "campaign_id,campaign_name\n1,one\n")
    dry = kylink.run("campaigns", "import", name, "--user", "u1", "--pause-missing", "--dry-run")
    assert "status active → paused" in dry.stdout
    result = kylink.run("campaigns", "import", name, "--user", "u1", "--pause-missing")
    assert (result.stdout, result.stderr) == (
        "0 added, 2 updated, 0 unchanged\n",
        "1 of the updated is not in the file: paused\n",
    )
    assert kylink.rows("SELECT id, status FROM campaigns ORDER BY id") == [
        ("1", "active"),
        ("2", "paused"),
        ("3", "active"),
    ]
